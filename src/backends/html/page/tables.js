/* The drawer below the graph: layers, passes, proof, inference. All but the last show the report as it is. */

/* columns: {title, left, number(row) or text(row), draw(row)}; a click on a title sorts. */
const MOST_ROWS = 1000; /* of a table that is drawn at once; sorting brings others to the top */

function table(columns, rows, options) {
	const body = el("tbody"), how = options || {};
	let by = null, down = true;
	const keyOf = (column, row) => column.number ? column.number(row) ?? -Infinity : column.text(row);
	const fillBody = () => {
		const list = by ? rows.slice().sort((a, b) => (keyOf(by, a) < keyOf(by, b) ? -1 : keyOf(by, a) > keyOf(by, b) ? 1 : 0) * (down ? -1 : 1))
			: rows;
		const rest = list.length - MOST_ROWS;
		body.replaceChildren(...list.slice(0, MOST_ROWS).map(row => el("tr", { "data-name": how.name ? how.name(row) : null,
			onclick: how.click ? () => how.click(row) : null, style: how.click ? "cursor: pointer" : null },
		...columns.map(c => el("td", { class: c.left ? "left" : null, title: c.left ? c.text(row) : null },
			c.draw ? c.draw(row) : c.number ? grouped(c.number(row)) : c.text(row))))),
		...(rest > 0 ? [el("tr", {}, el("td", { class: "left muted", colspan: columns.length }, `and ${grouped(rest)} more; sort by another column to see others`))] : []),
		...(how.total ? [how.total()] : []));
	};
	fillBody();
	const sort = column => {
		down = by === column ? !down : Boolean(column.number);
		by = column;
		fillBody();
	};
	return el("table", {}, el("thead", {}, el("tr", {}, ...columns.map(c => el("th", { class: "sortable" + (c.left ? " left" : ""),
		onclick: () => sort(c) }, c.title)))), body);
}

/* ---- layers ---- */

const PARTS = [["LUT", "LUT"], ["BRAM_18K", "BRAM 18K"], ["URAM", "URAM"], ["DSP", "DSP"]];

/* A number with a bar for its share. */
function shareBar(value, whole) {
	if (!value || !whole)
		return grouped(value ?? NaN);
	const share = Math.min(100, 100 * value / whole);
	return el("span", { title: `${share.toFixed(1)} %` }, grouped(value), el("span", { class: "share" }, el("i", { style: `width: ${share}%` })));
}

function layerColumns() {
	const columns = [
		{ title: "layer", left: true, text: l => l.name }, { title: "operator", left: true, text: l => l.op },
		{ title: "input", left: true, text: l => l.input || "" }, { title: "weights", left: true, text: l => l.weights || "" },
		{ title: "shape", left: true, text: l => l.weight_shape.join("×") }, { title: "output", left: true, text: l => l.output || "" },
		{ title: "params", number: l => l.params }, { title: "MACs", number: l => l.macs, draw: l => shareBar(l.macs, report.totals.macs) },
		{ title: "weight bits", number: l => l.weight_bits },
		{ title: "range", text: l => l.range ? `${grouped(l.range[0])} … ${grouped(l.range[1])}` : "" },
	];
	if (!report.layers.some(l => l.PE !== undefined || l.cycles !== undefined))
		return columns;
	const slowest = Math.max(...report.layers.map(l => l.cycles || 0));
	columns.push({ title: "PE", number: l => l.PE }, { title: "SIMD", number: l => l.SIMD },
		{ title: "cycles", number: l => l.cycles, draw: l => shareBar(l.cycles, slowest) });
	for (const [key, title] of PARTS)
		if (report.layers.some(l => l[key]))
			columns.push({ title, number: l => l[key], draw: l => shareBar(l[key], report.totals[key]) });
	return columns;
}

function totalRow(columns) {
	const t = report.totals, cells = { params: t.params, MACs: t.macs, "weight bits": t.weight_bits, cycles: (t.folding || {}).cycles };
	for (const [key, title] of PARTS)
		cells[title] = t[key];
	return el("tr", { class: "total" }, ...columns.map((c, i) => el("td", { class: c.left ? "left" : null }, i ? grouped(cells[c.title] ?? NaN) : "total")));
}

/* How much of the part the whole design takes. */
function partShares() {
	const t = report.totals, shares = data.part ? PARTS.filter(([key]) => t[key] !== undefined && data.part[key]) : [];
	return shares.length ? el("p", {}, el("b", {}, data.part.name), " ", ...shares.flatMap(([key, title]) => [` ${title} `,
		shareBar(t[key], data.part[key]), ` of ${grouped(data.part[key])} (${(100 * t[key] / data.part[key]).toFixed(1)} %) `])) : null;
}

function layersTab() {
	const columns = layerColumns();
	return [partShares(), table(columns, report.layers, { name: l => l.name, click: l => chooseLayer(l.name), total: () => totalRow(columns) })];
}

/* ---- passes ---- */

