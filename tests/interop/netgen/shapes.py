"""Draw small networks in which shapes and axes matter, and make ONNX models of them.

Parameters lie along any axis, reductions go over any set of axes, poolings are
channels first or last, values have two to five axes, inputs are float, uint8
or int8, weights have scales of either sign along any of their axes. All
numbers have few bits, so that float32 computes everything without rounding:
ties are ties, and there is one right answer.
"""

import numpy as np
from onnx import TensorProto, helper, numpy_helper, shape_inference

QONNX = "qonnx.custom_op.general"
CHANNELS_LAST = "qonnx.custom_op.channels_last"
MODES = ["ROUND", "CEIL", "FLOOR", "UP", "DOWN", "HALF_UP", "HALF_DOWN"]
LENGTHS = [2, 4, 8]		# powers of two: means are exact
STORED = {"uint8": (np.uint8, TensorProto.UINT8), "int8": (np.int8, TensorProto.INT8)}


class Maker:
    """Grows a graph around one random generator; follows the shape of the current value."""

    def __init__(self, seed, opset):
        self.rng = np.random.default_rng([77, seed])
        self.opset = opset
        self.nodes, self.constants, self.pieces = [], [], []
        self.count = 0

    # -- drawing

    def chance(self, p):
        return bool(self.rng.random() < p)

    def of(self, items):
        return items[int(self.rng.integers(len(items)))]

    def powers(self, shape, lo=-2, hi=1):
        return np.float32(2.0 ** self.rng.integers(lo, hi + 1, shape))

    def eighths(self, shape):
        return np.float32(self.rng.integers(-24, 25, shape) / 8)

    # -- pieces of a graph

    def const(self, array, dtype=np.float32):
        self.count += 1
        name = f"c{self.count}"
        self.constants.append(numpy_helper.from_array(np.asarray(array, dtype), name))
        return name

    def emit(self, op, inputs, domain="", outputs=1, **attrs):
        names = []
        for _ in range(outputs):
            self.count += 1
            names.append(f"v{self.count}")
        self.nodes.append(helper.make_node(op, inputs, names, domain=domain, **attrs))
        return names[0] if outputs == 1 else names

    def along(self, shape, axis):
        """Shape of a parameter along that axis; axes of length 1 in front may be left out."""
        dims = [n if i == axis else 1 for i, n in enumerate(shape)]
        return dims[axis:] if self.chance(0.4) else dims

    def axis(self, shape):
        return int(self.rng.integers(1, len(shape))) if len(shape) > 1 else 0

    def quant(self, v, shape, per_axis=0.25, signed=None):
        """A quantiser, sometimes with a scale for each element of some axis."""
        axis = self.axis(shape)
        scale = self.powers([n if i == axis else 1 for i, n in enumerate(shape)] if self.chance(per_axis) else ())
        if self.chance(0.08):
            return self.emit("BipolarQuant", [v, self.const(self.powers(()))], QONNX)
        zero = int(self.rng.integers(-2, 3)) if self.chance(0.15) else 0
        return self.emit("Quant", [v, self.const(scale), self.const(zero), self.const(self.of([3, 4, 5]))], QONNX,
                         signed=int(self.chance(0.75) if signed is None else signed), narrow=int(self.chance(0.2)),
                         rounding_mode=self.of(MODES))

    def weight(self, shape):
        """Quantised weights with a scale along any axis, of any sign, as Quant or as DequantizeLinear."""
        axis = self.of([None] + list(range(len(shape))))
        scale_shape = () if axis is None else [n if i == axis else 1 for i, n in enumerate(shape)]
        scale = self.powers(scale_shape, -3, -1)
        if self.chance(0.3):
            integers = self.rng.integers(-7, 8, shape)
            attrs = {} if axis is None else {"axis": axis}
            return self.emit("DequantizeLinear", [self.const(integers, np.int8), self.const(np.ravel(scale) if scale.shape else scale),
                                                  self.const(np.zeros(scale.size if scale.shape else ()), np.int8)], **attrs)
        if self.chance(0.3):
            scale = scale * np.float32(self.of([-1, 1]) if self.chance(0.5) else self.rng.choice([-1, 1], scale_shape))
        return self.emit("Quant", [self.const(self.eighths(shape) / 2), self.const(scale), self.const(0), self.const(4)], QONNX,
                         signed=1, narrow=int(self.chance(0.5)), rounding_mode=self.of(MODES))

    # -- operators; each returns (name, shape)

    def elementwise(self, v, shape):
        """One element-wise operator, with a parameter along any axis (or two)."""
        op = self.of(["Add", "Sub", "Mul", "Div", "PRelu", "Relu", "LeakyRelu", "Neg", "Clip", "Abs"])
        if op in ("Relu", "Neg", "Abs"):
            return self.emit(op, [v]), shape
        if op == "LeakyRelu":
            return self.emit(op, [v], alpha=self.of([0.5, 0.25, -0.5])), shape
        if op == "Clip":
            return self.emit(op, [v, self.const(-1.5), self.const(2.25)]), shape
        if self.chance(0.1) and len(shape) > 2:
            dims = [1, *shape[1:]]		# along all axes: nothing that thresholds of channels can hold
        else:
            dims = self.along(shape, self.axis(shape)) if self.chance(0.8) else ()
        numbers = self.powers(dims) if op in ("Mul", "Div", "PRelu") else self.eighths(dims)
        if op in ("Mul", "Div") and self.chance(0.3):
            numbers = numbers * self.rng.choice([-1, 1], dims)
        parameter = self.const(numbers)
        swapped = op in ("Add", "Sub", "Mul") and self.chance(0.2)
        return self.emit(op, [parameter, v] if swapped else [v, parameter]), shape

    def reduce(self, v, shape):
        ops = ["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin"]
        axes = sorted(int(a) for a in self.rng.choice(np.arange(1, len(shape)), self.rng.integers(1, len(shape)), False))
        op, keep = self.of(ops), self.chance(0.6)
        written = [a - len(shape) if self.chance(0.3) else a for a in axes]
        by_input = self.opset >= 18 or (op == "ReduceSum" and self.opset >= 13)
        args = [v, self.const(written, np.int64)] if by_input else [v]
        attrs = {} if by_input else {"axes": written}
        left = [1 if i in axes else n for i, n in enumerate(shape) if keep or i not in axes]
        return self.emit(op, args, keepdims=int(keep), **attrs), left

    def pool(self, v, shape):
        """Over two-by-two pixels, channels first or last."""
        op = self.of(["MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"] + ["last"] * (len(shape) == 4))
        if op == "last":
            left = [shape[0], *[n // 2 for n in shape[1:-1]], shape[-1]]
            return self.emit("MaxPool", [v], CHANNELS_LAST, kernel_shape=[2, 2], strides=[2, 2], pads=[0, 0, 0, 0]), left
        if op.startswith("Global"):
            return self.emit(op, [v]), shape[:2] + [1] * (len(shape) - 2)
        window = [2] * (len(shape) - 2)
        return self.emit(op, [v], kernel_shape=window, strides=window), shape[:2] + [n // 2 for n in shape[2:]]

    def part(self, v, shape):
        """A part of an axis, or of each of two branches one; zeros around."""
        axis = self.axis(shape)
        n = shape[axis]
        kind = self.of(["Slice", "Slice", "Pad", "Gather", "Split"])
        first, behind = (int(i) for i in self.rng.integers(0, max(n // 2, 1), 2))
        if kind == "Pad":
            pads = [0] * (2 * len(shape))
            pads[axis], pads[len(shape) + axis] = first, behind
            return self.emit("Pad", [v, self.const(pads, np.int64)]), [m + first + behind if i == axis else m for i, m in enumerate(shape)]
        if kind == "Split" and n > 1:
            sizes = [first + 1, n - first - 1] if n - first - 1 > 0 else [1, n - 1]
            parts = self.emit("Split", [v, self.const(sizes, np.int64)], axis=axis, outputs=2)
            left = [m if i != axis else sizes[0] for i, m in enumerate(shape)]
            if self.chance(0.5):
                return parts[0], left
            right = [m if i != axis else sizes[1] for i, m in enumerate(shape)]
            turned = self.emit("Concat", [self.quant(parts[1], right), self.quant(parts[0], left)], axis=axis)
            return turned, shape
        if kind == "Gather":
            return self.emit("Gather", [v, self.const(list(range(first, n - behind)), np.int64)], axis=axis), [
                n - behind - first if i == axis else m for i, m in enumerate(shape)]
        step = self.of([1, 1, 2])
        bounds = [self.const([i], np.int64) for i in (first, n - behind, axis, step)]
        return self.emit("Slice", [v, *bounds]), [-(-(n - behind - first) // step) if i == axis else m for i, m in enumerate(shape)]

    def resize(self, v, shape):
        nearest = self.of(["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"])
        where = self.of(["asymmetric", "half_pixel", "align_corners", "pytorch_half_pixel"])
        factors = [1, 1, self.of([1, 2, 4]), self.of([1, 2])]
        return self.emit("Resize", [v, "", self.const(factors)], mode="nearest", nearest_mode=nearest,
                         coordinate_transformation_mode=where), [n * f for n, f in zip(shape, factors)]

    def conv(self, v, shape):
        channels = shape[1]
        groups = self.of([1, 1, channels, 2 if channels % 2 == 0 else 1])
        transposed, spatial = self.chance(0.35), len(shape) - 2
        kernel = [self.of([1, 2, 3]) for _ in range(spatial)]
        per_group = self.of([1, 2])
        attrs = {"group": groups, "kernel_shape": kernel}
        if transposed:
            w = self.weight([channels, per_group, *kernel])
            out = self.emit("ConvTranspose", [v, w], strides=[2] * spatial, **attrs)
            return out, [shape[0], per_group * groups, *[2 * (n - 1) + k for n, k in zip(shape[2:], kernel)]]
        w = self.weight([per_group * groups, channels // groups, *kernel])
        pads = [0] * spatial + [k - 1 for k in kernel]
        return self.emit("Conv", [v, w], pads=pads, **attrs), [shape[0], per_group * groups, *shape[2:]]

    def matmul(self, v, shape):
        out = self.of(LENGTHS)
        return self.emit("MatMul", [v, self.weight([shape[-1], out])]), shape[:-1] + [out]

    def join(self, v, shape):
        """Two branches with quantisers of their own, added or concatenated along any axis."""
        left, right = self.quant(v, shape), self.quant(v, shape)
        if self.chance(0.5):
            return self.emit(self.of(["Add", "Sub", "Mul"]), [left, right]), shape
        axis = self.axis(shape)
        return (self.emit("Concat", [left, right], axis=axis),
                [2 * n if i == axis else n for i, n in enumerate(shape)])

    def move(self, v, shape):
        if self.chance(0.5) and len(shape) > 2:
            perm = [0] + [int(a) + 1 for a in self.rng.permutation(len(shape) - 1)]
            return self.emit("Transpose", [v], perm=perm), [shape[p] for p in perm]
        flat = [shape[0], int(np.prod(shape[1:]))]
        return self.emit("Reshape", [v, self.const(flat, np.int64)]), flat

    def layer(self, v, shape):
        """One operator that fits the shape, then element-wise ones, then a quantiser."""
        kinds = ["elementwise", "elementwise", "join", "move", "matmul", "part"]
        kinds += ["reduce"] if len(shape) > 2 else []
        kinds += ["conv"] if len(shape) in (3, 4) else []
        kinds += ["pool", "pool", "resize"] if len(shape) == 4 and min(shape[1:]) > 1 else []
        kinds += ["pool"] if len(shape) == 3 and shape[2] > 1 else []
        kind = self.of(kinds)
        if kind == "pool" and self.chance(0.6):
            v, shape = self.elementwise(v, shape)		# scales that poolings join, or do not
        v, shape = getattr(self, kind)(v, shape)
        self.pieces.append(self.nodes[-1].op_type)
        for _ in range(int(self.rng.integers(0, 3))):
            v, shape = self.elementwise(v, shape)
            self.pieces.append(self.nodes[-1].op_type)
        return self.quant(v, shape), shape


def integer_input(maker, stored, shape):
    """A graph input of integers: as it is, or dequantised."""
    dtype, _ = STORED[stored]
    if maker.chance(0.5):
        return maker.emit("Cast", ["x"], to=TensorProto.FLOAT)
    return maker.emit("DequantizeLinear", ["x", maker.const(maker.powers(())), maker.const(maker.of([0, 3]), dtype)])


def onnx_shapes(maker, elem, shape):
    """Shapes of all values between, which qonnx wants to know: element-wise operators keep them, ONNX infers the rest."""
    known = {"x": helper.make_tensor_value_info("x", elem, shape)}
    values = {c.name: c for c in maker.constants}
    for node in maker.nodes:
        if node.domain == QONNX:
            like = known.get(node.input[0])
            dims = [d.dim_value for d in like.type.tensor_type.shape.dim] if like else list(values[node.input[0]].dims)
            known[node.output[0]] = helper.make_tensor_value_info(node.output[0], TensorProto.FLOAT, dims)
            continue
        if node.domain == CHANNELS_LAST:
            dims = [d.dim_value for d in known[node.input[0]].type.tensor_type.shape.dim]
            dims = [dims[0], *[n // 2 for n in dims[1:-1]], dims[-1]]
            known[node.output[0]] = helper.make_tensor_value_info(node.output[0], TensorProto.FLOAT, dims)
            continue
        one = helper.make_graph([node], "one", [known[i] for i in dict.fromkeys(node.input) if i in known],
                                [helper.make_empty_tensor_value_info(o) for o in node.output],
                                [values[i] for i in dict.fromkeys(node.input) if i in values])
        model = helper.make_model(one, opset_imports=[helper.make_opsetid("", maker.opset)], ir_version=8)
        for info in shape_inference.infer_shapes(model, strict_mode=True).graph.output:
            known[info.name] = info
    return [info for name, info in known.items() if name not in ("x", "y")]


def draw(seed, samples=3):
    """(model, inputs, names of the operators drawn) for one seed."""
    opset = [13, 17, 18][seed % 3]
    maker = Maker(seed, opset)
    rank = maker.of([2, 3, 3, 4, 4, 4, 5])
    shape = [1] + [maker.of(LENGTHS[:2] if rank > 3 else LENGTHS) for _ in range(rank - 1)]
    stored = maker.of([None, None, None, "uint8", "int8"])
    elem = STORED[stored][1] if stored else TensorProto.FLOAT
    first = integer_input(maker, stored, shape) if stored else "x"
    v, now = (first, list(shape)) if stored else (maker.quant(first, shape), list(shape))
    for _ in range(int(maker.rng.integers(1, 4))):
        v, now = maker.layer(v, now)
    if maker.chance(0.5):
        v, now = maker.elementwise(v, now)
    maker.nodes[-1].output[0] = "y"
    infos = onnx_shapes(maker, elem, shape)
    graph = helper.make_graph(
        maker.nodes, f"shapes_{seed}", [helper.make_tensor_value_info("x", elem, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, now)], maker.constants, value_info=infos)
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid(QONNX, 1), helper.make_opsetid(CHANNELS_LAST, 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    if stored:
        info = np.iinfo(STORED[stored][0])
        inputs = [maker.rng.integers(info.min, info.max + 1, shape).astype(STORED[stored][0]) for _ in range(samples)]
    else:
        inputs = [maker.eighths(shape) * np.float32(2) for _ in range(samples)]
    return model, inputs, maker.pieces
