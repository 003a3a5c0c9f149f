/* The panel beside the graph: all that is known of a node, a group, an input or an output. */

function heading(title, name, ...more) {
	return [el("h2", {}, title), el("div", { class: "name" }, name), ...more];
}

function facts(list) {
	const rows = list.filter(([, value]) => value !== null && value !== undefined && value !== "");
	return rows.length ? el("dl", { class: "facts" }, ...rows.flatMap(([key, value]) => [el("dt", {}, key), el("dd", {}, value)])) : null;
}

function section(title, ...content) {
	const list = content.filter(c => c);
	return list.length ? [el("h3", {}, title), ...list] : [];
}

function attributeText(value) {
	if (Array.isArray(value))
		return value.join(", ");
	return typeof value === "object" ? value.tensor || "a graph" : String(value);
}

/* ---- numbers drawn ---- */

function colourNow(name) {
	return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/* A bar for each bin. */
function histogram(bins, least, most, integral) {
	const width = 330, height = 74, high = Math.max(...bins), step = width / bins.length;
	const few = integral && most - least < 32, total = bins.reduce((a, b) => a + b, 0);
	const bars = bins.map((count, i) => {
		const h = count ? Math.max(1, 52 * count / high) : 0;
		const name = few ? `${least + i}` : `from ${shortNumber(least + (most - least) * i / bins.length)}`;
		return svg("rect", { x: i * step + 0.5, y: 54 - h, width: Math.max(1, step - 1), height: h, fill: "var(--bar)" },
			svg("title", {}, `${name}: ${grouped(count)} (${(100 * count / total).toFixed(1)} %)`));
	});
	return svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "histogram", role: "img", "aria-label": "Histogram" }, ...bars,
		svg("line", { x1: 0, x2: width, y1: 54.5, y2: 54.5, stroke: "var(--line)" }),
		svg("text", { x: 0, y: 69, "font-size": 11, fill: "var(--muted)" }, shortNumber(least)),
		svg("text", { x: width, y: 69, "font-size": 11, fill: "var(--muted)", "text-anchor": "end" }, shortNumber(most)));
}

function binsOf(elements) {
	let least = Infinity, most = -Infinity, integral = true;
	for (const v of elements) {
		least = Math.min(least, v);
		most = Math.max(most, v);
		integral = integral && Number.isInteger(v);
	}
	const few = integral && most - least < 32, count = few ? most - least + 1 : 32, bins = new Array(Number.isFinite(count) ? count : 1).fill(0);
	const span = few ? most + 1 - least : most - least;
	for (const v of elements)
		bins[Math.min(bins.length - 1, Math.max(0, Math.floor((v - least) / (span || 1) * bins.length)))]++;
	return { bins, least, most, integral };
}

/* A canvas of that size in CSS pixels, sharp on any screen; draw(context, width). */
function sheet(height, draw) {
	const canvas = el("canvas", { style: `height: ${height}px` });
	requestAnimationFrame(() => {
		const scale = window.devicePixelRatio || 1, width = canvas.clientWidth || 340, context = canvas.getContext("2d");
		canvas.width = width * scale;
		canvas.height = height * scale;
		context.scale(scale, scale);
		context.font = "11px system-ui, sans-serif";
		draw(context, width);
	});
	return canvas;
}

/* ---- thresholds ---- */

/* The thresholds of a node, what it compares with them and what comes out: null where it has none that the page knows. */
function thresholdsOf(stage, node) {
	const place = node.op === "MultiThreshold" || node.op.startsWith("Thresholding") ? 1 : /^(MVAU|VVAU)/.test(node.op) ? 2 : -1;
	const value = place > 0 && place < node.inputs.length ? stage.value(node.inputs[place]) : null;
	const tensor = value && stage.isConstant(value) ? constantOf(stage, value) : null;
	if (!tensor || tensor.dims.length !== 2 || !tensor.data.length)
		return null;
	const input = stage.value(node.inputs[0]), a = node.attributes;
	const range = place === 2 ? boundsOf(a.accDataType || "") : rangeOf(stage, input);
	return { tensor, range, scale: a.out_scale ?? 1, bias: a.out_bias ?? a.ActVal ?? 0, rows: tensor.dims[0], steps: tensor.dims[1] };
}

/* From range analysis, else what the datatype allows. */
function rangeOf(stage, value) {
	const live = data.live && stage.index === data.live.stage ? data.live.ranges[value.id] : null;
	return live || value.range || boundsOf(value.datatype);
}

