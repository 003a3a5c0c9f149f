/* Execution of the network in the page: node by node, so that the page stays alive and shows values as they come. */

/* What an operator sees of its node. */
class Call {
	constructor(stage, node, inputs) {
		this.stage = stage;
		this.node = node;
		this.op = node.op;
		this.in = inputs;
		this.outputs = node.outputs.length;
	}

	attribute(name, fallback) {
		const given = this.node.attributes[name];
		return given === undefined ? fallback : given;
	}

	storage(i) {
		const value = this.stage.value(this.node.outputs[i]);
		return value ? value.storage : "float";
	}

	out(dims, i) {
		const count = countOf(dims);
		return { dims, data: this.storage(i) === "float" ? new Float32Array(count) : new Float64Array(count) };
	}
}

function unknownOperators(stage) {
	return [...new Set(stage.nodes.filter(n => !operatorOf(n)).map(n => n.op))];
}

class Run {
	/* inputs: tensors in the order of the stage's inputs */
	constructor(stage, inputs) {
		this.stage = stage;
		this.tensors = new Map();
		this.at = 0;
		this.seconds = 0;
		stage.inputs.forEach((id, i) => this.tensors.set(id, inputs[i]));
	}

	tensor(id) {
		const value = this.stage.value(id);
		if (!value)
			return null;
		if (!this.tensors.has(id) && this.stage.isConstant(value))
			this.tensors.set(id, constantOf(this.stage, value));
		return this.tensors.get(id) || null;
	}

	get done() {
		return this.at >= this.stage.nodes.length;
	}

	/* Executes the next node, and returns it. */
	step() {
		const node = this.stage.nodes[this.at++], started = performance.now();
		const results = operatorOf(node)(new Call(this.stage, node, node.inputs.map(id => this.tensor(id))));
		(Array.isArray(results) ? results : [results]).forEach((t, i) => {
			if (node.outputs[i] >= 0)
				this.tensors.set(node.outputs[i], t);
		});
		this.seconds += (performance.now() - started) / 1000;
		return node;
	}

	outputs() {
		return this.stage.outputs.map(([id]) => this.tensor(id));
	}
}

function pause(wait) {
	return new Promise(resume => setTimeout(resume, wait));
}

/* Runs to the end and gives the page a turn every few milliseconds; with a wait, after each node. */
async function finishRun(run, wait, tell) {
	let last = performance.now();
	while (!run.done) {
		const node = run.step();
		if (tell(node) === false)
			return;
		if (wait || performance.now() - last > 30) {
			await pause(wait);
			last = performance.now();
		}
	}
}

/* ---- rows ---- */

function sampleInputs(stage, sample) {
	return stage.inputs.map((id, i) => {
		const value = stage.value(id), dims = value.dims.map(d => d < 0 ? 1 : d);
		return readTensor(sample.inputs[i], dims, value.storage);
	});
}

/* Numbers with anything between them. */
function parseRow(text) {
	return (text.match(/[-+]?(\d+\.?\d*([eE][-+]?\d+)?|\.\d+([eE][-+]?\d+)?|inf(inity)?|nan)/gi) || []).map(word => {
		if (/nan/i.test(word))
			return NaN;
		return /inf/i.test(word) ? (word.startsWith("-") ? -Infinity : Infinity) : Number(word);
	});
}

/* A file of NumPy: {dims, data}. The types that inputs have. */
function parseNpy(buffer) {
	const view = new DataView(buffer);
	if (buffer.byteLength < 10 || view.getUint32(0) !== 0x934e554d)
		throw new Error("no .npy file");
	const wide = view.getUint8(6) > 1, length = wide ? view.getUint32(8, true) : view.getUint16(8, true), start = wide ? 12 : 10;
	const head = new TextDecoder("latin1").decode(new Uint8Array(buffer, start, length));
	const type = /'descr':\s*'[<|=]?(\w+)'/.exec(head), dims = /'shape':\s*\(([^)]*)\)/.exec(head);
	const kinds = { f4: Float32Array, f8: Float64Array, i1: Int8Array, u1: Uint8Array, b1: Uint8Array, i2: Int16Array, u2: Uint16Array,
		i4: Int32Array, u4: Uint32Array, i8: BigInt64Array, u8: BigUint64Array };
	if (!type || !kinds[type[1]] || !dims || /'fortran_order':\s*True/.test(head))
		throw new Error("a .npy file of a type that the page does not read");
	const bytes = buffer.slice(start + length), elements = new kinds[type[1]](bytes, 0, Math.floor(bytes.byteLength / kinds[type[1]].BYTES_PER_ELEMENT));
	return { dims: dims[1].split(",").map(s => s.trim()).filter(s => s).map(Number), data: Float64Array.from(elements, Number) };
}

/* How far two results are from each other: elements that differ, and the largest difference. */
function compareTensors(a, b) {
	let differ = 0, most = 0;
	for (let i = 0; i < b.data.length; i++)
		if (!(a.data[i] === b.data[i] || (a.data[i] !== a.data[i] && b.data[i] !== b.data[i]))) {
			differ++;
			most = Math.max(most, Math.abs(a.data[i] - b.data[i]));
		}
	return { differ, most, count: b.data.length };
}
