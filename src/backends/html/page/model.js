"use strict";
/* The network as qcc wrote it into the page, one JSON object:
 *
 *   report       docs/report.md
 *   part         name and resources of the FPGA; null: none is known
 *   sources      [name, operator] of the nodes of the file that was read
 *   texts, nodes, values, stages      src/report/history.h; runs of places are [first, count, first, count, ...]
 *   live         the stage that the page executes: tensors and ranges by value id, samples with qcc's outputs; null: none
 *   constants    tensors of the last stage, by value id
 *   tensors      [bits, least element, base64]
 */
const data = JSON.parse(document.getElementById("data").textContent);
const report = data.report;

const ROLES = ["floating point", "quantiser", "integer", "floating point left over"];
const LAYER = 0, BLOCK = 1, REPEAT = 2;

function expandRuns(runs, take) {
	for (let i = 0; i < runs.length; i += 2)
		for (let k = 0; k < runs[i + 1]; k++)
			take(runs[i] + k);
}

function decodeNode(place) {
	const [id, op, domain, label, attributes, inputs, outputs, sources, role, macs] = data.nodes[place];
	return {
		kind: "node", key: "n" + id, id, place, op: data.texts[op], domain: data.texts[domain], label,
		attributes: data.texts[attributes], inputs, outputs, sources, role, macs: macs || 0, group: -1, change: "",
	};
}

function decodeValue(place) {
	const [id, name, datatype, storage, dims, range, statistics] = data.values[place];
	return {
		id, place, name, datatype: data.texts[datatype], storage: data.texts[storage], dims, range: range || null,
		statistics: statistics || null, producer: null, readers: [],
	};
}

/* Bits of one element, by the datatype. */
function bitsOf(datatype) {
	if (datatype === "BIPOLAR" || datatype === "BINARY")
		return 1;
	if (datatype === "TERNARY")
		return 2;
	const found = /(\d+)/.exec(datatype);
	return found ? Number(found[1]) : 32;
}

function isInteger(datatype) {
	return /^(U?INT\d+|BIPOLAR|BINARY|TERNARY)$/.test(datatype);
}

/* What one element can be: [least, largest]; null for reals. */
function boundsOf(datatype) {
	if (datatype === "BIPOLAR" || datatype === "TERNARY")
		return [-1, 1];
	if (datatype === "BINARY")
		return [0, 1];
	const found = /^(U?)INT(\d+)$/.exec(datatype);
	if (!found)
		return null;
	const bits = Number(found[2]);
	return found[1] ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
}

/* The datatype where it says something, else how elements are stored ("INT64"). */
function typeOf(value) {
	return value.datatype === "FLOAT32" && value.storage !== "float" && value.storage ? value.storage.toUpperCase()
		: value.datatype;
}

function shapeOf(value) {
	return !value.dims ? "?" : value.dims.length ? value.dims.map(d => d < 0 ? "?" : d).join("×") : "scalar";
}

function countOf(dims) {
	return dims.reduce((a, b) => a * b, 1);
}

/* A stage is decoded when it is looked at for the first time. */
class Stage {
	constructor(index) {
		const from = data.stages[index];
		this.index = index;
		this.name = from.name;
		this.nodes = [];
		this.values = new Map();
		expandRuns(from.values, place => this.addValue(decodeValue(place)));
		expandRuns(from.nodes, place => this.nodes.push(decodeNode(place)));
		this.byId = new Map(this.nodes.map(n => [n.id, n]));
		this.inputs = from.inputs;
		this.outputs = from.outputs;
		this.connect();
		this.groups = from.groups.map(([kind, parent, times, label], i) => (
			{ kind, parent, times, label: data.texts[label], index: i, key: "g" + i, nodes: [] }));
		this.placeInGroups(from.of);
	}

	addValue(value) {
		this.values.set(value.id, value);
	}

	connect() {
		for (const n of this.nodes) {
			for (const id of n.outputs)
				if (this.values.has(id))
					this.values.get(id).producer = n;
			for (const id of n.inputs)
				if (this.values.has(id))
					this.values.get(id).readers.push(n);
		}
	}

	placeInGroups(of) {
		let at = 0;
		for (let i = 0; i < of.length; i += 2)
			for (let k = 0; k < of[i + 1]; k++, at++) {
				this.nodes[at].group = of[i];
				for (let g = of[i]; g >= 0; g = this.groups[g].parent)
					this.groups[g].nodes.push(this.nodes[at]);
			}
	}

	value(id) {
		return id < 0 ? null : this.values.get(id) || null;
	}

	isConstant(value) {
		return value !== null && !value.producer && value.statistics !== null;
	}