function axisLimits(t) {
	let least = Infinity, most = -Infinity;
	for (const v of t.tensor.data)
		if (Number.isFinite(v)) {
			least = Math.min(least, v);
			most = Math.max(most, v);
		}
	const [lo, hi] = t.range || [least, most], wide = hi - lo || 1;
	return [lo - 0.02 * wide, hi + 0.02 * wide];
}

/* Output over accumulator, of one channel. */
function drawSteps(t, channel) {
	return sheet(140, (c, width) => {
		const [lo, hi] = axisLimits(t), row = Array.from(t.tensor.data.subarray(channel * t.steps, (channel + 1) * t.steps)).sort((a, b) => a - b);
		const top = t.bias + t.scale * t.steps, low = Math.min(t.bias, top), high = Math.max(t.bias, top);
		const x = v => 34 + (width - 44) * (v - lo) / (hi - lo), y = v => 112 - 100 * (v - low) / (high - low || 1);
		c.fillStyle = colourNow("--muted");
		c.textAlign = "right";
		c.fillText(shortNumber(low), 30, 116);
		c.fillText(shortNumber(high), 30, 16);
		c.textAlign = "left";
		c.fillText(shortNumber(Math.round(lo)), 34, 134);
		c.textAlign = "right";
		c.fillText(shortNumber(Math.round(hi)), width - 10, 134);
		c.strokeStyle = colourNow("--line");
		c.strokeRect(34, 10, width - 44, 104);
		c.strokeStyle = colourNow("--accent");
		c.lineWidth = 1.8;
		c.beginPath();
		c.moveTo(x(lo), y(t.bias));
		row.forEach((v, i) => {
			const at = x(Math.min(Math.max(v, lo), hi));
			c.lineTo(at, y(t.bias + t.scale * i));
			if (v <= hi)
				c.lineTo(at, y(t.bias + t.scale * (i + 1)));
		});
		const last = row.filter(v => v <= hi).length;
		c.lineTo(x(hi), y(t.bias + t.scale * last));
		c.stroke();
	});
}

/* All channels, a line each: where their thresholds lie. Those out of the range never decide. */
function drawAllThresholds(t) {
	return sheet(150, (c, width) => {
		const [lo, hi] = axisLimits(t), x = v => 34 + (width - 44) * (v - lo) / (hi - lo), step = 128 / t.rows;
		const own = colourNow("--accent"), dead = colourNow("--bad");
		c.strokeStyle = colourNow("--line");
		c.strokeRect(34, 6, width - 44, 130);
		for (let r = 0; r < t.rows; r++)
			for (let k = 0; k < t.steps; k++) {
				const v = t.tensor.data[r * t.steps + k], out = t.range && (v > t.range[1] || v <= t.range[0]);
				c.fillStyle = out ? dead : own;
				c.fillRect(Math.min(Math.max(x(v), 35), width - 12) - 0.75, 7 + r * step, 1.5, Math.max(1, Math.min(step, 6)));
			}
		c.fillStyle = colourNow("--muted");
		c.textAlign = "right";
		c.fillText("0", 30, 15);
		c.fillText(String(t.rows - 1), 30, 136);
	});
}

function countDead(t) {
	let dead = 0;
	for (const v of t.tensor.data)
		dead += t.range && (v > t.range[1] || v <= t.range[0]) ? 1 : 0;
	return dead;
}

function thresholdSection(stage, node) {
	const t = thresholdsOf(stage, node);
	if (!t)
		return [];
	const one = el("div"), label = el("span", { class: "muted" });
	const show = channel => {
		label.textContent = t.rows > 1 ? `channel ${channel} of ${t.rows}` : "all channels alike";
		one.replaceChildren(drawSteps(t, channel));
	};
	const slider = t.rows > 1 ? el("input", { type: "range", min: 0, max: t.rows - 1, value: 0, "aria-label": "Channel",
		style: "width: 100%", oninput: event => show(Number(event.target.value)) }) : null;
	const dead = countDead(t);
	show(0);
	return section("Thresholds", facts([["shape", `${t.rows} × ${t.steps}`],
		["accumulator", t.range ? `${grouped(t.range[0])} … ${grouped(t.range[1])}` : "range not known"],
		["never decide", t.range ? `${grouped(dead)} of ${grouped(t.tensor.data.length)}` : null]]),
	label, slider, one, t.rows > 1 ? el("div", { class: "muted" }, "all channels, one below the other") : null,
	t.rows > 1 ? drawAllThresholds(t) : null);
}

