"""Make an ONNX model, and inputs for it, from a drawn network."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

QONNX = "qonnx.custom_op.general"


def levels(q):
    """The integers a quantiser of plain kind can give: (least, greatest)."""
    bits = q["bits"]
    if q["signed"]:
        return -(2 ** (bits - 1)) + (1 if q["narrow"] else 0), 2 ** (bits - 1) - 1
    return 0, 2**bits - 1 - (1 if q["narrow"] else 0)


class Builder:
    """Grows a graph; follows the shape and the rough size of the current value."""

    def __init__(self, spec):
        self.spec = spec
        self.exact = spec["exact"]
        self.nodes, self.initializers, self.infos = [], [], {}
        self.count = 0
        self.weights = {}		# of layers that others may share
        self.scales = {}		# shared constants

    # -- pieces

    def name(self, hint):
        self.count += 1
        return f"{hint}_{self.count}"

    def const(self, array, hint="c", dtype=np.float32):
        name = self.name(hint)
        self.initializers.append(numpy_helper.from_array(np.asarray(array, dtype), name))
        return name

    def emit(self, op, inputs, shape, domain="", elem=TensorProto.FLOAT, **attrs):
        out = self.name(op)
        self.nodes.append(helper.make_node(op, inputs, [out], name=f"{op}_node_{out}", domain=domain, **attrs))
        self.infos[out] = helper.make_tensor_value_info(out, elem, list(shape))
        return out

    def number(self, rng, size, shape=()):
        """Numbers of about that size; in exact networks with few bits, so that
        float32 arithmetic on them has no rounding."""
        x = size * np.exp(rng.normal(0, 0.3, shape))
        if not self.exact:
            return np.float32(x)
        e = np.floor(np.log2(x))
        steps = 1 if rng.random() < 0.5 else 16
        return np.float32(np.maximum(1, np.round(x / 2**e * steps)) / steps * 2**e)

    def offsets(self, rng, size, shape):
        """Signed numbers of about that size, on a coarse grid in exact networks."""
        x = rng.normal(0, size, shape)
        if self.exact:
            grid = 2.0 ** np.floor(np.log2(size) - 4)
            x = np.round(x / grid) * grid
        return np.float32(x)

    # -- quantisers

    def quantise(self, v, q, rng, scale=None):
        """Append an activation quantiser; v is a dict {name, shape, rms}."""
        if q["kind"] == "bipolar":
            scale = self.number(rng, 1.0) if scale is None else scale
            out = self.emit("BipolarQuant", [v["name"], self.const(scale, "scale")], v["shape"], QONNX)
            return dict(v, name=out, rms=float(scale), scale=scale, lo=-1, hi=1)
        lo, hi = levels(q)
        if scale is None:
            shape = [1, v["shape"][1]] + [1] * (len(v["shape"]) - 2) if q["per_channel"] else []
            reach = max(abs(lo), abs(hi), 1)
            scale = self.number(rng, q["fine"] * 2.0 * v["rms"] / reach, shape)
        make = self.qcdq if q["kind"] == "qcdq" else self.quant
        out = make(v, q, scale, lo, hi)
        return dict(v, name=out, rms=min(v["rms"], float(np.max(scale)) * max(abs(lo), abs(hi), 1)),
                    scale=scale, lo=lo, hi=hi)

    def quant(self, v, q, scale, lo, hi):
        zero = np.full(np.shape(scale), q["zero_point"])
        if q.get("zeros_differ"):
            zero = zero + np.arange(zero.size).reshape(zero.shape) % 3
        return self.emit("Quant", [v["name"], self.const(scale, "scale"), self.const(zero, "zp"),
                                   self.const(q["bits"], "bits")], v["shape"], QONNX,
                         signed=int(q["signed"]), narrow=int(q["narrow"]), rounding_mode=q["mode"])

    def qcdq(self, v, q, scale, lo, hi, axis=None):
        signed = q["signed"]
        dtype, elem = (np.int8, TensorProto.INT8) if signed else (np.uint8, TensorProto.UINT8)
        shape = np.shape(scale)
        s = self.const(scale, "scale")
        zp = self.const(np.full(shape, q["zero_point"]), "zp", dtype)
        attrs = {"axis": axis} if shape and axis is not None else {}
        x = self.emit("QuantizeLinear", [v["name"], s, zp], v["shape"], elem=elem, **attrs)
        if q["bits"] < 8 or q["narrow"]:
            x = self.emit("Clip", [x, self.const(lo, "lo", dtype), self.const(hi, "hi", dtype)], v["shape"],
                          elem=elem)
        return self.emit("DequantizeLinear", [x, s, zp], v["shape"], **attrs)

    def weight(self, layer, shape, rng, fan_in, out_axis, in_axis):
        """A quantised weight: returns (value name, rms)."""
        key = (layer.get("shared"), tuple(shape), out_axis)
        if layer.get("shared") and key in self.weights:
            return self.weights[key]
        w = layer["w"]
        axis = {"output": out_axis, "input": in_axis, "tensor": None}[w["scales"]]
        scale_shape = [] if axis is None else [n if i == axis else 1 for i, n in enumerate(shape)]
        scale = self.number(rng, 1.0 / np.sqrt(fan_in), scale_shape)
        lo, hi = (-1, 1) if w["kind"] == "bipolar" else levels(w)
        scale = np.float32(scale / max(abs(lo), hi)) if not self.exact else np.float32(
            scale / 2.0 ** np.ceil(np.log2(max(abs(lo), hi))))
        integers = np.clip(np.round(rng.normal(0, 0.5, shape) * max(abs(lo), hi)), lo, hi)
        noise = 0 if self.exact and rng.random() < 0.5 else rng.uniform(-0.4, 0.4, shape)
        real = np.float32((integers + noise) * scale)
        name = self.const(real, "weight")
        name, reach = self.weight_nodes(name, w, scale, shape, axis, lo, hi)
        result = name, float(np.sqrt(np.mean((integers * scale) ** 2)) + 1e-3 / np.sqrt(fan_in))
        self.weights[(True, tuple(shape), out_axis)] = result
        return result

    def weight_nodes(self, name, w, scale, shape, axis, lo, hi):
        v = {"name": name, "shape": list(shape)}
        if w["kind"] == "bipolar":
            return self.emit("BipolarQuant", [name, self.const(scale, "scale")], shape, QONNX), 1
        if w["kind"] == "qcdq":
            flat = np.reshape(scale, -1) if axis is not None else scale
            return self.qcdq(v, w, flat, lo, hi, axis), hi
        return self.quant(v, w, scale, lo, hi), hi

    def bias(self, kind, width, size, rng, scale=None):
        b = self.const(self.offsets(rng, 0.5 * size, [width]), "bias")
        if kind != "quant":
            return b
        s = self.number(rng, size / 32)
        return self.emit("Quant", [b, self.const(s, "scale"), self.const(0.0, "zp"), self.const(8.0, "bits")],
                         [width], QONNX, signed=1, narrow=0, rounding_mode="ROUND")

    # -- layers

    def layer(self, v, layer, keep=False):
        return getattr(self, "do_" + layer["kind"])(v, layer, keep)

    def do_dense(self, v, layer, keep):
        rng = np.random.default_rng(layer["seed"])
        if len(v["shape"]) != 2:
            v = self.do_move(v, {"op": "Flatten"}, False)
        k, n = v["shape"][1], v["shape"][1] if keep else layer["out"]
        gemm = layer["form"] == "gemm"
        trans = gemm and layer["trans"]
        shape = [n, k] if trans else [k, n]
        w, w_rms = self.weight(layer, shape, rng, k, 0 if trans else 1, 1 if trans else 0)
        size = np.sqrt(k) * w_rms * v["rms"]
        out = [v["shape"][0], n]
        inputs = [v["name"], w]
        if not gemm:
            y = self.emit("MatMul", inputs, out)
            if layer["bias"]:
                y = self.emit("Add", [y, self.bias(layer["bias"], n, size, rng)], out)
            return {"name": y, "shape": out, "rms": size}
        if layer["bias"]:
            inputs.append(self.bias(layer["bias"], n, size, rng))
        alpha, beta = layer["alpha"], layer["beta"]
        y = self.emit("Gemm", inputs, out, transB=int(trans), alpha=alpha, beta=beta)
        return {"name": y, "shape": out, "rms": size * abs(alpha)}

    def do_conv(self, v, layer, keep):
        if len(v["shape"]) < 3:
            return v
        rng = np.random.default_rng(layer["seed"])
        dims = len(v["shape"]) - 2
        c, spatial = v["shape"][1], v["shape"][2:]
        transposed = layer["transposed"] and not keep
        out_c = c if keep or layer["groups"] == "depthwise" and not transposed else layer["out"]
        groups = 1
        if layer["groups"] == "depthwise" and not transposed:
            groups = c
        elif layer["groups"] == "two" and c % 2 == 0 and not transposed:
            groups, out_c = 2, out_c + out_c % 2
        if keep and layer["groups"] == "two" and c % 2:
            groups = 1
        kernel, strides, pads, dil = self.window(layer, spatial, dims, keep or transposed)
        if transposed:
            return self.conv_transpose(v, layer, out_c, kernel, rng)
        size = [(s + pads[i] + pads[dims + i] - dil[i] * (kernel[i] - 1) - 1) // strides[i] + 1
                for i, s in enumerate(spatial)]
        fan_in = c // groups * int(np.prod(kernel))
        w, w_rms = self.weight(layer, [out_c, c // groups] + kernel, rng, fan_in, 0, 1)
        rms = np.sqrt(fan_in) * w_rms * v["rms"]
        inputs = [v["name"], w]
        if layer["bias"]:
            inputs.append(self.bias(layer["bias"], out_c, rms, rng))
        out = [v["shape"][0], out_c] + size
        y = self.emit("Conv", inputs, out, kernel_shape=kernel, strides=strides, pads=pads, dilations=dil,
                      group=groups)
        return {"name": y, "shape": out, "rms": rms}

    def window(self, layer, spatial, dims, same):
        """Kernel, strides, pads and dilations that fit the input."""
        kernel = (layer["kernel"] * 2)[:dims]
        if same:
            kernel = [1 if k == 2 else k for k in kernel]
            return kernel, [1] * dims, [k // 2 for k in kernel] * 2, [1] * dims
        pads = (layer["pads"] * 2)[:2 * dims]
        pads = [min(p, kernel[i % dims]) for i, p in enumerate(pads)]
        dil = (layer["dilations"] * 2)[:dims]
        for i in range(dims):
            if dil[i] * (kernel[i] - 1) + 1 > spatial[i] + pads[i] + pads[dims + i]:
                kernel[i], dil[i] = 1, 1
        return kernel, (layer["strides"] * 2)[:dims], pads, dil

    def conv_transpose(self, v, layer, out_c, kernel, rng):
        dims, c = len(kernel), v["shape"][1]
        kernel, strides = [2] * dims, [2] * dims
        fan_in = c
        w, w_rms = self.weight(layer, [c, out_c] + kernel, rng, fan_in, 1, 0)
        out = [v["shape"][0], out_c] + [2 * s for s in v["shape"][2:]]
        y = self.emit("ConvTranspose", [v["name"], w], out, kernel_shape=kernel, strides=strides,
                      pads=[0] * (2 * dims), group=1)
        return {"name": y, "shape": out, "rms": np.sqrt(fan_in) * w_rms * v["rms"]}

    def do_bn(self, v, layer, keep):
        rng = np.random.default_rng(layer["seed"])
        c, size = v["shape"][1], v["rms"]
        scale = self.number(rng, 1.0, [c])
        if layer["negative"]:
            scale = scale * rng.choice([-1, 1], c).astype(np.float32)
        bias, mean = self.offsets(rng, 0.5, [c]), self.offsets(rng, 0.4 * size, [c])
        eps = 1e-5
        if self.exact:		# var + eps is a power of four, its root exact
            eps = 2.0**-10 * 4.0 ** np.round(np.log2(size))
            var = np.full(c, 4.0 ** np.round(np.log2(size)) - eps)
        else:
            var = size**2 * np.exp(rng.normal(0, 0.5, c)) + 1e-3
        names = [self.const(x, n) for x, n in [(scale, "gamma"), (bias, "beta"), (mean, "mean"), (var, "var")]]
        y = self.emit("BatchNormalization", [v["name"]] + names, v["shape"], epsilon=float(eps))
        return dict(v, name=y, rms=1.1)

    def do_affine(self, v, layer, keep):
        rng = np.random.default_rng(layer["seed"])
        op = layer["op"]
        shape = [v["shape"][1]] + [1] * (len(v["shape"]) - 2) if layer["per_channel"] else []
        if op in ("Add", "Sub"):
            c, rms = self.offsets(rng, 0.5 * v["rms"], shape), v["rms"] * 1.1
        else:
            c, rms = self.number(rng, 1.0, shape), v["rms"]
            if op == "Div" and self.exact:
                c = np.float32(2.0 ** np.round(np.log2(c)))
            if layer["negative"]:
                c = np.float32(c * rng.choice([-1, 1], shape))
        inputs = [v["name"], self.const(c, "affine")]
        if layer["swap"] and op != "Div":
            inputs.reverse()
        return dict(v, name=self.emit(op, inputs, v["shape"]), rms=rms)

    def do_act(self, v, layer, keep):
        rng = np.random.default_rng(layer["seed"])
        op, rms, attrs, more = layer["op"], v["rms"], {}, []
        if op in ("LeakyRelu", "Elu"):
            attrs["alpha"] = float(rng.choice([0.125, 0.25, 0.5]) if self.exact else rng.uniform(0.01, 1.2))
        if op == "HardSigmoid":
            attrs.update(alpha=0.25, beta=0.5)
        if op == "PRelu":
            slope = rng.choice([0.25, 0.5, -0.5, 1.5], [v["shape"][1]] + [1] * (len(v["shape"]) - 2))
            more = [self.const(slope, "slope")]
        if op == "Clip":
            lo, hi = -rms * rng.uniform(0, 1.5), rms * rng.uniform(0.5, 2)
            if self.exact:
                lo, hi = np.round(lo * 8) / 8, np.round(hi * 8) / 8 + 0.125
            more = [self.const(lo, "lo"), self.const(hi, "hi")]
        if op in ("Sigmoid", "HardSigmoid"):
            rms = 0.6
        if op == "Tanh":
            rms = min(rms, 0.8)
        return dict(v, name=self.emit(op, [v["name"]] + more, v["shape"], **attrs), rms=rms)

    def do_gate(self, v, layer, keep):
        """Paths that fork and meet: x times, or divided by, a function of x."""
        x, shape = v["name"], v["shape"]
        if layer["op"] == "Softsign":
            y = self.emit("Add", [self.emit("Abs", [x], shape), self.const(1.0)], shape)
            return dict(v, name=self.emit("Div", [x, y], shape), rms=0.5)
        inner = self.emit("Softplus", [x], shape) if layer["op"] == "Mish" else x
        gate = {"SiLU": "Sigmoid", "Mish": "Tanh", "HardSwish": "HardSigmoid"}[layer["op"]]
        attrs = {"alpha": 0.25, "beta": 0.5} if gate == "HardSigmoid" else {}
        y = self.emit("Mul", [x, self.emit(gate, [inner], shape, **attrs)], shape)
        return dict(v, name=y, rms=0.8 * v["rms"])

    def do_quant(self, v, layer, keep):
        rng = np.random.default_rng(int(self.spec["seed"]) + 7 * len(self.nodes))
        return self.quantise(v, layer["q"], rng)

    def do_pool(self, v, layer, keep):
        if len(v["shape"]) < 3 or keep:
            return v
        dims, spatial = len(v["shape"]) - 2, v["shape"][2:]
        if layer["op"] == "GlobalAveragePool":
            out = v["shape"][:2] + [1] * dims
            return dict(v, name=self.emit(layer["op"], [v["name"]], out), shape=out, rms=v["rms"] * 0.5)
        k = [min(layer["kernel"], s) for s in spatial]
        p = layer["pad"] if min(k) > 1 else 0
        counted = {"count_include_pad": layer["counted"]} if layer["op"] == "AveragePool" else {}
        out = v["shape"][:2] + [(s + 2 * p - k[i]) // layer["stride"] + 1 for i, s in enumerate(spatial)]
        y = self.emit(layer["op"], [v["name"]], out, kernel_shape=k, strides=[layer["stride"]] * dims,
                      pads=[p] * (2 * dims), **counted)
        keep_levels = v if layer["op"] == "MaxPool" else {k: v[k] for k in v if k not in ("lo", "hi", "scale")}
        return dict(keep_levels, name=y, shape=out, rms=v["rms"])

    def do_trunc(self, v, layer, keep):
        """Only behind an average: a sum of so many bits, cut."""
        rng = np.random.default_rng(layer["drop"])
        q = {"kind": "quant", "bits": 8, "signed": True, "narrow": False, "mode": "ROUND", "zero_point": 0,
             "fine": 1.0, "per_channel": False}
        v = self.quantise(v, q, rng)
        inputs = [self.const(x, n) for x, n in [(v["scale"], "scale"), (0.0, "zp"), (8.0, "ibits"),
                                                (8.0 - layer["drop"], "obits")]]
        out = self.emit("Trunc", [v["name"]] + inputs, v["shape"], QONNX, rounding_mode=layer["mode"])
        return {"name": out, "shape": v["shape"], "rms": v["rms"] / 2 ** layer["drop"]}

    def do_move(self, v, layer, keep):
        op, shape = layer["op"], v["shape"]
        if op == "Flatten":
            out = [shape[0], int(np.prod(shape[1:]))]
            if len(shape) == 2:
                return v
            if self.spec["seed"] % 2:
                name = self.emit("Flatten", [v["name"]], out, axis=1)
            else:
                name = self.emit("Reshape", [v["name"], self.const([shape[0], -1], "shape", np.int64)], out)
            return dict(v, name=name, shape=out)
        if op == "Transpose" and len(shape) == 4:
            out = [shape[0], shape[1], shape[3], shape[2]]
            return dict(v, name=self.emit(op, [v["name"]], out, perm=[0, 1, 3, 2]), shape=out)
        if op == "Reshape":
            target = self.const(shape, "shape", np.int64)
            return dict(v, name=self.emit(op, [v["name"], target], shape))
        if op == "Identity":
            return dict(v, name=self.emit(op, [v["name"]], shape))
        if op in ("Pad", "Slice", "Resize") and len(shape) == 4:
            return self.resize(v, op)
        return v

    def resize(self, v, op):
        """Changes of the picture's size that only move numbers."""
        n, c, h, w = v["shape"]
        if op == "Pad":
            pads = self.const([0, 0, 0, 1, 0, 0, 1, 0], "pads", np.int64)
            out = [n, c, h + 1, w + 1]
            return dict(v, name=self.emit(op, [v["name"], pads], out), shape=out)
        if op == "Slice":
            ends = [self.const(x, "slice", np.int64) for x in ([0, 0], [max(1, h - 1), w], [2, 3])]
            out = [n, c, max(1, h - 1), w]
            return dict(v, name=self.emit(op, [v["name"]] + ends, out), shape=out)
        scales = self.const([1, 1, 2, 2], "scales")
        out = [n, c, 2 * h, 2 * w]
        name = self.emit(op, [v["name"], "", scales], out, mode="nearest", nearest_mode="floor",
                         coordinate_transformation_mode="asymmetric")
        return dict(v, name=name, shape=out)

    def do_branch(self, v, layer, keep):
        keep = layer["join"] != "Concat"
        left, right = v, v
        for item in layer["left"]:
            left = self.layer(left, item, keep)
        for item in layer["right"]:
            right = self.layer(right, item, keep)
        left, right = self.align(left, right, layer)
        if layer["join"] == "Concat":
            if left["shape"][2:] != right["shape"][2:] or len(left["shape"]) != len(right["shape"]):
                return left
            out = list(left["shape"])
            out[1] += right["shape"][1]
            name = self.emit("Concat", [left["name"], right["name"]], out, axis=1)
            return {"name": name, "shape": out, "rms": max(left["rms"], right["rms"])}
        name = self.emit(layer["join"], [left["name"], right["name"]], left["shape"])
        rms = left["rms"] * right["rms"] if layer["join"] == "Mul" else np.hypot(left["rms"], right["rms"])
        return {"name": name, "shape": left["shape"], "rms": float(rms)}

    def align(self, left, right, layer):
        """Quantise both sides again where their scales are to be related."""
        if layer["scales"] == "free":
            return left, right
        rng = np.random.default_rng(len(self.nodes))
        q = {"kind": "quant", "bits": 4, "signed": True, "narrow": False, "mode": "ROUND", "zero_point": 0,
             "fine": 1.0, "per_channel": False}
        left = self.quantise(left, q, rng)
        other = left["scale"] if layer["scales"] == "same" else np.float32(left["scale"] * 4)
        return left, self.quantise(right, q, rng, other)

    # -- the whole

    def start(self):
        spec = self.spec
        shape = [spec["batch"]] + spec["shape"]
        v = {"name": "x", "shape": shape, "rms": 1.0}
        if spec["input"]["kind"] == "quantised":
            return self.quantise(v, spec["input"]["q"], np.random.default_rng(spec["seed"]))
        v["rms"] = {"UINT8": 128, "INT8": 64, "INT4": 4}.get(spec["input"]["datatype"], 1)
        if spec["input"]["affine"] == "half":
            x = self.emit("Add", ["x", self.const([1.0])], shape)
            return dict(v, name=self.emit("Div", [x, self.const(2.0)], shape))
        if spec["input"]["affine"] == "scale":
            s = self.number(np.random.default_rng(spec["seed"]), 1 / v["rms"])
            return dict(v, name=self.emit("Mul", ["x", self.const(s)], shape), rms=float(s * v["rms"]))
        return v


