/* The page itself: what is shown now, and what keys, mouse and controls change of it. */
const byId = id => document.getElementById(id);
const view = {
	stage: data.stages.length - 1, picture: null, opened: new Map(), chosen: null, colour: "role", sideways: false,
	scale: 1, x: 0, y: 0, run: null, found: [], foundAt: 0, tab: "layers", busy: null,
	open() { return openAt(this.stage); },
};
const LOW = 0.28, LABELS = 0.62;

function openAt(index) {
	if (!view.opened.has(index))
		view.opened.set(index, firstOpen(stageAt(index)));
	return view.opened.get(index);
}

/* ---- drawing what is in view ---- */

const world = svg("g", { id: "world" });
const layers = { rings: svg("g"), edges: svg("path", { class: "edges" }), arrows: svg("path", { class: "arrow" }), near: svg("path", { class: "near" }),
	labels: svg("g"), items: svg("g") };

function startCanvas() {
	world.append(layers.rings, layers.edges, layers.near, layers.arrows, layers.labels, layers.items);
	byId("canvas").append(world);
}

function viewBox() {
	const box = byId("canvas").getBoundingClientRect();
	return { x0: (-view.x - MARGIN) / view.scale, y0: (-view.y - MARGIN) / view.scale,
		x1: (box.width - view.x + MARGIN) / view.scale, y1: (box.height - view.y + MARGIN) / view.scale };
}

function liveText(item) {
	const stage = view.picture.stage, last = item.nodes[item.nodes.length - 1];
	const t = last && view.run && view.run.stage === stage ? view.run.tensors.get(last.outputs[0]) : null;
	return t ? "[" + previewOf(t, 8) + "]" : null;
}

function classesOf(item) {
	const chosen = item.key === view.chosen, found = view.found.length && item.nodes.some(n => view.foundSet.has(n));
	return "node" + (chosen ? " chosen" : "") + (found ? " found" : "") + (view.found.length && !found ? " dim" : "") +
		(view.busy && item.nodes.includes(view.busy) ? " busy" : "");
}

/* Elements stay while their item is in view. */
let drawn = new Map(), drawnLow = false, due = false;

function redraw() {
	drawn = new Map();
	layers.items.replaceChildren();
	draw();
}

function drawSoon() {
	if (due)
		return;
	due = true;
	requestAnimationFrame(() => {
		due = false;
		draw();
	});
}

function draw() {
	const picture = view.picture, box = viewBox(), low = view.scale < LOW;
	world.setAttribute("transform", `translate(${view.x},${view.y}) scale(${view.scale})`);
	if (low !== drawnLow) {
		drawn = new Map();
		layers.items.replaceChildren();
		drawnLow = low;
	}
	drawItems(picture, box, low);
	const edges = picture.edges.filter(e => meets(e.box, box));
	layers.edges.setAttribute("d", edges.map(e => e.path).join(""));
	layers.arrows.setAttribute("d", low ? "" : edges.map(e => arrowText(e.points, picture.sideways)).join(""));
	layers.labels.replaceChildren(...(view.scale < LABELS ? [] : edges.map(drawLabel)));
	layers.rings.replaceChildren(...(low ? [] : picture.rings.filter(r => meets(r, box)).map(r => r.draw())));
	layers.near.setAttribute("d", picture.edges.filter(e => e.source.key === view.chosen || e.target.key === view.chosen).map(e => e.path).join(""));
}

function drawItems(picture, box, low) {
	const next = new Map();
	for (const item of picture.items)
		if (meets(item.box, box)) {
			const element = drawn.get(item.key) || drawItem(picture.stage, item, low, low ? null : liveText(item));
			if (!drawn.has(item.key))
				layers.items.append(element);
			element.setAttribute("class", classesOf(item));
			next.set(item.key, element);
		}
	for (const [key, element] of drawn)
		if (!next.has(key))
			element.remove();
	drawn = next;
}

/* Behind the arrow's start, where parallel edges have not yet parted far. */
function drawLabel(e) {
	const [x, y] = e.points[e.points.length - 1];
	return view.sideways ? svg("text", { class: "label", x: x - 6, y: y - 6, "text-anchor": "end" }, labelOf(e.value))
		: svg("text", { class: "label", x: x + 7, y: y - 11 }, labelOf(e.value));
}

