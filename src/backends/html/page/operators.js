/* Operators as qcc's executor computes them (src/ops/): in float32 where tensors are float32 (a typed array rounds what is
 * stored into it), in doubles elsewhere. Sums are made in doubles, so that sums of integers are exact.
 *
 * An operator is a function of x: x.in, tensors {dims, data} or null; x.attribute(name, fallback); x.out(dims, i), a fresh
 * tensor of output i's type. It returns its output, or a list of them. */
const f32 = Math.fround;

function strides(dims) {
	const s = new Array(dims.length);
	let step = 1;
	for (let i = dims.length - 1; i >= 0; i--) {
		s[i] = step;
		step *= dims[i];
	}
	return s;
}

function axisOf(axis, rank) {
	return axis < 0 ? axis + rank : axis;
}

function integersOf(tensor) {
	return tensor ? Array.from(tensor.data, Number) : null;
}

/* ---- element by element ---- */

function broadcastDims(list) {
	const rank = Math.max(...list.map(t => t.dims.length));
	return Array.from({ length: rank }, (_, i) => {
		const own = list.map(t => t.dims[i - rank + t.dims.length]).filter(d => d !== undefined);
		return own.includes(0) ? 0 : Math.max(1, ...own);
	});
}

/* For each element of the result the place of the operand's. */
function placesOf(tensor, dims) {
	const count = countOf(dims), places = new Int32Array(count);
	if (tensor.data.length === 1)
		return places;
	const own = strides(tensor.dims), shift = dims.length - tensor.dims.length;
	let length = 1;
	for (let axis = dims.length - 1; axis >= 0; axis--) {
		const size = dims[axis], k = axis - shift, step = k >= 0 && tensor.dims[k] > 1 ? own[k] : 0;
		for (let i = 1; i < size; i++)
			for (let j = 0; j < length; j++)
				places[i * length + j] = places[j] + i * step;
		length *= size;
	}
	return places;
}

function sameDims(a, b) {
	return a.length === b.length && a.every((d, i) => d === b[i]);
}

function elementwise(x, list, compute) {
	const dims = broadcastDims(list), y = x.out(dims, 0), count = y.data.length;
	const at = list.map(t => sameDims(t.dims, dims) ? null : placesOf(t, dims));
	const args = new Array(list.length);
	for (let i = 0; i < count; i++) {
		for (let k = 0; k < list.length; k++)
			args[k] = list[k].data[at[k] ? at[k][i] : i];
		y.data[i] = compute(...args);
	}
	return y;
}

function unary(compute) {
	return x => {
		const a = x.in[0], y = x.out(a.dims, 0);
		for (let i = 0; i < a.data.length; i++)
			y.data[i] = compute(a.data[i], x);
		return y;
	};
}

function binary(compute) {
	return x => {
		const [a, b] = x.in, dims = broadcastDims([a, b]), y = x.out(dims, 0);
		const ia = sameDims(a.dims, dims) ? null : placesOf(a, dims), ib = sameDims(b.dims, dims) ? null : placesOf(b, dims);
		for (let i = 0; i < y.data.length; i++)
			y.data[i] = compute(a.data[ia ? ia[i] : i], b.data[ib ? ib[i] : i], x);
		return y;
	};
}

function variadic(compute, finish) {
	return x => {
		const list = x.in.filter(t => t);
		return elementwise(x, list, (...args) => {
			const sum = args.reduce((a, b) => f32(compute(a, b)));
			return finish ? finish(sum, args.length) : sum;
		});
	};
}

function roundEven(v) {
	const r = Math.round(v);
	return Math.abs(v % 1) === 0.5 && r % 2 !== 0 ? r - 1 : r;
}

const roundings = {
	ROUND: roundEven, HALF_EVEN: roundEven, CEIL: Math.ceil, FLOOR: Math.floor, DOWN: Math.trunc, ROUND_TO_ZERO: Math.trunc,
	UP: v => Math.sign(v) * Math.ceil(Math.abs(v)),
	HALF_UP: v => Math.sign(v) * Math.floor(f32(Math.abs(v) + 0.5)),
	HALF_DOWN: v => Math.sign(v) * Math.ceil(f32(Math.abs(v) - 0.5)),
};

function roundingOf(x, fallback) {
	return roundings[String(x.attribute("rounding_mode", fallback)).toUpperCase()] || roundEven;
}

/* Abramowitz and Stegun's series is too coarse here: the power series, and a continued fraction for large arguments. */
function erf(v) {
	const a = Math.abs(v);
	if (a > 6)
		return Math.sign(v);
	if (a < 3) {
		let term = a, sum = a;
		for (let n = 1; n < 200 && Math.abs(term) > 1e-18 * sum; n++) {
			term *= -a * a / n;
			sum += term / (2 * n + 1);
		}
		return Math.sign(v) * sum * 2 / Math.sqrt(Math.PI);
	}
	let fraction = 0;
	for (let n = 60; n > 0; n--)
		fraction = n / 2 / (a + fraction);
	return Math.sign(v) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + fraction));
}

function clip(x) {
	const bound = (i, name, fallback) => x.in[i] ? x.in[i].data[0] : x.attribute(name, fallback);
	const lo = bound(1, "min", -Infinity), hi = bound(2, "max", Infinity), a = x.in[0], y = x.out(a.dims, 0);
	for (let i = 0; i < a.data.length; i++)
		y.data[i] = Math.min(Math.max(a.data[i], lo), hi);
	return y;
}

/* ---- quantisers ---- */

function quant(x) {
	const signed = x.attribute("signed", 1) !== 0, narrow = x.attribute("narrow", 0) !== 0;
	const round = roundingOf(x, "ROUND"), bipolar = signed && x.in[3].data.every(b => b === 1);
	return elementwise(x, x.in.slice(0, 4), (v, scale, zero, bits) => {
		let q = f32(f32(v / scale) + zero);
		if (bipolar) {
			q = q >= 0 ? 1 : -1;
		} else {
			const hi = signed ? 2 ** (bits - 1) - 1 : 2 ** bits - (narrow ? 2 : 1), lo = signed ? -(2 ** (bits - 1)) + narrow : 0;
			q = round(q > hi ? hi : q < lo ? lo : q);
		}
		return f32(f32(q - zero) * scale);
	});
}