DATATYPE_RANGES = {"BIPOLAR": None, "BINARY": (0, 1), "TERNARY": (-1, 1), "INT4": (-8, 7), "INT8": (-128, 127),
                   "UINT8": (0, 255)}


def make_inputs(spec, samples, start_scale):
    """Samples by the model's batch: a list of arrays shaped like its input."""
    rng = np.random.default_rng([spec["seed"], 99])
    shape = [samples, spec["batch"]] + spec["shape"]
    given = spec["input"]
    if given["kind"] == "annotated":
        bounds = DATATYPE_RANGES[given["datatype"]]
        x = rng.choice([-1, 1], shape) if bounds is None else rng.integers(bounds[0], bounds[1] + 1, shape)
    else:
        x = rng.normal(0, 1.2, shape)
        if spec["exact"]:	# on the quantiser's steps and half-way between them
            step = np.float64(np.max(start_scale)) / 2
            x = np.round(x / step) * step
    return list(np.asarray(x, np.float32))


def build(spec, samples=4):
    """The model (ModelProto) and its inputs (list of arrays)."""
    b = Builder(spec)
    v = b.start()
    start_scale = v.get("scale", 1.0)
    for layer in spec["layers"]:
        v = b.layer(v, layer)
    if v["name"] == "x":
        v = dict(v, name=b.emit("Identity", ["x"], v["shape"]))
    out = helper.make_tensor_value_info(v["name"], TensorProto.FLOAT, v["shape"])
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [spec["batch"]] + spec["shape"])
    inputs = [x]
    if spec["listed"]:		# initializers listed as inputs, as some exporters do
        inputs += [helper.make_tensor_value_info(t.name, t.data_type, t.dims) for t in b.initializers]
    b.infos.pop(v["name"], None)
    graph = helper.make_graph(b.nodes, "random", inputs, [out], b.initializers,
                              value_info=list(b.infos.values()))
    if spec["input"]["kind"] == "annotated":
        note = graph.quantization_annotation.add(tensor_name="x")
        note.quant_parameter_tensor_names.add(key="finn_datatype", value=spec["input"]["datatype"])
    opsets = [helper.make_opsetid("", opset_of(spec, b)), helper.make_opsetid(QONNX, 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    return model, make_inputs(spec, samples, start_scale)


def opset_of(spec, b):
    """Per-axis QuantizeLinear and Clip on int8 came with later opsets."""
    ops = {n.op_type for n in b.nodes}
    return max(spec["opset"], 13) if ops & {"QuantizeLinear", "Clip", "PRelu", "Resize"} else spec["opset"]