/* ---- moving ---- */

function fitBox(x0, y0, x1, y1, most) {
	const box = byId("canvas").getBoundingClientRect(), pad = 36;
	view.scale = Math.min((box.width - 2 * pad) / Math.max(x1 - x0, 1), (box.height - 2 * pad) / Math.max(y1 - y0, 1), most);
	view.x = box.width / 2 - view.scale * (x0 + x1) / 2;
	view.y = box.height / 2 - view.scale * (y0 + y1) / 2;
}

function fit() {
	fitBox(0, 0, view.picture.size.width, view.picture.size.height, 1.15);
	draw();
}

/* At first all of it, but no smaller than can be read: then its beginning. */
function fitFirst() {
	const { width, height } = view.picture.size, box = byId("canvas").getBoundingClientRect();
	fitBox(0, 0, width, height, 1.1);
	if (view.scale < 0.6) {
		view.scale = Math.max(view.scale, Math.min(0.85, (box.width - 72) / Math.max(view.sideways ? height : width, 1), 0.85));
		view.scale = Math.max(view.scale, 0.5);
		const first = view.picture.items[0] || { x: 0, y: 0 };
		view.x = view.sideways ? 40 - view.scale * (first.x - first.width / 2) : box.width / 2 - view.scale * first.x;
		view.y = view.sideways ? box.height / 2 - view.scale * first.y : 40 - view.scale * (first.y - first.height / 2);
	}
	const chosen = view.chosen && view.picture.itemAt(view.chosen);
	if (chosen)
		reveal(chosen);
	draw();
}

function zoomAt(px, py, factor) {
	const scale = Math.min(Math.max(view.scale * factor, 0.005), 4), by = scale / view.scale;
	view.x = px - by * (px - view.x);
	view.y = py - by * (py - view.y);
	view.scale = scale;
	drawSoon();
}

/* Moves the item into view where it is not. */
function reveal(item) {
	const box = byId("canvas").getBoundingClientRect(), x = view.x + view.scale * item.x, y = view.y + view.scale * item.y;
	if (view.scale < 0.5) {
		view.scale = 0.85;
	} else if (x > 90 && x < box.width - 90 && y > 40 && y < box.height - 60) {
		return;
	}
	view.x = box.width / 2 - view.scale * item.x;
	view.y = box.height / 2 - view.scale * item.y;
}

/* ---- stages, groups, choice ---- */

function makePicture() {
	const stage = stageAt(view.stage);
	view.picture = new Picture(stage, view.open(), view.sideways);
	showLegend(colourItems(stage, view.picture.items, view.colour));
}

function setStage(index) {
	if (index < 0 || index >= data.stages.length || (index === view.stage && view.picture))
		return;
	const first = !view.picture, old = view.picture;
	view.stage = index;
	makePicture();
	search(byId("search").value, false);
	showStage();
	showDetails();
	drawn = new Map();
	layers.items.replaceChildren();
	if (first || !keepPlace(old))
		fitFirst();
	else
		draw();
}

/* What was in the middle stays there, as far as it is in the new stage. */
function keepPlace(old) {
	const box = byId("canvas").getBoundingClientRect();
	const middle = [(box.width / 2 - view.x) / view.scale, (box.height / 2 - view.y) / view.scale];
	const chosen = view.chosen && old.itemAt(view.chosen) ? old.itemAt(view.chosen) : null;
	const shared = old.items.filter(item => item.kind !== "group" && view.picture.itemAt(item.key));
	const distance = item => Math.hypot(item.x - middle[0], item.y - middle[1]);
	const anchor = chosen && view.picture.itemAt(chosen.key) ? chosen : shared.reduce((best, item) => !best || distance(item) < distance(best) ? item : best, null);
	if (!anchor)
		return false;
	const now = view.picture.itemAt(anchor.key);
	view.x += view.scale * (anchor.x - now.x);
	view.y += view.scale * (anchor.y - now.y);
	return true;
}