/* How many of the ascending thresholds v reaches. */
function countSorted(thresholds, v) {
	let low = 0, high = thresholds.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (v >= thresholds[middle])
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

function multiThreshold(x) {
	const [a, t] = x.in, y = x.out(a.dims, 0), rank = a.dims.length, steps = t.dims[1];
	const layout = x.attribute("data_layout", "") || ["", "", "NC", "NWC", "NCHW"][rank] || "", at = layout.indexOf("C");
	const axis = Math.min(at >= 0 ? at : 1, rank - 1);
	const channels = t.dims[0] === 1 ? 1 : a.dims[axis], inner = t.dims[0] === 1 ? a.data.length : countOf(a.dims.slice(axis + 1));
	const scale = f32(x.attribute("out_scale", 1)), bias = f32(x.attribute("out_bias", 0));
	for (let at = 0, c = 0; at < a.data.length; at += inner, c = (c + 1) % channels) {
		const row = t.data.subarray(c * steps, (c + 1) * steps), ascending = row.every((v, k) => !k || row[k - 1] <= v);
		for (let i = at; i < Math.min(at + inner, a.data.length); i++)
			y.data[i] = f32(scale * (ascending ? countSorted(row, a.data[i]) : row.reduce((n, v) => n + (a.data[i] >= v), 0))) + bias;
	}
	return y;
}

/* Scale and zero point of one element: one for all, or by channel of the axis. */
function linearIndex(x, a, scale) {
	const axis = axisOf(x.attribute("axis", 1), a.dims.length);
	if (scale.data.length === 1)
		return () => 0;
	const inner = countOf(a.dims.slice(axis + 1)), channels = a.dims[axis];
	return i => Math.floor(i / inner) % channels;
}

function quantizeLinear(x) {
	const [a, scale, zero] = x.in, y = x.out(a.dims, 0), at = linearIndex(x, a, scale);
	const range = boundsOf({ uint8: "UINT8", int8: "INT8", uint16: "UINT16", int16: "INT16", int32: "INT32", uint4: "UINT4",
		int4: "INT4" }[x.storage(0)] || "UINT8");
	for (let i = 0; i < a.data.length; i++) {
		const v = f32(roundEven(f32(a.data[i] / scale.data[at(i)])) + (zero ? zero.data[at(i)] : 0));
		y.data[i] = Math.min(Math.max(v, range[0]), range[1]);
	}
	return y;
}

function dequantizeLinear(x) {
	const [a, scale, zero] = x.in, y = x.out(a.dims, 0), at = linearIndex(x, a, scale);
	for (let i = 0; i < a.data.length; i++)
		y.data[i] = f32((a.data[i] - (zero ? zero.data[at(i)] : 0))) * scale.data[at(i)];
	return y;
}

function trunc(x) {
	const [a, scale, zero, from] = x.in.map(t => t && t.data), six = x.in.length > 5;
	const outScale = six ? x.in[4].data[0] : scale[0], outBits = x.in[six ? 5 : 4].data[0], round = roundingOf(x, "FLOOR");
	const divisor = six ? 2 ** Math.round(Math.log2(outScale / scale[0])) : 2 ** (from[0] - outBits);
	const signed = x.attribute("signed", 1) !== 0, narrow = x.attribute("narrow", 0);
	const hi = signed ? 2 ** (outBits - 1) - 1 : 2 ** outBits - (narrow ? 2 : 1), lo = signed ? -(2 ** (outBits - 1)) + narrow : 0;
	const y = x.out(x.in[0].dims, 0), outZero = six ? f32(zero[0] / divisor) : zero[0];
	for (let i = 0; i < a.length; i++) {
		let v = f32(roundEven(f32(f32(a[i] / scale[0]) + zero[0])) / divisor);
		v = six ? Math.max(Math.min(v, hi), lo) : v;
		y.data[i] = f32(round(v) - outZero) * outScale;
	}
	return y;
}

/* ---- products ---- */

/* rows x inner times inner x columns; in doubles. */
function multiply(a, aAt, b, bAt, rows, inner, columns, y, yAt) {
	const sums = new Float64Array(columns);
	for (let r = 0; r < rows; r++) {
		sums.fill(0);
		for (let k = 0; k < inner; k++) {
			const v = a[aAt + r * inner + k], row = bAt + k * columns;
			if (v !== 0)
				for (let c = 0; c < columns; c++)
					sums[c] += v * b[row + c];
		}
		y.set(sums, yAt + r * columns);
	}
}

function matMul(x) {
	const [a, b] = x.in, aDims = a.dims.length === 1 ? [1, ...a.dims] : a.dims, bDims = b.dims.length === 1 ? [...b.dims, 1] : b.dims;
	const rows = aDims[aDims.length - 2], inner = aDims[aDims.length - 1], columns = bDims[bDims.length - 1];
	const stacks = broadcastDims([{ dims: aDims.slice(0, -2) }, { dims: bDims.slice(0, -2) }, { dims: [] }]);
	const atA = placesOf({ dims: aDims.slice(0, -2), data: { length: 2 } }, stacks);
	const atB = placesOf({ dims: bDims.slice(0, -2), data: { length: 2 } }, stacks);
	const dims = [...stacks, ...(a.dims.length === 1 ? [] : [rows]), ...(b.dims.length === 1 ? [] : [columns])], y = x.out(dims, 0);
	for (let i = 0; i < countOf(stacks); i++)
		multiply(a.data, atA[i] * rows * inner, b.data, atB[i] * inner * columns, rows, inner, columns, y.data,
			i * rows * columns);
	return y;
}

function transposed(t, order) {
	const dims = order.map(k => t.dims[k]), from = strides(t.dims), data = new t.data.constructor(t.data.length);
	const places = placesByStrides(dims, order.map(k => from[k]));
	for (let i = 0; i < data.length; i++)
		data[i] = t.data[places[i]];
	return { dims, data };
}

function placesByStrides(dims, steps) {
	const places = new Int32Array(countOf(dims));
	let length = 1;
	for (let axis = dims.length - 1; axis >= 0; axis--) {
		for (let i = 1; i < dims[axis]; i++)
			for (let j = 0; j < length; j++)
				places[i * length + j] = places[j] + i * steps[axis];
		length *= dims[axis];
	}
	return places;
}

function gemm(x) {
	const turn = (t, flag) => x.attribute(flag, 0) ? transposed(t, [1, 0]) : t;
	const a = turn(x.in[0], "transA"), b = turn(x.in[1], "transB"), c = x.in[2];
	const [rows, inner] = a.dims, columns = b.dims[1], y = x.out([rows, columns], 0), places = c ? placesOf(c, y.dims) : null;
	const sums = new Float64Array(rows * columns), alpha = f32(x.attribute("alpha", 1)), beta = f32(x.attribute("beta", 1));
	multiply(a.data, 0, b.data, 0, rows, inner, columns, sums, 0);
	for (let i = 0; i < sums.length; i++)
		y.data[i] = f32(alpha * f32(sums[i])) + (c ? f32(beta * c.data[places[i]]) : 0);
	return y;
}

/* ---- windows ---- */

/* Extents of a window operator over any number of axes. */
function windowOf(x, spatial, kernel) {
	const n = spatial.length, list = (name, fallback) => x.attribute(name, null) || new Array(n).fill(fallback);
	const w = { n, in: spatial, kernel, stride: list("strides", 1), dilation: list("dilations", 1), out: [] };
	const pads = x.attribute("pads", null) || new Array(2 * n).fill(0), auto = x.attribute("auto_pad", "NOTSET");
	w.begin = pads.slice(0, n);
	w.end = pads.slice(n);
	for (let i = 0; i < n; i++) {
		const span = (kernel[i] - 1) * w.dilation[i] + 1;
		if (auto === "VALID")
			w.begin[i] = w.end[i] = 0;
		if (auto.startsWith("SAME")) {
			w.out[i] = Math.ceil(spatial[i] / w.stride[i]);
			const total = Math.max((w.out[i] - 1) * w.stride[i] + span - spatial[i], 0);
			w.begin[i] = auto === "SAME_LOWER" ? Math.ceil(total / 2) : Math.floor(total / 2);
			w.end[i] = total - w.begin[i];
			continue;
		}
		const room = spatial[i] + w.begin[i] + w.end[i] - span;
		w.out[i] = Math.floor(room / w.stride[i]) + 1;
		if (x.attribute("ceil_mode", 0)) {
			w.out[i] = Math.ceil(room / w.stride[i]) + 1;
			if ((w.out[i] - 1) * w.stride[i] >= spatial[i] + w.begin[i])
				w.out[i]--;
		}
	}
	return w;
}

/* One or two axes become three. */
function threeAxes(w) {
	const lead = (list, fill) => [...new Array(3 - w.n).fill(fill), ...list];
	return {
		in: lead(w.in, 1), out: lead(w.out, 1), kernel: lead(w.kernel, 1), stride: lead(w.stride, 1), dilation: lead(w.dilation, 1),
		begin: lead(w.begin, 0), end: lead(w.end, 0),
	};
}

/* Calls tap(input place, output place, count, input step) for each run along the last axis that a kernel element sees. */
function eachTap(w, k, tap) {
	const at = [Math.floor(k / (w.kernel[1] * w.kernel[2])), Math.floor(k / w.kernel[2]) % w.kernel[1], k % w.kernel[2]];
	const lo = [], hi = [], shift = [];
	for (let i = 0; i < 3; i++) {
		shift[i] = at[i] * w.dilation[i] - w.begin[i];
		lo[i] = Math.max(0, Math.ceil(-shift[i] / w.stride[i]));
		hi[i] = Math.min(w.out[i], Math.floor((w.in[i] - 1 - shift[i]) / w.stride[i]) + 1);
	}
	for (let d = lo[0]; d < hi[0]; d++)
		for (let h = lo[1]; h < hi[1]; h++) {
			const from = ((d * w.stride[0] + shift[0]) * w.in[1] + h * w.stride[1] + shift[1]) * w.in[2];
			if (hi[2] > lo[2])
				tap(from + lo[2] * w.stride[2] + shift[2], (d * w.out[1] + h) * w.out[2] + lo[2], hi[2] - lo[2], w.stride[2]);
		}
}

/* sums += the rows' sum, each times its weight: four rows at a time, without those whose weight is zero. */
function addRows(sums, rows, length, weights, from, count) {
	const used = [];
	for (let k = 0; k < count; k++)
		if (weights[from + k] !== 0)
			used.push(k);
	let k = 0;
	for (; k + 4 <= used.length; k += 4) {
		const [k0, k1, k2, k3] = [used[k], used[k + 1], used[k + 2], used[k + 3]];
		const w0 = weights[from + k0], w1 = weights[from + k1], w2 = weights[from + k2], w3 = weights[from + k3];
		const r0 = k0 * length, r1 = k1 * length, r2 = k2 * length, r3 = k3 * length;
		for (let i = 0; i < length; i++)
			sums[i] += w0 * rows[r0 + i] + w1 * rows[r1 + i] + w2 * rows[r2 + i] + w3 * rows[r3 + i];
	}
	for (; k < used.length; k++) {
		const w0 = weights[from + used[k]], r0 = used[k] * length;
		for (let i = 0; i < length; i++)
			sums[i] += w0 * rows[r0 + i];
	}
}

/* Rows of what each kernel element sees of the channels, for all output elements. */
function unfold(w, a, plane, channels, area, taps, outArea) {
	const rows = new a.data.constructor(channels * taps * outArea);
	for (let c = 0; c < channels; c++)
		for (let k = 0; k < taps; k++) {
			const row = (c * taps + k) * outArea, start = (plane + c) * area;
			eachTap(w, k, (from, to, count, step) => {
				for (let i = 0; i < count; i++)
					rows[row + to + i] = a.data[start + from + i * step];
			});
		}
	return rows;
}

function conv(x) {
	const [a, b, bias] = x.in, groups = x.attribute("group", 1), spatial = a.dims.slice(2);
	const shape = windowOf(x, spatial, b.dims.slice(2)), w = threeAxes(shape);
	const [batch, channels] = a.dims, maps = b.dims[0], perGroup = channels / groups, mapsPerGroup = maps / groups;
	const area = countOf(spatial), outArea = countOf(shape.out), taps = countOf(w.kernel);
	const y = x.out([batch, maps, ...shape.out], 0), sums = new Float64Array(outArea);
	for (let n = 0; n < batch; n++)
		for (let g = 0; g < groups; g++) {
			const rows = unfold(w, a, n * channels + g * perGroup, perGroup, area, taps, outArea);
			for (let m = g * mapsPerGroup; m < (g + 1) * mapsPerGroup; m++) {
				sums.fill(bias ? bias.data[m] : 0);
				addRows(sums, rows, outArea, b.data, m * perGroup * taps, perGroup * taps);
				y.data.set(sums, (n * maps + m) * outArea);
			}
		}
	return y;
}

function convTranspose(x) {
	const [a, b, bias] = x.in, groups = x.attribute("group", 1), spatial = a.dims.slice(2), n = spatial.length;
	const list = (name, fallback) => x.attribute(name, null) || new Array(n).fill(fallback);
	const kernel = b.dims.slice(2), stride = list("strides", 1), dilation = list("dilations", 1), extra = list("output_padding", 0);
	const pads = x.attribute("pads", null) || new Array(2 * n).fill(0), wanted = x.attribute("output_shape", null);
	const out = [], begin = [];
	for (let i = 0; i < n; i++) {
		const full = stride[i] * (spatial[i] - 1) + extra[i] + (kernel[i] - 1) * dilation[i] + 1;
		const total = wanted ? Math.max(full - wanted[i], 0) : pads[i] + pads[i + n];
		begin[i] = wanted ? (x.attribute("auto_pad", "") === "SAME_UPPER" ? Math.floor(total / 2) : Math.ceil(total / 2)) : pads[i];
		out[i] = full - total;
	}
	/* The taps of a convolution from the output to the input, the other way round. */
	const w = threeAxes({ n, in: out, out: spatial, kernel, stride, dilation, begin, end: begin });
	const [batch, channels] = a.dims, perGroup = b.dims[1], maps = perGroup * groups, own = channels / groups;
	const area = countOf(spatial), outArea = countOf(out), taps = countOf(kernel);
	const y = x.out([batch, maps, ...out], 0), sums = new Float64Array(outArea);
	for (let s = 0; s < batch; s++)
		for (let m = 0; m < maps; m++) {
			sums.fill(bias ? bias.data[m] : 0);
			const group = Math.floor(m / perGroup);
			for (let c = group * own; c < (group + 1) * own; c++)
				for (let k = 0; k < taps; k++) {
					const weight = b.data[(c * perGroup + m % perGroup) * taps + k], plane = (s * channels + c) * area;
					eachTap(w, k, (to, from, count, step) => {
						for (let i = 0; i < count; i++)
							sums[to + i * step] += weight * a.data[plane + from + i];
					});
				}
			y.data.set(sums, (s * maps + m) * outArea);
		}
	return y;
}

function channelsFirst(t) {
	const rank = t.dims.length, order = [0, rank - 1, ...Array.from({ length: rank - 2 }, (_, i) => i + 1)];
	return transposed(t, order);
}

function channelsLast(t) {
	const rank = t.dims.length;
	return transposed(t, [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1]);
}

/* Reduces the window of each output element; padding is left out. finish(sum, elements seen, elements with padding) */
function pool(x, a, shape, start, add, finish) {
	const w = threeAxes(shape), area = countOf(shape.in), outArea = countOf(shape.out), taps = countOf(w.kernel);
	const y = x.out([a.dims[0], a.dims[1], ...shape.out], 0), seen = new Int32Array(outArea), padded = new Int32Array(outArea);
	const padding = { ...w, in: w.in.map((d, i) => d + w.begin[i] + w.end[i]), begin: [0, 0, 0] };
	for (let k = 0; k < taps; k++) {
		eachTap(w, k, (from, to, count) => { for (let i = 0; i < count; i++) seen[to + i]++; });
		eachTap(padding, k, (from, to, count) => { for (let i = 0; i < count; i++) padded[to + i]++; });
	}
	const values = new y.data.constructor(outArea);
	for (let plane = 0; plane < a.dims[0] * a.dims[1]; plane++) {
		values.fill(start);
		for (let k = 0; k < taps; k++)
			eachTap(w, k, (from, to, count, step) => {
				for (let i = 0; i < count; i++)
					values[to + i] = add(values[to + i], a.data[plane * area + from + i * step]);
			});
		for (let i = 0; i < outArea; i++)
			y.data[plane * outArea + i] = finish(values[i], seen[i], padded[i]);
	}
	return y;
}

function maxPool(x) {
	const a = x.in[0];
	return pool(x, a, windowOf(x, a.dims.slice(2), x.attribute("kernel_shape", [])), -Infinity, Math.max, v => v);
}

function averagePool(x) {
	const a = x.in[0], all = x.attribute("count_include_pad", 0);
	return pool(x, a, windowOf(x, a.dims.slice(2), x.attribute("kernel_shape", [])), 0, (s, v) => s + v,
		(s, seen, padded) => s / (all ? padded : seen));
}

function globalPool(start, add, finish) {
	return x => {
		const a = x.in[0], spatial = a.dims.slice(2), ones = spatial.map(() => 1);
		const shape = { n: 1, in: [countOf(spatial)], out: [1], kernel: [countOf(spatial)], stride: [1], dilation: [1], begin: [0],
			end: [0] };
		const y = pool(x, a, shape, start, add, finish);
		return { dims: [a.dims[0], a.dims[1], ...ones], data: y.data };
	};
}

function quantAveragePool(x) {
	const last = x.attribute("data_layout", "NCHW") === "NHWC", a = last ? channelsFirst(x.in[0]) : x.in[0];
	const kernel = x.attribute("kernel", 1), stride = x.attribute("stride", 1), bits = x.attribute("ibits", 1), out = x.attribute("obits", 1);
	const most = (2 ** bits - 1) * kernel * kernel, wide = most < 1 ? 0 : Math.floor(Math.log2(most)) + 1;
	const shift = out < 0 || out >= wide ? 0 : wide - out, extent = d => Math.floor((d - kernel) / stride) + 1;
	const shape = { n: 2, in: a.dims.slice(2), out: a.dims.slice(2).map(extent), kernel: [kernel, kernel], stride: [stride, stride],
		dilation: [1, 1], begin: [0, 0], end: [0, 0] };
	const y = pool(x, a, shape, 0, (s, v) => s + v, s => Math.floor(s / 2 ** shift));
	return last ? channelsLast(y) : y;
}

function im2col(x) {
	const a = x.in[0], [batch, height, width, channels] = a.dims, kernel = x.attribute("kernel_size", [1, 1]);
	const stride = x.attribute("stride", [1, 1]), pad = x.attribute("pad_amount", null) || [0, 0, 0, 0];
	const dilation = x.attribute("dilations", null) || [1, 1], fill = x.attribute("pad_value", 0);
	const out = [0, 1].map(i => Math.floor((a.dims[1 + i] + pad[i] + pad[i + 2] - dilation[i] * (kernel[i] - 1) - 1) / stride[i]) + 1);
	const y = x.out([batch, out[0], out[1], kernel[0] * kernel[1] * channels], 0);
	let to = 0;
	for (let n = 0; n < batch; n++)
		for (let oh = 0; oh < out[0]; oh++)
			for (let ow = 0; ow < out[1]; ow++)
				for (let kh = 0; kh < kernel[0]; kh++)
					for (let kw = 0; kw < kernel[1]; kw++, to += channels) {
						const h = oh * stride[0] + kh * dilation[0] - pad[0], w = ow * stride[1] + kw * dilation[1] - pad[1];
						const from = ((n * height + h) * width + w) * channels;
						const inside = h >= 0 && h < height && w >= 0 && w < width;
						for (let c = 0; c < channels; c++)
							y.data[to + c] = inside ? a.data[from + c] : fill;
					}
	return y;
}

/* ---- shapes and moves ---- */

function viewed(t, dims) {
	return { dims, data: t.data };
}

function reshape(x) {
	const a = x.in[0], wanted = integersOf(x.in[1]) || x.attribute("shape", []), keep = !x.attribute("allowzero", 0);
	const dims = wanted.map((d, i) => d === 0 && keep ? a.dims[i] : d), open = dims.indexOf(-1);
	if (open >= 0)
		dims[open] = a.data.length / countOf(dims.filter(d => d !== -1));
	return viewed(a, dims);
}

function flatten(x) {
	const a = x.in[0], axis = axisOf(x.attribute("axis", 1), a.dims.length);
	return viewed(a, [countOf(a.dims.slice(0, axis)), countOf(a.dims.slice(axis))]);
}

function axesGiven(x, i) {
	return integersOf(x.in[i]) || x.attribute("axes", null);
}

function squeeze(x) {
	const a = x.in[0], given = axesGiven(x, 1), axes = given && given.map(k => axisOf(k, a.dims.length));
	return viewed(a, a.dims.filter((d, i) => axes ? !axes.includes(i) : d !== 1));
}

function unsqueeze(x) {
	const a = x.in[0], given = axesGiven(x, 1), rank = a.dims.length + given.length, axes = given.map(k => axisOf(k, rank));
	const own = a.dims.slice();
	return viewed(a, Array.from({ length: rank }, (_, i) => axes.includes(i) ? 1 : own.shift()));
}

function transpose(x) {
	return transposed(x.in[0], x.attribute("perm", null) || x.in[0].dims.map((_, i) => x.in[0].dims.length - 1 - i));
}

/* Elements start + step * index along each axis. */
function strided(x, a, dims, start, step, i = 0) {
	const from = strides(a.dims), y = x.out(dims, i), places = placesByStrides(dims, from.map((s, k) => s * step[k]));
	const first = start.reduce((sum, s, k) => sum + s * from[k], 0);
	for (let k = 0; k < y.data.length; k++)
		y.data[k] = a.data[first + places[k]];
	return y;
}

function slice(x) {
	const a = x.in[0], starts = integersOf(x.in[1]) || x.attribute("starts", []), ends = integersOf(x.in[2]) || x.attribute("ends", []);
	const axes = integersOf(x.in[3]) || x.attribute("axes", null) || starts.map((_, i) => i), steps = integersOf(x.in[4]) || starts.map(() => 1);
	const start = a.dims.map(() => 0), step = a.dims.map(() => 1), dims = a.dims.slice();
	axes.forEach((axis, i) => {
		const k = axisOf(axis, a.dims.length), d = a.dims[k], back = steps[i] < 0;
		const bound = v => Math.min(Math.max(v < 0 ? v + d : v, back ? -1 : 0), back ? d - 1 : d);
		start[k] = bound(starts[i]);
		step[k] = steps[i];
		const end = back && ends[i] < -d ? -1 : bound(ends[i]);
		dims[k] = Math.max(0, Math.ceil((end - start[k]) / steps[i]));
	});
	return strided(x, a, dims, start, step);
}

function split(x) {
	const a = x.in[0], axis = axisOf(x.attribute("axis", 0), a.dims.length), count = x.outputs, total = a.dims[axis];
	const even = Math.ceil(total / count), sizes = integersOf(x.in[1]) || x.attribute("split", null);
	let at = 0;
	return Array.from({ length: count }, (_, i) => {
		const size = sizes ? sizes[i] : Math.min(even, total - at), dims = a.dims.map((d, k) => k === axis ? size : d);
		const y = strided(x, a, dims, a.dims.map((_, k) => k === axis ? at : 0), a.dims.map(() => 1), i);
		at += size;
		return y;
	});
}

function concat(x) {
	const list = x.in.filter(t => t), axis = axisOf(x.attribute("axis", 0), list[0].dims.length);
	const dims = list[0].dims.map((d, k) => k === axis ? list.reduce((sum, t) => sum + t.dims[axis], 0) : d), y = x.out(dims, 0);
	const outer = countOf(dims.slice(0, axis));
	let to = 0;
	for (let o = 0; o < outer; o++)
		for (const t of list) {
			const run = countOf(t.dims.slice(axis));
			for (let i = 0; i < run; i++)
				y.data[to++] = t.data[o * run + i];
		}
	return y;
}

function gather(x) {
	const [a, index] = x.in, axis = axisOf(x.attribute("axis", 0), a.dims.length), inner = countOf(a.dims.slice(axis + 1));
	const y = x.out([...a.dims.slice(0, axis), ...index.dims, ...a.dims.slice(axis + 1)], 0), outer = countOf(a.dims.slice(0, axis));
	let to = 0;
	for (let o = 0; o < outer; o++)
		for (const k of index.data) {
			const from = (o * a.dims[axis] + axisOf(k, a.dims[axis])) * inner;
			for (let i = 0; i < inner; i++)
				y.data[to++] = a.data[from + i];
		}
	return y;
}

function pad(x) {
	const a = x.in[0], rank = a.dims.length, given = integersOf(x.in[1]) || x.attribute("pads", []);
	const axes = integersOf(x.in[3]) || a.dims.map((_, i) => i), begin = new Array(rank).fill(0), end = new Array(rank).fill(0);
	axes.forEach((axis, i) => {
		begin[axisOf(axis, rank)] = given[i];
		end[axisOf(axis, rank)] = given[i + axes.length];
	});
	const mode = x.attribute("mode", "constant"), fill = x.in[2] ? x.in[2].data[0] : x.attribute("value", 0);
	const y = x.out(a.dims.map((d, i) => d + begin[i] + end[i]), 0), from = strides(a.dims), to = strides(y.dims);
	const inside = (at, d) => {
		if (mode === "edge")
			return Math.min(Math.max(at, 0), d - 1);
		if (mode === "wrap")
			return (at % d + d) % d;
		if (mode === "reflect")
			return at < 0 ? -at : at >= d ? 2 * d - 2 - at : at;
		return at >= 0 && at < d ? at : -1;
	};
	for (let i = 0; i < y.data.length; i++) {
		let place = 0, outside = false;
		for (let k = 0; k < rank; k++) {
			const at = inside(Math.floor(i / to[k]) % y.dims[k] - begin[k], a.dims[k]);
			outside = outside || at < 0;
			place += at * from[k];
		}
		y.data[i] = outside ? fill : a.data[place];
	}
	return y;
}

function expand(x) {
	const a = x.in[0], dims = broadcastDims([a, { dims: integersOf(x.in[1]) }]), places = placesOf(a, dims), y = x.out(dims, 0);
	for (let i = 0; i < y.data.length; i++)
		y.data[i] = a.data[places[i]];
	return y;
}

/* Nearest neighbours and linear interpolation, axis by axis. */
function resize(x) {
	const a = x.in[0], old = x.op === "Upsample", nearest = x.attribute("mode", "nearest") === "nearest";
	const kind = x.attribute("coordinate_transformation_mode", old ? "asymmetric" : "half_pixel");
	const near = x.attribute("nearest_mode", old ? "floor" : "round_prefer_floor");
	if (!["asymmetric", "half_pixel", "pytorch_half_pixel", "align_corners"].includes(kind) ||
	    !["nearest", "linear"].includes(x.attribute("mode", "nearest")) || x.attribute("antialias", 0) || x.attribute("axes", null))
		throw new Error("this mode of Resize is not executed in the page");
	const given = x.in[old ? 1 : 2] && x.in[old ? 1 : 2].data.length ? integersOf(x.in[old ? 1 : 2]) : null, sizes = integersOf(x.in[3]);
	const dims = a.dims.map((d, i) => given ? Math.floor(f32(f32(given[i]) * d)) : sizes[i]);
	const round = { floor: Math.floor, ceil: Math.ceil, round_prefer_floor: v => Math.ceil(v - 0.5),
		round_prefer_ceil: v => Math.floor(v + 0.5) }[near];
	let t = { dims: a.dims, data: Float64Array.from(a.data) };
	dims.forEach((size, axis) => {
		const d = t.dims[axis], scale = given ? given[axis] : size / d;
		if (size === d)
			return;
		const source = i => kind === "asymmetric" ? i / scale : kind === "align_corners" ? (size > 1 ? i * (d - 1) / (size - 1) : 0)
			: kind === "pytorch_half_pixel" && size === 1 ? 0 : (i + 0.5) / scale - 0.5;
		const outer = countOf(t.dims.slice(0, axis)), inner = countOf(t.dims.slice(axis + 1));
		const y = { dims: t.dims.map((e, k) => k === axis ? size : e), data: new Float64Array(outer * size * inner) };
		const bound = v => Math.min(Math.max(v, 0), d - 1);
		for (let i = 0; i < size; i++) {
			const at = source(i), lo = nearest ? bound(round(at)) : bound(Math.floor(at)), hi = nearest ? lo : bound(Math.floor(at) + 1);
			const part = nearest ? 0 : at - Math.floor(at);
			for (let o = 0; o < outer; o++)
				for (let k = 0; k < inner; k++)
					y.data[(o * size + i) * inner + k] = t.data[(o * d + lo) * inner + k] * (1 - part) +
						t.data[(o * d + hi) * inner + k] * part;
		}
		t = y;
	});
	const y = x.out(dims, 0);
	y.data.set(t.data);
	return y;
}

function depthToSpace(x) {
	const a = x.in[0], [n, c, h, w] = a.dims, b = x.attribute("blocksize", 1), crd = x.attribute("mode", "DCR") === "CRD";
	const split = crd ? viewed(a, [n, c / b / b, b, b, h, w]) : viewed(a, [n, b, b, c / b / b, h, w]);
	return viewed(transposed(split, crd ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2]), [n, c / b / b, h * b, w * b]);
}