/* ---- values ---- */

function liveTensor(stage, id) {
	return view.run && view.run.stage === stage && view.run.tensors.get(id) || null;
}

function previewOf(tensor, length) {
	const texts = [];
	for (let i = 0; i < tensor.data.length && i < length; i++)
		texts.push(shortNumber(tensor.data[i]));
	return texts.join(", ") + (tensor.data.length > length ? ", …" : "");
}

function liveParts(stage, value) {
	const t = liveTensor(stage, value.id);
	if (!t)
		return [];
	const { bins, least, most, integral } = binsOf(t.data);
	return [el("div", { class: "mono" }, `now: ${previewOf(t, 24)}`), t.data.length > 8 && most > least ? histogram(bins, least, most, integral) : null];
}

function constantParts(value) {
	const [least, most, integral, bins] = value.statistics;
	if (least === undefined)
		return [];
	const spread = least === most ? `all ${shortNumber(least)}` : `${shortNumber(least)} … ${shortNumber(most)}`;
	const zero = bins && integral && most - least < 32 && least <= 0 && most >= 0
		? ` · ${(100 * bins[-least] / bins.reduce((a, b) => a + b, 0)).toFixed(0)} % zeros` : "";
	return [el("div", { class: "muted" }, spread + zero), bins ? histogram(bins, least, most, integral) : null];
}

function valueCard(stage, id, role) {
	const value = stage.value(id);
	if (!value)
		return el("div", { class: "value muted" }, `${role}: left out`);
	const constant = stage.isConstant(value), range = constant ? null : rangeOf(stage, value);
	const others = role.startsWith("output") ? value.readers : value.producer ? [value.producer] : [];
	return el("div", { class: "value" },
		el("div", {}, el("span", { class: "muted" }, role + " "), el("b", {}, value.name), constant ? " (constant)" : ""),
		el("div", {}, el("span", { class: "chip" }, typeOf(value)), el("span", { class: "chip" }, shapeOf(value)),
			value.datatype !== "FLOAT32" && value.storage === "float" ? el("span", { class: "muted" }, "stored as float32") : null),
		range ? el("div", { class: "muted" }, `range ${grouped(range[0])} … ${grouped(range[1])}`) : null,
		...(constant ? constantParts(value) : []),
		...liveParts(stage, value),
		...others.slice(0, 8).map(n => el("div", {}, el("span", { class: "muted" }, role.startsWith("output") ? "to " : "from "),
			el("button", { class: "link", onclick: () => choose(n.key) }, `${n.op} ${n.label}`))));
}

/* ---- what can be chosen ---- */

function sourceLinks(node) {
	const first = stageAt(0);
	return node.sources.slice(0, 60).map(place => {
		const [name, op] = data.sources[place];
		const there = first.nodes.find(n => n.sources.includes(place));
		return el("div", {}, there ? el("button", { class: "link", onclick: () => { setStage(0); choose(there.key); } }, `${op} ${name}`)
			: `${op} ${name}`);
	});
}

function hardwareFacts(layer) {
	return facts([["PE", layer.PE], ["SIMD", layer.SIMD], ["cycles", grouped(layer.cycles)], ["LUT", grouped(layer.LUT)],
		["BRAM 18K", grouped(layer.BRAM_18K)], ["URAM", grouped(layer.URAM)], ["DSP", grouped(layer.DSP)]]);
}

function finalLayers(node) {
	const names = node.sources.map(place => data.sources[place][0]);
	return [...new Set(names.map(name => layerBySource.get(name)).filter(l => l && l.cycles !== undefined))];
}