function showStage() {
	const stage = view.picture.stage, slider = byId("stage"), c = stage.counts;
	slider.value = view.stage;
	slider.setAttribute("aria-valuetext", stage.name);
	[...byId("ticks").children].forEach((tick, i) => tick.classList.toggle("now", i === view.stage));
	const parts = c ? [["new", "new"], ["changed", "changed"], ["typed", "typed"], ["removed", "gone"]].filter(([key]) => c[key])
		.flatMap(([key, name]) => [el("span", { class: key }, `${grouped(c[key])} ${name}`), " "]) : [];
	byId("stage-facts").replaceChildren(el("b", {}, `${stage.name}: ${grouped(stage.nodes.length)} nodes`), el("br"), ...(parts.length ? parts : [c ? "no change" : "the file"]));
}

function showDetails() {
	byId("panel").replaceChildren(...detailsOf(view.picture, view.chosen).filter(c => c));
	byId("panel").scrollTop = 0;
	markRow();
}

/* The row of the table that the choice stands for. */
function markRow() {
	const key = view.chosen, node = key && key[0] === "n" ? view.picture.stage.byId.get(Number(key.slice(1))) : null;
	for (const row of document.querySelectorAll("#drawer tr[data-name]"))
		row.classList.toggle("chosen", Boolean(node) && row.dataset.name === node.label);
}

/* Unfolds what hides a node. */
function unfoldTo(node) {
	const closed = view.picture.stage.groupsOf(node).filter(g => !view.open().has(g.index));
	closed.forEach(g => view.open().add(g.index));
	if (closed.length) {
		makePicture();
		redraw();
	}
}

function choose(key) {
	const stage = view.picture.stage, node = key && key[0] === "n" ? stage.byId.get(Number(key.slice(1))) : null;
	if (node)
		unfoldTo(node);
	view.chosen = key;
	const item = key && view.picture.itemAt(key);
	if (item)
		reveal(item);
	showDetails();
	draw();
}

function chooseLayer(name) {
	setStage(data.stages.length - 1);
	const node = view.picture.stage.nodes.find(n => n.label === name);
	if (node)
		choose(node.key);
}

/* The last node of the last stage that does the work of a node of the file. */
function chooseSource(name) {
	setStage(data.stages.length - 1);
	const place = data.sources.findIndex(([known]) => known === name);
	const nodes = view.picture.stage.nodes.filter(n => n.sources.includes(place));
	if (nodes.length)
		choose(nodes[nodes.length - 1].key);
}

function toggleGroup(index) {
	const open = view.open(), group = view.picture.stage.groups[index], was = open.has(index);
	const old = view.picture, anchor = was ? null : old.itemAt(group.key);
	if (was)
		open.delete(index);
	else
		open.add(index);
	makePicture();
	const now = view.picture.itemAt(was ? group.key : (view.picture.itemOf.get(group.nodes[0]) || {}).key);
	const before = anchor || (was ? old.itemOf.get(group.nodes[0]) : null);
	if (now && before) {
		view.x += view.scale * (before.x - now.x);
		view.y += view.scale * (before.y - now.y);
	}
	view.chosen = was ? group.key : view.chosen;
	showDetails();
	redraw();
}

function foldAll() {
	const stage = view.picture.stage, open = view.open();
	if (open.size)
		open.clear();
	else
		stage.groups.forEach(g => open.add(g.index));
	makePicture();
	redraw();
	fitFirst();
}

function turn() {
	view.sideways = !view.sideways;
	makePicture();
	redraw();
	fitFirst();
}

function setColour(mode) {
	view.colour = mode;
	byId("colour").value = mode;
	showLegend(colourItems(view.picture.stage, view.picture.items, mode));
	redraw();
}

function showLegend(legend) {
	const swatch = (colour, text) => el("span", {}, el("i", { class: "swatch", style: `background: ${colour}` }), text);
	const parts = legend.names ? legend.names.slice(0, 12).map(([name, colour, count]) => swatch(colour, `${name} (${grouped(count)})`)) : [];
	if (legend.ramp) {
		const stops = [0, 0.25, 0.5, 0.75, 1].map(heat).join(", ");
		parts.push(el("span", {}, grouped(legend.ramp[0]), el("i", { class: "ramp", style: `background: linear-gradient(90deg, ${stops})` }), grouped(legend.ramp[1])));
	}
	if (!parts.length)
		parts.push(el("span", {}, "nothing in this stage has it"));
	byId("legend").replaceChildren(el("b", {}, COLOURS[view.colour].title), ...parts);
}