function spaceToDepth(x) {
	const a = x.in[0], [n, c, h, w] = a.dims, b = x.attribute("blocksize", 1);
	return viewed(transposed(viewed(a, [n, c, h / b, b, w / b, b]), [0, 3, 5, 1, 2, 4]), [n, c * b * b, h / b, w / b]);
}

/* ---- along axes ---- */

function reduce(start, add, finish) {
	return x => {
		const a = x.in[0], rank = a.dims.length, given = axesGiven(x, 1), keep = x.attribute("keepdims", 1);
		if (given && !given.length && x.attribute("noop_with_empty_axes", 0))
			return a;
		const axes = (given && given.length ? given : a.dims.map((_, i) => i)).map(k => axisOf(k, rank));
		const kept = a.dims.map((d, i) => axes.includes(i) ? 1 : d), to = strides(kept);
		const places = placesByStrides(a.dims, to.map((s, i) => axes.includes(i) ? 0 : s));
		const sums = new Float64Array(countOf(kept)).fill(start), count = a.data.length / sums.length;
		for (let i = 0; i < a.data.length; i++)
			sums[places[i]] = add(sums[places[i]], a.data[i]);
		const y = x.out(keep ? kept : kept.filter((_, i) => !axes.includes(i)), 0);
		sums.forEach((s, i) => { y.data[i] = finish ? finish(s, count) : s; });
		return y;
	};
}

