/* The picture of a stage: which nodes and groups are to be seen, their colours, and the SVG elements of those in view. */
const WIDTH = 176, HEIGHT = 54, ROUND_HEIGHT = 30, FEW = 90, MARGIN = 60;

function el(name, attributes, ...children) {
	return fill(document.createElement(name), attributes, children);
}

function svg(name, attributes, ...children) {
	return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function fill(element, attributes, children) {
	for (const [key, value] of Object.entries(attributes || {}))
		if (key.startsWith("on"))
			element.addEventListener(key.slice(2), value);
		else if (value === true)
			element.setAttribute(key, "");
		else if (value !== false && value !== null && value !== undefined)
			element.setAttribute(key, value);
	element.append(...children.filter(c => c !== null && c !== undefined && c !== false));
	return element;
}

function cut(text, length) {
	return text.length <= length ? text : text.slice(0, length / 2 - 1) + "…" + text.slice(text.length - length / 2 + 1);
}

function cutEnd(text, length) {
	return text.length <= length ? text : text.slice(0, length - 1) + "…";
}

/* ---- what is to be seen ---- */

/* Which groups are open at first: all in a small graph, else none but those that leave few nodes. */
function firstOpen(stage) {
	const open = new Set(), tops = stage.groups.filter(g => g.parent < 0);
	let shown = stage.nodes.length - tops.reduce((sum, g) => sum + g.nodes.length - 1, 0);
	if (stage.nodes.length <= FEW) {
		stage.groups.forEach(g => open.add(g.index));
		return open;
	}
	for (const g of tops) {
		const parts = stage.groups.filter(p => p.parent === g.index);
		const direct = g.nodes.filter(n => n.group === g.index).length, size = parts.length + direct;
		if (shown + size - 1 > FEW)
			continue;
		open.add(g.index);
		shown += size - 1;
	}
	return open;
}

function groupItem(group) {
	const names = ["layer", "block", "repeat"];
	const title = group.kind === REPEAT ? `${group.times} × ${group.label}` : group.label;
	return { kind: "group", key: group.key, group, nodes: group.nodes, op: title, label: group.kind === BLOCK
		? `block ${group.times}` : names[group.kind], width: WIDTH + 24, height: HEIGHT, lead: mainNode(group.nodes) };
}

/* The node that stands for a group: that with the most work. */
function mainNode(nodes) {
	return nodes.reduce((best, n) => n.macs > best.macs ? n : best, nodes[0]);
}

function nodeItem(node) {
	return { kind: "node", key: node.key, node, nodes: [node], op: node.op, label: node.label, width: WIDTH, height: HEIGHT, lead: node };
}

function endItem(kind, i, id, name) {
	return { kind, key: kind[0] + i, value: id, nodes: [], op: name, label: kind, height: ROUND_HEIGHT,
		width: Math.min(190, Math.max(70, 7.2 * cut(name, 24).length + 22)) };
}

/* Items and edges, items in topological order. */
function visibleGraph(stage, open) {
	const byKey = new Map(), itemOf = new Map();
	stage.inputs.forEach((id, i) => byKey.set("i" + i, endItem("input", i, id, stage.value(id) ? stage.value(id).name : "?")));
	for (const node of stage.nodes) {
		const closed = stage.groupsOf(node).find(g => !open.has(g.index)), key = closed ? closed.key : node.key;
		if (!byKey.has(key))
			byKey.set(key, closed ? groupItem(closed) : nodeItem(node));
		itemOf.set(node, byKey.get(key));
	}
	stage.outputs.forEach(([id, name], i) => byKey.set("o" + i, endItem("output", i, id, name)));
	const edges = visibleEdges(stage, byKey, itemOf);
	const items = sorted([...byKey.values()], edges);
	items.forEach((item, i) => { item.place = i; });
	for (const e of edges) {
		e.from = e.source.place;
		e.to = e.target.place;
	}
	return { items, edges, itemOf, byKey };
}

function visibleEdges(stage, byKey, itemOf) {
	const edges = [], seen = new Set(), inputs = new Map(stage.inputs.map((id, i) => [id, byKey.get("i" + i)]));
	const add = (id, target) => {
		const value = stage.value(id), source = value && (value.producer ? itemOf.get(value.producer) : inputs.get(id));
		if (!source || source === target || seen.has(id + " " + target.key))
			return;
		seen.add(id + " " + target.key);
		edges.push({ source, target, value });
	};
	for (const node of stage.nodes)
		for (const id of node.inputs)
			add(id, itemOf.get(node));
	stage.outputs.forEach(([id], i) => add(id, byKey.get("o" + i)));
	return edges;
}

/* Groups stand where all that they read is known, which need not be where their first node stands. */
function sorted(items, edges) {
	const waiting = new Map(items.map(item => [item, 0])), readers = new Map(items.map(item => [item, []])), list = [];
	for (const e of edges) {
		waiting.set(e.target, waiting.get(e.target) + 1);
		readers.get(e.source).push(e.target);
	}
	const ready = items.filter(item => !waiting.get(item));
	for (let i = 0; i < ready.length; i++) {
		list.push(ready[i]);
		for (const reader of readers.get(ready[i])) {
			waiting.set(reader, waiting.get(reader) - 1);
			if (!waiting.get(reader))
				ready.push(reader);
		}
	}
	return list;
}

/* ---- colours ---- */

const PALETTE = ["#3b82f6", "#22a06b", "#f08c2e", "#a855f7", "#e5484d", "#0ea5b7", "#b08900", "#db2777", "#64748b", "#84a01a"];

function weightsOf(stage, node) {
	const value = node.inputs.length > 1 ? stage.value(node.inputs[1]) : null;
	return stage.isConstant(value) ? value : null;
}

function outputOf(stage, node) {
	return node.outputs.length ? stage.value(node.outputs[0]) : null;
}

/* Of hardware layers, and in earlier stages of the nodes whose work they do. */
function layerNumber(stage, nodes, member) {
	const layers = new Set(nodes.map(n => layerOf(stage, n)).filter(l => l && l[member] !== undefined));
	const list = [...layers].map(l => l[member]);
	return !list.length ? null : member === "cycles" ? Math.max(...list) : list.reduce((a, b) => a + b, 0);
}

/* Each gives a number (null: has none), or a category. */
const COLOURS = {
	role: { title: "role", category: (stage, item) => ROLES[item.lead.role] },
	changes: { title: "changes", category: (stage, item) => changeOfItem(item) },
	macs: { title: "multiply-accumulates", number: (stage, item) => item.nodes.reduce((sum, n) => sum + n.macs, 0) || null },
	cycles: { title: "cycles", number: (stage, item) => layerNumber(stage, item.nodes, "cycles") },
	lut: { title: "LUT", number: (stage, item) => layerNumber(stage, item.nodes, "LUT") },
	weights: { title: "bits of a weight", number: (stage, item) => {
		const list = item.nodes.map(n => weightsOf(stage, n)).filter(v => v && v.datatype);
		return list.length ? Math.max(...list.map(v => bitsOf(typeOf(v)))) : null;
	} },
	bits: { title: "bits of the output", number: (stage, item) => {
		const value = outputOf(stage, item.nodes[item.nodes.length - 1]);
		return value ? bitsOf(typeOf(value)) : null;
	} },
	datatype: { title: "datatype of the output", category: (stage, item) => {
		const value = outputOf(stage, item.nodes[item.nodes.length - 1]);
		return value ? typeOf(value) : "?";
	} },
};
const ROLE_COLOURS = ["var(--role0)", "var(--role1)", "var(--role2)", "var(--role3)"];
const CHANGE_NAMES = { new: "new", changed: "changed", typed: "types changed", "": "as before" };
const CHANGE_COLOURS = { new: "var(--new)", changed: "var(--changed)", "types changed": "var(--typed)", "as before": "var(--same)" };

function changeOfItem(item) {
	const changes = item.nodes.map(n => n.change);
	return CHANGE_NAMES[["new", "changed", "typed"].find(c => changes.includes(c)) || ""];
}

function heat(part) {
	return `hsl(${Math.round(215 - 200 * part)} 78% var(--heat))`;
}

/* Colours all items; returns what the legend shows: {ramp: [least, largest]} or {names: [[name, colour, count]]}. */
function colourItems(stage, items, mode) {
	const own = items.filter(item => item.nodes.length), how = COLOURS[mode];
	items.forEach(item => { item.colour = "var(--same)"; });
	if (how.number) {
		own.forEach(item => { item.number = how.number(stage, item); });
		const list = own.map(item => item.number).filter(x => x !== null);
		const lo = Math.min(...list), hi = Math.max(...list), span = Math.log(hi + 1) - Math.log(lo + 1);
		for (const item of own)
			if (item.number !== null)
				item.colour = heat(span > 0 ? (Math.log(item.number + 1) - Math.log(lo + 1)) / span : 0.5);
		return { ramp: list.length ? [lo, hi] : null };
	}
	const counts = new Map();
	for (const item of own) {
		item.category = how.category(stage, item);
		counts.set(item.category, (counts.get(item.category) || 0) + 1);
	}
	const order = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a) || (a < b ? -1 : 1));
	const colour = name => mode === "role" ? ROLE_COLOURS[ROLES.indexOf(name)] : mode === "changes" ? CHANGE_COLOURS[name]
		: PALETTE[order.indexOf(name) % PALETTE.length];
	own.forEach(item => { item.colour = colour(item.category); });
	return { names: order.map(name => [name, colour(name), counts.get(name)]) };
}