/* ---- search ---- */

function matches(stage, node, words) {
	const names = [node.op, node.label, ...node.outputs.map(id => stage.value(id)).filter(v => v).flatMap(v => [v.name, typeOf(v)]),
		...node.sources.map(place => data.sources[place][0])];
	const text = names.join("\n").toLowerCase();
	return words.every(word => text.includes(word));
}

function search(text, go) {
	const stage = view.picture.stage, words = text.toLowerCase().split(/\s+/).filter(w => w);
	view.found = words.length ? stage.nodes.filter(n => matches(stage, n, words)) : [];
	view.foundSet = new Set(view.found);
	view.foundAt = 0;
	const list = byId("found");
	list.hidden = !words.length || document.activeElement !== byId("search");
	list.replaceChildren(...view.found.slice(0, 200).map((n, i) => el("li", { class: i ? null : "now" }, el("button", {
		onmousedown: event => event.preventDefault(), onclick: () => goTo(i) }, `${n.op} ${n.label}`))),
	...(words.length && !view.found.length ? [el("li", { class: "muted" }, "nothing found")] : []));
	if (go)
		drawSoon();
}

function goTo(i) {
	if (!view.found.length)
		return;
	view.foundAt = (i + view.found.length) % view.found.length;
	[...byId("found").children].forEach((line, k) => line.classList.toggle("now", k === view.foundAt));
	if (byId("found").children[view.foundAt])
		byId("found").children[view.foundAt].scrollIntoView({ block: "nearest" });
	choose(view.found[view.foundAt].key);
}

/* ---- inference ---- */

/* The node that has just been executed; null: all are. */
function showProgress(node) {
	view.busy = node && inference.slow ? node : null;
	const item = node && view.picture.stage === view.run.stage ? view.picture.itemOf.get(node) : null;
	if (item && drawn.has(item.key)) {
		drawn.get(item.key).remove();
		drawn.delete(item.key);
	}
	if (node && inference.slow && item)
		reveal(item);
	if (!node)
		showDetails();
	drawSoon();
}

/* ---- saving ---- */

/* All of the stage as it is folded and coloured now, with the rules and colours that it needs. */
function savedSvg() {
	const picture = view.picture, pad = 30, width = picture.size.width + 2 * pad, height = picture.size.height + 2 * pad;
	const style = getComputedStyle(document.documentElement), sheet = document.querySelector("style").textContent;
	const resolve = text => text.replace(/var\((--[\w-]+)\)/g, (_, name) => style.getPropertyValue(name).trim());
	const rules = resolve(sheet.slice(sheet.indexOf("/* The drawing.")).replace(/cursor: pointer;|@media[^]*$/g, ""));
	const root = svg("svg", { viewBox: `${-pad} ${-pad} ${width} ${height}`, width, height }, svg("style", {}, rules),
		svg("rect", { x: -pad, y: -pad, width, height, fill: style.getPropertyValue("--ground").trim() }),
		...picture.rings.map(r => r.draw()), svg("path", { class: "edges", d: picture.edges.map(e => e.path).join("") }),
		svg("path", { class: "arrow", d: picture.edges.map(e => arrowText(e.points, picture.sideways)).join("") }),
		...picture.edges.map(drawLabel), ...picture.items.map(item => drawItem(picture.stage, item, false, liveText(item))));
	return resolve(new XMLSerializer().serializeToString(root));
}