/* Passes within a pass stand below it. */
function flatPasses(list, depth) {
	return list.flatMap(p => [{ ...p, depth }, ...flatPasses(p.passes || [], depth + 1)]);
}

function passesTab() {
	const rows = flatPasses(report.passes, 0), total = report.passes.reduce((sum, p) => sum + p.seconds, 0);
	const options = p => Object.entries(p.options || {}).map(([key, value]) => value === "" ? key : `${key}=${value}`).join(", ");
	const columns = [
		{ title: "pass", left: true, text: p => p.pass, draw: p => el("span", { style: `padding-left: ${16 * p.depth}px`,
			class: p.depth ? "muted" : null }, p.pass) },
		{ title: "options", left: true, text: options }, { title: "changes", number: p => p.changes }, { title: "nodes after", number: p => p.nodes },
		{ title: "time", number: p => p.seconds, draw: p => el("span", {}, milliseconds(p.seconds), el("span", { class: "share" },
			el("i", { style: `width: ${total ? 100 * p.seconds / total : 0}%` }))) },
		{ title: "notes", left: true, text: p => (p.notes || []).map(String).join("; ") },
	];
	const stageOf = p => data.stages.findIndex(s => s.name === p.pass);
	return [table(columns, rows, { click: p => { if (stageOf(p) >= 0) setStage(stageOf(p)); } }),
		el("p", { class: "muted" }, `together ${milliseconds(total)}`)];
}

/* ---- proof ---- */

function proofTab() {
	const v = report.verification, certificates = report.certificates || [];
	const verified = v ? el("p", { class: "good" }, `Verified: the outputs were executed after ${v.passes} passes and found equal on ${grouped(v.samples)} ` +
		`${v.inputs === "generated" ? "generated samples" : "samples of " + v.inputs}` + (v.not_compared ? `; ${v.not_compared} passes change them on purpose` : ""))
		: el("p", { class: "muted" }, "Outputs were not compared between passes: --verify does.");
	if (!certificates.length)
		return [verified, el("p", { class: "muted" }, "Thresholds were not compared with the operators that they replace: --certify does.")];
	const points = certificates.reduce((sum, c) => sum + c.points, 0), close = certificates.reduce((sum, c) => sum + c.undecided_by_float32, 0);
	const columns = [
		{ title: "layer", left: true, text: c => c.layer }, { title: "replaces", left: true, text: c => String(c.replaces) },
		{ title: "pass", left: true, text: c => c.pass }, { title: "channels", number: c => c.channels }, { title: "points", number: c => c.points },
		{ title: "range", text: c => Array.isArray(c.range) ? c.range.map(grouped).join(" … ") : String(c.range ?? "") },
		{ title: "undecided by float32", number: c => c.undecided_by_float32 },
		{ title: "of these (channel: at)", left: true, text: c => c.undecided.map(p => `${p.channel}: ${grouped(p.at)}`).join(", ") },
	];
	return [verified, el("p", { class: "good" }, `Certified: ${grouped(certificates.length)} layers, ${grouped(points)} points` +
		(close ? `; at ${grouped(close)} of them float32 and double arithmetic of the original decide differently` : "")), table(columns, certificates, { click: c => chooseSource(c.replaces) })];
}

/* ---- inference ---- */

const inference = { inputs: null, sample: 0, slow: false, token: 0 };

function liveStage() {
	return data.live ? stageAt(data.live.stage) : null;
}

function whyNotLive() {
	const stage = liveStage();
	if (!stage)
		return "This run has no stage that the page can execute: name the pass streamline, or run from the program.";
	const unknown = unknownOperators(stage);
	if (unknown.length)
		return `The page does not execute ${unknown.join(", ")}; qcc run does.`;
	return stage.inputs.some(id => !stage.value(id).dims) ? "The shape of an input is not known." : "";
}

function rowText(tensors) {
	return tensors.map(t => Array.from(t.data, shortNumber).join(" ")).join("\n");
}

/* The text's numbers, cut into the inputs; a string says what is wrong. */
function inputsFromText(stage, text) {
	const numbers = parseRow(text), shapes = stage.inputs.map(id => stage.value(id).dims.map(d => d < 0 ? 1 : d));
	const needed = shapes.reduce((sum, dims) => sum + countOf(dims), 0);
	if (numbers.length !== needed)
		return `${grouped(needed)} numbers are needed, there are ${grouped(numbers.length)}`;
	let at = 0;
	return shapes.map((dims, i) => {
		const count = countOf(dims), part = numbers.slice(at, at + count), float = stage.value(stage.inputs[i]).storage === "float";
		at += count;
		return { dims, data: float ? Float32Array.from(part) : Float64Array.from(part) };
	});
}

/* A .npy file may hold several rows: the first that fill the input count. */
async function readFile(file, area, say) {
	try {
		const t = parseNpy(await file.arrayBuffer()), stage = liveStage();
		const count = stage.inputs.reduce((sum, id) => sum + countOf(stage.value(id).dims.map(d => d < 0 ? 1 : d)), 0);
		area.value = Array.from(t.data.subarray(0, count), shortNumber).join(" ");
		say("");
	} catch (error) {
		say(String(error.message || error));
	}
}