/* ---- elements ---- */

/* The kernel of a window operator: "3×3 / 2". */
function windowText(attributes) {
	const kernel = attributes.kernel_shape || attributes.kernel_size || attributes.ConvKernelDim;
	const stride = attributes.strides || attributes.stride || attributes.Stride;
	if (!Array.isArray(kernel))
		return "";
	return kernel.join("×") + (Array.isArray(stride) && stride.some(s => s !== 1) ? ` / ${stride.join("×")}` : "");
}

/* What its edges do not say: folding, weights, window. */
function factOf(stage, item) {
	if (item.kind === "group")
		return `${grouped(item.nodes.length)} nodes` + (item.nodes.some(n => n.macs) ? ` · ${grouped(item.nodes.reduce((s, n) => s + n.macs, 0))} MACs` : "");
	const node = item.node, layer = layerOf(stage, node), weights = weightsOf(stage, node);
	if (layer && layer.cycles !== undefined)
		return `PE ${layer.PE ?? "–"} · SIMD ${layer.SIMD ?? "–"} · ${grouped(layer.cycles)} cycles`;
	const window = windowText(node.attributes);
	return [weights ? `${typeOf(weights)} ${shapeOf(weights)}` : "", weights && weights.dims && weights.dims.length > 2 ? "" : window]
		.filter(t => t).join(" · ") || (node.attributes.perm || []).join(", ");
}