/* Calls line(start, step) for each line along an axis. */
function eachLine(dims, axis, line) {
	const inner = countOf(dims.slice(axis + 1)), outer = countOf(dims.slice(0, axis));
	for (let o = 0; o < outer; o++)
		for (let i = 0; i < inner; i++)
			line(o * dims[axis] * inner + i, inner, o * inner + i);
}

function softmax(log) {
	return x => {
		const a = x.in[0], axis = axisOf(x.attribute("axis", -1), a.dims.length), n = a.dims[axis], y = x.out(a.dims, 0);
		eachLine(a.dims, axis, (at, step) => {
			let most = -Infinity, sum = 0;
			for (let i = 0; i < n; i++)
				most = Math.max(most, a.data[at + i * step]);
			for (let i = 0; i < n; i++)
				sum += Math.exp(a.data[at + i * step] - most);
			for (let i = 0; i < n; i++) {
				const v = a.data[at + i * step] - most;
				y.data[at + i * step] = log ? v - Math.log(sum) : Math.exp(v) / sum;
			}
		});
		return y;
	};
}

function argMost(better) {
	return x => {
		const a = x.in[0], axis = axisOf(x.attribute("axis", 0), a.dims.length), late = x.attribute("select_last_index", 0);
		const kept = a.dims.map((d, i) => i === axis ? 1 : d);
		const y = x.out(x.attribute("keepdims", 1) ? kept : kept.filter((_, i) => i !== axis), 0);
		eachLine(a.dims, axis, (at, step, line) => {
			let best = 0;
			for (let i = 1; i < a.dims[axis]; i++) {
				const v = a.data[at + i * step], b = a.data[at + best * step];
				if (better(v, b) || (late && v === b))
					best = i;
			}
			y.data[line] = best;
		});
		return y;
	};
}