	/* Groups around a node, outermost first. */
	groupsOf(node) {
		const list = [];
		for (let g = node.group; g >= 0; g = this.groups[g].parent)
			list.unshift(this.groups[g]);
		return list;
	}
}

const decoded = new Array(data.stages.length);
function stageAt(index) {
	if (!decoded[index]) {
		decoded[index] = new Stage(index);
		if (index > 0)
			markChanges(stageAt(index - 1), decoded[index]);
	}
	return decoded[index];
}

function sameList(a, b) {
	return a.length === b.length && a.every((x, i) => x === b[i]);
}

function typesDiffer(before, after, ids) {
	return ids.some(id => {
		const a = before.value(id), b = after.value(id);
		return a && b && a.place !== b.place &&
			(a.datatype !== b.datatype || !a.dims !== !b.dims || (a.dims && !sameList(a.dims, b.dims)));
	});
}

/* A pass keeps the id of a node that it does not replace. */
function changeOf(before, after, node) {
	const old = before.byId.get(node.id);
	if (!old)
		return "new";
	if (old.op !== node.op || old.attributes !== node.attributes || !sameList(old.inputs, node.inputs) ||
	    !sameList(old.outputs, node.outputs))
		return "changed";
	const constants = node.inputs.filter(id => after.isConstant(after.value(id)));
	return typesDiffer(before, after, node.outputs) || typesDiffer(before, after, constants) ? "typed" : "";
}

function markChanges(before, after) {
	after.counts = { new: 0, changed: 0, typed: 0, removed: 0 };
	for (const n of after.nodes) {
		n.change = changeOf(before, after, n);
		if (n.change)
			after.counts[n.change]++;
	}
	after.counts.removed = before.nodes.filter(n => !after.byId.has(n.id)).length;
}

/* ---- tensors ---- */

function bytesOf(base64) {
	const text = atob(base64), bytes = new Uint8Array(text.length);
	for (let i = 0; i < text.length; i++)
		bytes[i] = text.charCodeAt(i);
	return bytes;
}

/* Integers lie one behind the other, least significant bit first. */
function unpack(bytes, bits, least, elements) {
	let at = 0, word = 0, filled = 0;
	const mask = 2 ** bits;
	for (let i = 0; i < elements.length; i++) {
		while (filled < bits) {
			word += bytes[at++] * 2 ** filled;
			filled += 8;
		}
		elements[i] = word % mask + least;
		word = Math.floor(word / mask);
		filled -= bits;
	}
}

/* A tensor of the page: {dims, data}. Floats are float32; all else is held by doubles, exactly up to 2^53. */
function readTensor(number, dims, storage) {
	const [bits, least, base64] = data.tensors[number], bytes = bytesOf(base64), count = countOf(dims);
	const elements = storage === "float" ? new Float32Array(count) : new Float64Array(count);
	if (bits)
		unpack(bytes, bits, least, elements);
	else
		elements.set(new Float32Array(bytes.buffer, 0, count));
	return { dims, data: elements };
}

/* The elements of a constant, where the page has them. */
const constants = new Map();
function constantOf(stage, value) {
	const numbers = data.live && stage.index === data.live.stage ? data.live.tensors
		: stage.index === data.stages.length - 1 ? data.constants : {};
	const number = numbers[value.id];
	if (number === undefined || !value.dims)
		return null;
	const key = number + " " + value.dims + " " + value.storage;
	if (!constants.has(key))
		constants.set(key, readTensor(number, value.dims, value.storage));
	return constants.get(key);
}

/* ---- the report ---- */

const layersByName = new Map(report.layers.map(l => [l.name, l]));
function layerOf(stage, node) {
	return stage.index === data.stages.length - 1 ? layersByName.get(node.label) || null : null;
}

/* Nodes of an earlier stage count with the layer that does their work in the end, where one does. */
const layerBySource = new Map();
for (const layer of report.layers)
	for (const name of layer.origin)
		if (!layerBySource.has(name) || layer.cycles !== undefined)
			layerBySource.set(name, layer);

/* ---- numbers as text ---- */

function grouped(x) {
	return typeof x === "number" && Number.isFinite(x) ? x.toLocaleString("en-US") : "";
}

/* float32 elements as short as they can be told apart. */
function shortNumber(x) {
	if (Number.isInteger(x))
		return String(x);
	for (let digits = 6; digits < 9; digits++)
		if (Math.fround(Number(x.toPrecision(digits))) === x)
			return String(Number(x.toPrecision(digits)));
	return String(Number(x.toPrecision(9)));
}

function milliseconds(seconds) {
	return (1000 * seconds).toFixed(seconds < 0.01 ? 2 : 0) + " ms";
}