function nodeDetails(stage, node) {
	const layer = layerOf(stage, node), others = layer ? [] : finalLayers(node);
	const groups = stage.groupsOf(node).map(g => el("button", { class: "chip", onclick: () => toggleGroup(g.index) },
		g.kind === REPEAT ? `${g.times} × repeat` : g.kind === BLOCK ? `block ${g.times}` : "layer"));
	const changes = { new: "new in this stage", changed: "changed in this stage", typed: "types changed in this stage" };
	return [
		...heading(node.op, node.label, node.change ? el("div", { class: node.change }, changes[node.change]) : null,
			groups.length ? el("div", {}, el("span", { class: "muted" }, "fold: "), ...groups) : null),
		...section("Node", facts([["domain", node.domain || "ai.onnx"], ["role", ROLES[node.role]], ["MACs", grouped(node.macs || NaN)],
			["parameters", layer ? grouped(layer.params || NaN) : ""], ["weight bits", layer ? grouped(layer.weight_bits || NaN) : ""]])),
		...(layer && layer.cycles !== undefined ? section("Hardware", hardwareFacts(layer)) : []),
		...section("Attributes", facts(Object.entries(node.attributes).map(([key, value]) => [key, attributeText(value)]))),
		...thresholdSection(stage, node),
		...section("Inputs", ...node.inputs.map((id, i) => valueCard(stage, id, `input ${i}`))),
		...section("Outputs", ...node.outputs.map((id, i) => valueCard(stage, id, `output ${i}`))),
		...section(`Comes from ${node.sources.length > 1 ? node.sources.length + " nodes" : "node"} of the file`, ...sourceLinks(node)),
		...section("Becomes", ...others.map(l => el("div", {}, el("button", { class: "link", onclick: () => chooseLayer(l.name) },
			`${l.op} ${l.name}`)))),
	];
}

function groupDetails(stage, group) {
	const ops = new Map();
	for (const n of group.nodes)
		ops.set(n.op, (ops.get(n.op) || 0) + 1);
	const title = group.kind === REPEAT ? `${group.times} × repeated block` : group.kind === BLOCK ? `Block ${group.times}` : "Layer";
	return [
		...heading(title, group.label, el("div", {}, el("button", { onclick: () => toggleGroup(group.index) },
			view.open().has(group.index) ? "Fold" : "Unfold"))),
		...section("Content", facts([["nodes", grouped(group.nodes.length)], ["MACs", grouped(group.nodes.reduce((s, n) => s + n.macs, 0))],
			["cycles", grouped(layerNumber(stage, group.nodes, "cycles") ?? NaN)], ["LUT", grouped(layerNumber(stage, group.nodes, "LUT") ?? NaN)]])),
		...section("Operators", facts([...ops].sort((a, b) => b[1] - a[1]).map(([op, n]) => [op, grouped(n)]))),
		...section("Nodes", ...group.nodes.slice(0, 100).map(n => el("div", {}, el("button", { class: "link", onclick: () => choose(n.key) },
			`${n.op} ${n.label}`))), group.nodes.length > 100 ? el("div", { class: "muted" }, "…") : null),
	];
}

function networkDetails(stage) {
	const t = report.totals, f = t.folding || {};
	const text = key => f[key] === undefined ? "" : grouped(typeof f[key] === "number" ? Math.round(f[key]) : NaN) || String(f[key]);
	return [
		...heading("Network", report.model),
		...section("As compiled", facts([["nodes", grouped(t.nodes)], ["layers", grouped(t.layers)], ["parameters", grouped(t.params)],
			["MACs", grouped(t.macs)], ["weight bits", grouped(t.weight_bits)], ["LUT", grouped(t.LUT ?? NaN)],
			["BRAM 18K", grouped(t.BRAM_18K ?? NaN)], ["DSP", grouped(t.DSP ?? NaN)], ["cycles", text("cycles")], ["frames a second", text("fps")],
			["bottleneck", text("bottleneck")]])),
		...section("This stage", facts([["pass", stage.name], ["nodes", grouped(stage.nodes.length)], ["groups", grouped(stage.groups.length)]])),
		...section("Passes asked for", el("div", { class: "mono" }, report.pipeline || "none")),
		...section("Inputs", ...stage.inputs.map(id => valueCard(stage, id, "input"))),
		...section("Outputs", ...stage.outputs.map(([id, name]) => valueCard(stage, id, `output ${name}`))),
	];
}

function detailsOf(picture, key) {
	const stage = picture.stage;
	if (key && key[0] === "n" && stage.byId.has(Number(key.slice(1))))
		return nodeDetails(stage, stage.byId.get(Number(key.slice(1))));
	if (key && key[0] === "g" && stage.groups[Number(key.slice(1))])
		return groupDetails(stage, stage.groups[Number(key.slice(1))]);
	const item = key && picture.itemAt(key);
	return item && isRound(item) ? [...heading(item.op, item.kind + " of the network"), valueCard(stage, item.value, item.kind)]
		: networkDetails(stage);
}