function topK(x) {
	const a = x.in[0], axis = axisOf(x.attribute("axis", -1), a.dims.length), largest = x.attribute("largest", 1);
	const k = x.in[1] ? Number(x.in[1].data[0]) : x.attribute("k", 1), n = a.dims[axis], dims = a.dims.map((d, i) => i === axis ? k : d);
	const values = x.out(dims, 0), places = x.out(dims, 1);
	eachLine(a.dims, axis, (at, step, line) => {
		const order = Array.from({ length: n }, (_, i) => i);
		order.sort((p, q) => (largest ? -1 : 1) * (a.data[at + p * step] - a.data[at + q * step]) || p - q);
		const to = Math.floor(line / step) * k * step + line % step;
		for (let i = 0; i < k; i++) {
			values.data[to + i * step] = a.data[at + order[i] * step];
			places.data[to + i * step] = order[i];
		}
	});
	return [values, places];
}

function batchNormalization(x) {
	const [a, scale, bias, mean, variance] = x.in, y = x.out(a.dims, 0), inner = countOf(a.dims.slice(2)), channels = scale.data.length;
	const epsilon = f32(x.attribute("epsilon", 1e-5)), s = new Float32Array(channels), t = new Float32Array(channels);
	for (let c = 0; c < channels; c++) {
		s[c] = f32(1 / f32(Math.sqrt(f32(variance.data[c] + epsilon)))) * scale.data[c];
		t[c] = bias.data[c] - f32(mean.data[c] * s[c]);
	}
	for (let i = 0; i < a.data.length; i++) {
		const c = Math.floor(i / inner) % channels;
		y.data[i] = f32(a.data[i] * s[c]) + t[c];
	}
	return y;
}