function saveSvg() {
	const url = URL.createObjectURL(new Blob([savedSvg()], { type: "image/svg+xml" }));
	const name = report.model.split("/").pop().replace(/\.onnx$/, "");
	el("a", { href: url, download: `${name}-${view.picture.stage.name}.svg` }).click();
	setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/* ---- tabs ---- */

function showTab(name) {
	view.tab = view.tab === name && !byId("drawer").hidden && name ? null : name;
	const tab = TABS.find(([key]) => key === view.tab);
	byId("drawer").hidden = !tab;
	for (const button of byId("tabs").children)
		button.setAttribute("aria-selected", String(button.dataset.tab === view.tab));
	if (tab)
		byId("drawer").replaceChildren(...tab[2]().filter(c => c));
	markRow();
	if (view.picture)
		drawSoon();
}

/* ---- keys and mouse ---- */

const KEYS = [
	["/", "search", () => byId("search").focus()], ["[", "stage before", () => setStage(view.stage - 1)],
	["]", "next stage", () => setStage(view.stage + 1)], ["f", "show all", fit], ["e", "fold all groups, or unfold them", foldAll],
	["r", "turn: top to bottom, left to right", turn], ["c", "next colour", () => nextColour()], ["t", "dark or light", () => setTheme()],
	["s", "save as SVG", saveSvg], ["i", "inference", () => showTab("inference")], ["l", "layers", () => showTab("layers")],
	["+", "larger", () => zoomMiddle(1.25)], ["-", "smaller", () => zoomMiddle(0.8)], ["?", "this list", () => byId("keys").showModal()],
	["Enter", "fold or unfold the chosen group", () => openChosen()], ["Escape", "choose nothing", () => choose(null)],
	["ArrowUp", "node before", () => walk("up")], ["ArrowDown", "node behind", () => walk("down")],
	["ArrowLeft", "neighbour to the left", () => walk("left")], ["ArrowRight", "neighbour to the right", () => walk("right")],
];

function zoomMiddle(factor) {
	const box = byId("canvas").getBoundingClientRect();
	zoomAt(box.width / 2, box.height / 2, factor);
}

function nextColour() {
	const modes = Object.keys(COLOURS);
	setColour(modes[(modes.indexOf(view.colour) + 1) % modes.length]);
}

function openChosen() {
	if (view.chosen && view.chosen[0] === "g")
		toggleGroup(Number(view.chosen.slice(1)));
}

/* To a node that the chosen one reads or that reads it; left and right to those beside it. */
function walk(where) {
	const picture = view.picture, item = view.chosen && picture.itemAt(view.chosen);
	if (!item) {
		choose((picture.items.find(i => i.nodes.length) || picture.items[0] || {}).key || null);
		return;
	}
	const along = { up: "source", down: "target" }[where];
	const near = i => Math.abs(picture.sideways ? i.x - item.x : i.y - item.y) < 20 && i !== item;
	const gap = i => picture.sideways ? i.y - item.y : i.x - item.x;
	const list = along ? picture.edges.filter(e => e[along === "source" ? "target" : "source"] === item).map(e => e[along])
		: picture.items.filter(i => near(i) && (where === "left" ? gap(i) < 0 : gap(i) > 0)).sort((a, b) => Math.abs(gap(a)) - Math.abs(gap(b)));
	if (list.length)
		choose(list[0].key);
}

function setTheme(name) {
	const root = document.documentElement, next = name || (root.dataset.theme === "dark" ? "light" : "dark");
	root.dataset.theme = next;
	if (view.picture) {
		showDetails();
		redraw();
	}
}

function listenToKeys() {
	document.addEventListener("keydown", event => {
		const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) && event.target.type !== "range";
		if (typing || event.ctrlKey || event.metaKey || event.altKey || byId("keys").open)
			return;
		const key = KEYS.find(([name]) => name === event.key);
		if (!key || (event.target.type === "range" && event.key.startsWith("Arrow")) || (event.key === "Enter" && event.target.tagName === "BUTTON"))
			return;
		event.preventDefault();
		key[2]();
	});
	const box = byId("search");
	box.addEventListener("input", () => search(box.value, true));
	box.addEventListener("focus", () => search(box.value, true));
	box.addEventListener("blur", () => { byId("found").hidden = true; });
	box.addEventListener("keydown", event => {
		if (event.key === "Enter")
			goTo(event.shiftKey ? view.foundAt - 1 : view.chosen && view.found[view.foundAt] && view.found[view.foundAt].key === view.chosen
				? view.foundAt + 1 : view.foundAt);
		else if (event.key === "ArrowDown" || event.key === "ArrowUp")
			goTo(view.foundAt + (event.key === "ArrowDown" ? 1 : -1));
		else if (event.key === "Escape") {
			box.value = "";
			search("", true);
			box.blur();
		} else
			return;
		event.preventDefault();
	});
}