/* Float32 sums of reals depend on their order: that much is no difference between networks. */
const ROUNDING = 1e-5;

function comparison(c, largest) {
	const rounded = c.differ && c.most <= ROUNDING * largest;
	const text = !c.differ ? `equal to what qcc computes: all ${grouped(c.count)} elements`
		: `${grouped(c.differ)} of ${grouped(c.count)} elements differ from what qcc computes, by up to ${shortNumber(c.most)}` +
		(rounded ? ": the last digits of sums of reals" : "");
	return el("div", { class: !c.differ ? "good" : rounded ? "muted" : "bad", "data-equal": String(!c.differ) }, text);
}

function outputLines(run, expected) {
	return run.outputs().map((t, i) => {
		const [, name] = run.stage.outputs[i], most = t.data.reduce((best, v, k) => v > t.data[best] ? k : best, 0);
		const parts = [el("div", {}, el("b", {}, name), el("span", { class: "muted" }, ` ${t.dims.join("×")}`),
			t.data.length > 1 ? ` · largest: element ${most} (${shortNumber(t.data[most])})` : "")];
		if (expected) {
			const value = run.stage.value(run.stage.outputs[i][0]), want = readTensor(expected[i], t.dims, value.storage), c = compareTensors(t, want);
			parts.push(comparison(c, want.data.reduce((most, v) => Math.max(most, Math.abs(v)), 0)));
		}
		parts.push(el("textarea", { readonly: true, class: "mono output", "aria-label": `Output ${name}` }, Array.from(t.data, shortNumber).join(" ")));
		return el("div", {}, ...parts);
	});
}

async function runInference(area, result, say, bar) {
	const stage = liveStage(), token = ++inference.token, inputs = inputsFromText(stage, area.value);
	if (typeof inputs === "string") {
		say(inputs);
		return;
	}
	say("");
	const sample = data.live.samples[inference.sample], same = sample && area.value === rowText(sampleInputs(stage, sample));
	setStage(stage.index);
	const run = new Run(stage, inputs);
	view.run = run;
	result.replaceChildren(bar);
	result.dataset.state = "running";
	try {
		await finishRun(run, inference.slow ? 150 : 0, node => {
			if (token !== inference.token)
				return false;
			bar.value = run.at / stage.nodes.length;
			showProgress(node);
			return true;
		});
	} catch (error) {
		say(String(error.message || error));
		return;
	}
	if (token !== inference.token)
		return;
	showProgress(null);
	result.replaceChildren(el("div", { class: "muted" }, `${grouped(stage.nodes.length)} nodes in ${milliseconds(run.seconds)}; each node shows its values now`),
		...outputLines(run, same ? sample.outputs : null));
	result.dataset.state = "done";
}

function inferenceTab() {
	const why = whyNotLive(), stage = liveStage();
	if (why)
		return [el("p", { class: "muted" }, why)];
	const area = el("textarea", { id: "row", class: "mono", "aria-label": "Input row", spellcheck: "false" });
	const message = el("span", { class: "bad", role: "status" }), result = el("div", { id: "result" }), bar = el("progress", { max: 1, value: 0 });
	const say = text => { message.textContent = text; };
	const takeSample = i => {
		inference.sample = i;
		area.value = rowText(sampleInputs(stage, data.live.samples[i]));
	};
	const samples = data.live.samples.map((_, i) => el("option", { value: i }, `row ${i + 1}`));
	const file = el("input", { type: "file", accept: ".npy", hidden: true, onchange: event => event.target.files.length && readFile(event.target.files[0], area, say) });
	if (samples.length)
		takeSample(Math.min(inference.sample, samples.length - 1));
	const start = () => runInference(area, result, say, bar);
	area.addEventListener("keydown", event => {
		if (event.key === "Enter" && (event.ctrlKey || event.metaKey))
			start();
	});
	const shapes = stage.inputs.map(id => `${stage.value(id).name}: ${labelOf(stage.value(id))}`).join("; ");
	return [el("div", { class: "run" }, el("div", {},
		el("div", { class: "line" }, el("button", { id: "run", class: "primary", onclick: start, title: "Ctrl+Enter" }, "Run"),
			samples.length ? el("select", { id: "sample", "aria-label": "Row", onchange: event => takeSample(Number(event.target.value)) }, ...samples) : null,
			el("button", { onclick: () => file.click() }, "Open .npy"), file,
			el("label", {}, el("input", { type: "checkbox", onchange: event => { inference.slow = event.target.checked; } }), " slowly"), message),
		area, el("div", { class: "muted" }, `${shapes}. Stage “${stage.name}”; sums of integers are exact.`,
			data.live.reason ? ` No rows: ${data.live.reason}.` : "")), result)];
}

const TABS = [["layers", "Layers", layersTab], ["passes", "Passes", passesTab], ["proof", "Proof", proofTab], ["inference", "Inference", inferenceTab]];