function isRound(item) {
	return item.kind === "input" || item.kind === "output";
}

/* low: a box without text, for a picture from far away. */
function drawItem(stage, item, low, live) {
	const w = item.width, h = item.height, round = isRound(item);
	const box = svg("rect", { class: "box", x: -w / 2, y: -h / 2, width: w, height: h, rx: round ? h / 2 : 7,
		style: round ? null : `fill: color-mix(in srgb, ${item.colour} ${low ? 70 : 15}%, var(--card))` });
	const g = svg("g", { class: "node", transform: `translate(${item.x},${item.y})`, "data-key": item.key }, box);
	if (low)
		return g;
	if (item.kind === "group") {
		g.prepend(svg("rect", { class: "box", x: -w / 2 + 5, y: -h / 2 + 5, width: w, height: h, rx: 7 }));
		g.append(svg("text", { x: w / 2 - 16, y: -h / 2 + 18, class: "op" }, "+"));
	}
	if (round) {
		g.append(svg("text", { "text-anchor": "middle", y: 4, class: "op" }, cut(item.op, 24)));
	} else {
		const length = item.kind === "group" ? 26 : 24, third = live || factOf(stage, item);
		g.append(svg("rect", { x: -w / 2, y: -h / 2 + 7, width: 4, height: h - 14, style: `fill: ${item.colour}` }),
			svg("text", { x: -w / 2 + 12, y: -h / 2 + 17, class: "op" }, item.kind === "group" ? cutEnd(item.op, 22) : cut(item.op, 23)),
			svg("text", { x: -w / 2 + 12, y: -h / 2 + 32 }, cut(item.label, length + 3)),
			svg("text", { x: -w / 2 + 12, y: -h / 2 + 46, class: live ? "live" : null }, cutEnd(third, length + 4)));
	}
	g.append(svg("title", {}, item.kind === "group" ? `${item.op}: ${item.nodes.length} nodes` : `${item.op} ${item.label}`));
	return g;
}