function layerNormalization(x) {
	const [a, scale, bias] = x.in, axis = axisOf(x.attribute("axis", -1), a.dims.length), n = countOf(a.dims.slice(axis));
	const epsilon = x.attribute("epsilon", 1e-5), y = x.out(a.dims, 0);
	for (let at = 0; at < a.data.length; at += n) {
		let sum = 0, squares = 0;
		for (let i = 0; i < n; i++)
			sum += a.data[at + i];
		for (let i = 0; i < n; i++)
			squares += (a.data[at + i] - sum / n) ** 2;
		const inverse = 1 / Math.sqrt(squares / n + epsilon);
		for (let i = 0; i < n; i++)
			y.data[at + i] = f32((a.data[at + i] - sum / n) * inverse * scale.data[i]) + (bias ? bias.data[i] : 0);
	}
	return y;
}

function dynamicQuantizeLinear(x) {
	const a = x.in[0], lo = Math.min(0, a.data.reduce((m, v) => Math.min(m, v), Infinity));
	const hi = Math.max(0, a.data.reduce((m, v) => Math.max(m, v), -Infinity));
	const scale = x.out([], 1), zero = x.out([], 2), y = x.out(a.dims, 0);
	scale.data[0] = f32(hi - lo) / 255;
	zero.data[0] = scale.data[0] ? Math.min(Math.max(roundEven(f32(-lo / scale.data[0])), 0), 255) : 0;
	for (let i = 0; i < a.data.length; i++)
		y.data[i] = Math.min(Math.max(roundEven(f32(a.data[i] / (scale.data[0] || 1))) + zero.data[0], 0), 255);
	return [y, scale, zero];
}