function itemUnder(target) {
	const node = target.closest ? target.closest("[data-key]") : null;
	return node ? node.dataset.key : null;
}

function listenToMouse() {
	const canvas = byId("canvas");
	let from = null, moved = false;
	canvas.addEventListener("pointerdown", event => {
		from = [event.clientX - view.x, event.clientY - view.y, event.target];
		moved = false;
	});
	canvas.addEventListener("pointermove", event => {
		if (!from)
			return;
		if (!moved && Math.hypot(event.clientX - view.x - from[0], event.clientY - view.y - from[1]) < 4)
			return;
		if (!moved) {
			moved = true;
			canvas.setPointerCapture(event.pointerId);
			canvas.classList.add("moving");
		}
		view.x = event.clientX - from[0];
		view.y = event.clientY - from[1];
		drawSoon();
	});
	canvas.addEventListener("pointerup", () => {
		const ring = from && from[2].closest ? from[2].closest("[data-group]") : null, key = from && itemUnder(from[2]);
		if (from && !moved && !key && ring)
			toggleGroup(Number(ring.dataset.group));
		else if (from && !moved)
			choose(key);
		from = null;
		canvas.classList.remove("moving");
	});
	canvas.addEventListener("dblclick", event => {
		const key = itemUnder(event.target);
		if (key && key[0] === "g")
			toggleGroup(Number(key.slice(1)));
	});
	canvas.addEventListener("wheel", event => {
		event.preventDefault();
		const box = canvas.getBoundingClientRect();
		zoomAt(event.clientX - box.left, event.clientY - box.top, Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)));
	}, { passive: false });
	window.addEventListener("resize", drawSoon);
}

/* ---- start ---- */

function startControls() {
	const model = report.model.split("/").pop(), slider = byId("stage");
	document.title = `${model} – qcc`;
	byId("model").textContent = model;
	byId("subtitle").textContent = `${grouped(report.totals.macs)} MACs, ${grouped(report.totals.params)} parameters`;
	slider.max = data.stages.length - 1;
	slider.addEventListener("input", () => setStage(Number(slider.value)));
	byId("ticks").append(...data.stages.map((s, i) => el("button", { onclick: () => setStage(i), title: s.name }, s.name)));
	byId("before").addEventListener("click", () => setStage(view.stage - 1));
	byId("after").addEventListener("click", () => setStage(view.stage + 1));
	byId("colour").append(...Object.entries(COLOURS).map(([key, how]) => el("option", { value: key }, how.title)));
	byId("colour").addEventListener("change", event => setColour(event.target.value));
	for (const [id, action] of [["fold", foldAll], ["turn", turn], ["fit", fit], ["save", saveSvg], ["help", () => byId("keys").showModal()]])
		byId(id).addEventListener("click", action);
	byId("theme").addEventListener("click", () => setTheme());
	byId("tabs").append(...TABS.map(([key, title]) => el("button", { role: "tab", "data-tab": key, onclick: () => showTab(key) }, title)));
	byId("keys").append(el("h3", {}, "Keys"), el("dl", { class: "facts" }, ...KEYS.flatMap(([key, what]) => [el("dt", {}, el("kbd", {}, key.replace("Arrow", ""))),
		el("dd", {}, what)])), el("p", { class: "muted" }, "Drag moves, the wheel zooms, a double click unfolds a group."),
	el("button", { onclick: () => byId("keys").close() }, "Close"));
}

function start() {
	setTheme(window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
	startCanvas();
	startControls();
	view.tab = null;
	showTab("layers");
	const last = view.stage;
	view.stage = -1;
	setStage(last);
	listenToKeys();
	listenToMouse();
	document.documentElement.dataset.ready = "true";
}
start();