/* A box around the items of an open group; a click folds it. Layers have no title. */
const RINGS = [{ pad: 6, top: 0 }, { pad: 11, top: 17 }, { pad: 16, top: 36 }];

function drawRing(group, items) {
	const { pad, top } = RINGS[group.kind];
	const x0 = Math.min(...items.map(i => i.x - i.width / 2)) - pad, x1 = Math.max(...items.map(i => i.x + i.width / 2)) + pad;
	const y0 = Math.min(...items.map(i => i.y - i.height / 2)) - pad - top, y1 = Math.max(...items.map(i => i.y + i.height / 2)) + pad;
	const text = group.kind === LAYER ? group.label : group.kind === REPEAT ? `${group.times} × ${group.label}` : `block ${group.times}`;
	return { x0, x1, y0, y1, draw: () => svg("g", { class: group.kind === LAYER ? "ring layer" : "ring", "data-group": group.index },
		svg("rect", { x: x0, y: y0, width: x1 - x0, height: y1 - y0, rx: 10 }),
		group.kind === LAYER ? null : svg("text", { x: x0 + 9, y: y0 + 14 }, "− " + cutEnd(text, Math.max(12, Math.floor((x1 - x0) / 6.6)))),
		svg("title", {}, `Fold: ${text}`)) };
}

/* Room above the first item of an open group for its title. */
function makeRoom(stage, items, open) {
	const seen = new Set();
	for (const item of items)
		for (const group of item.nodes.length ? stage.groupsOf(item.nodes[0]) : [])
			if (open.has(group.index) && group.key !== item.key && !seen.has(group)) {
				seen.add(group);
				item.above = Math.max(item.above || 0, RINGS[group.kind].top);
			}
}

function labelOf(value) {
	return `${typeOf(value)} ${shapeOf(value)}`;
}

function edgeBox(points) {
	const xs = points.map(p => p[0]), ys = points.map(p => p[1]);
	return { x0: Math.min(...xs), x1: Math.max(...xs), y0: Math.min(...ys), y1: Math.max(...ys) };
}

function meets(box, view) {
	return box.x0 <= view.x1 && box.x1 >= view.x0 && box.y0 <= view.y1 && box.y1 >= view.y0;
}

function itemBox(item) {
	return { x0: item.x - item.width / 2, x1: item.x + item.width / 2, y0: item.y - item.height / 2, y1: item.y + item.height / 2 };
}

/* A picture of a stage with some groups open, laid out. */
class Picture {
	constructor(stage, open, sideways) {
		Object.assign(this, visibleGraph(stage, open));
		this.stage = stage;
		this.sideways = sideways;
		makeRoom(stage, this.items, open);
		this.size = layout(this.items, this.edges, sideways);
		for (const item of this.items)
			item.box = itemBox(item);
		for (const e of this.edges) {
			e.path = pathText(e.points, sideways);
			e.box = edgeBox(e.points);
		}
		this.rings = this.findRings(open);
	}

	findRings(open) {
		const members = new Map();
		for (const item of this.items)
			for (const group of item.nodes.length ? this.stage.groupsOf(item.nodes[0]) : [])
				if (open.has(group.index) && group.key !== item.key) {
					if (!members.has(group))
						members.set(group, []);
					members.get(group).push(item);
				}
		return [...members].sort(([a], [b]) => b.kind - a.kind).map(([group, items]) => drawRing(group, items));
	}

	itemAt(key) {
		return this.byKey.get(key) || null;
	}
}