/* Less a zero point for all; one for each row or column is not executed here. */
function matMulInteger(x) {
	const shifted = (t, zero) => {
		if (zero && zero.data.length > 1)
			throw new Error("zero points by row or column are not executed in the page");
		return { dims: t.dims, data: Float64Array.from(t.data, v => v - (zero ? zero.data[0] : 0)) };
	};
	const inner = new Call(x.stage, x.node, [shifted(x.in[0], x.in[2]), shifted(x.in[1], x.in[3])]);
	return matMul(inner);
}

/* The same operator on data, and with two also on weights, whose channels come last. */
function onChannelsLast(operator, inputs = 1) {
	return x => {
		for (let i = 0; i < inputs; i++)
			x.in[i] = channelsFirst(x.in[i]);
		return channelsLast(operator(x));
	};
}

const sigmoid = v => 1 / (1 + Math.exp(-v));
const operators = {
	Abs: unary(Math.abs), Neg: unary(v => -v), Sqrt: unary(Math.sqrt), Reciprocal: unary(v => 1 / v), Exp: unary(Math.exp),
	Log: unary(Math.log), Floor: unary(Math.floor), Ceil: unary(Math.ceil), Round: unary(roundEven), Sign: unary(Math.sign),
	Erf: unary(erf), Relu: unary(v => v > 0 ? v : 0), Sigmoid: unary(sigmoid), Tanh: unary(Math.tanh),
	Softplus: unary(v => Math.log1p(Math.exp(v))), Softsign: unary(v => v / (1 + Math.abs(v))), Not: unary(v => v ? 0 : 1),
	LeakyRelu: unary((v, x) => v >= 0 ? v : f32(x.attribute("alpha", 0.01)) * v),
	Elu: unary((v, x) => v >= 0 ? v : x.attribute("alpha", 1) * Math.expm1(v)),
	Selu: unary((v, x) => x.attribute("gamma", 1.05070102214813232421875) *
		(v > 0 ? v : x.attribute("alpha", 1.67326319217681884765625) * Math.expm1(v))),
	HardSigmoid: unary((v, x) => Math.max(0, Math.min(1, f32(f32(x.attribute("alpha", 0.2)) * v) + f32(x.attribute("beta", 0.5))))),
	HardSwish: unary(v => v * Math.max(0, Math.min(1, v / 6 + 0.5))),
	Gelu: unary((v, x) => x.attribute("approximate", "none") === "tanh"
		? 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3))) : 0.5 * v * (1 + erf(v / Math.SQRT2))),
	Identity: x => x.in[0], Dropout: x => x.in[0], DebugMarker: x => x.in[0],
	Cast: unary((v, x) => /int/.test(x.storage(0)) ? Math.trunc(v) : x.storage(0) === "bool" ? Number(v !== 0) : v), Clip: clip,
	Add: binary((a, b) => a + b), Sub: binary((a, b) => a - b), Mul: binary((a, b) => a * b),
	Div: binary((a, b, x) => /int/.test(x.storage(0)) ? Math.trunc(a / b) : a / b), Pow: binary((a, b) => a ** b),
	PRelu: binary((a, b) => a >= 0 ? a : a * b), BipolarQuant: binary((a, b) => a >= 0 ? b : -b),
	Max: variadic(Math.max), Min: variadic(Math.min), Sum: variadic((a, b) => a + b), Mean: variadic((a, b) => a + b, (s, n) => s / n),
	Equal: binary((a, b) => Number(a === b)), Greater: binary((a, b) => Number(a > b)), Less: binary((a, b) => Number(a < b)),
	GreaterOrEqual: binary((a, b) => Number(a >= b)), LessOrEqual: binary((a, b) => Number(a <= b)),
	And: binary((a, b) => Number(a && b)), Or: binary((a, b) => Number(a || b)),
	Where: x => elementwise(x, x.in, (c, a, b) => c ? a : b),
	Quant: quant, IntQuant: quant, MultiThreshold: multiThreshold, Trunc: trunc, QuantizeLinear: quantizeLinear,
	DequantizeLinear: dequantizeLinear,
	DynamicQuantizeLinear: dynamicQuantizeLinear, MatMul: matMul, MatMulInteger: matMulInteger, Gemm: gemm, Conv: conv, ConvTranspose: convTranspose,
	MaxPool: maxPool, MaxPoolNHWC: onChannelsLast(maxPool), AveragePool: averagePool, QuantAvgPool2d: quantAveragePool, Im2Col: im2col,
	GlobalAveragePool: globalPool(0, (s, v) => s + v, (s, n) => s / n), GlobalMaxPool: globalPool(-Infinity, Math.max, v => v),
	Reshape: reshape, Flatten: flatten, Squeeze: squeeze, Unsqueeze: unsqueeze, Transpose: transpose, Slice: slice, Split: split,
	Concat: concat, Gather: gather, Pad: pad, Expand: expand, Resize: resize, Upsample: resize, DepthToSpace: depthToSpace,
	SpaceToDepth: spaceToDepth,
	Shape: x => ({ dims: [x.in[0].dims.length], data: Float64Array.from(x.in[0].dims) }),
	ReduceSum: reduce(0, (s, v) => s + v), ReduceMean: reduce(0, (s, v) => s + v, (s, n) => s / n),
	ReduceMax: reduce(-Infinity, Math.max), ReduceMin: reduce(Infinity, Math.min),
	Softmax: softmax(false), LogSoftmax: softmax(true), ArgMax: argMost((a, b) => a > b), ArgMin: argMost((a, b) => a < b), TopK: topK,
	BatchNormalization: batchNormalization, LayerNormalization: layerNormalization,
};

/* Those of the domain for channels-last data, which have the names of others. */
const channelsLastOperators = {
	Conv: onChannelsLast(conv, 2), MaxPool: onChannelsLast(maxPool), AveragePool: onChannelsLast(averagePool),
	BatchNormalization: onChannelsLast(batchNormalization),
};

function operatorOf(node) {
	return (node.domain.endsWith("channels_last") ? channelsLastOperators : operators)[node.op];
}
