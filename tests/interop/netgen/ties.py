"""Between what and what the outputs of a network lie, given that float32 cannot decide some values.

A quantiser decides about a real number that is computed in float32, each sum in
some order. Where float64 shows it to lie within the rounding error of such sums
from where the decision changes, but not exactly on it, another order may give
the neighbouring level. That is all that may differ: so the network is evaluated
in float64 with an interval for each value, a tie gives its element the two levels
beside it as an interval, and the operators behind carry intervals on. An output
that no tie reaches has one value, and one that a tie reaches has the reach of that
tie. An operator without a rule here is an error, not a guess.
"""

from collections import namedtuple

import numpy as np
import onnx
import onnxruntime
from onnx.reference import ReferenceEvaluator
from qonnx.custom_op.registry import getCustomOp

from .check import CLOSE

# exact: float32 holds the numbers without rounding, and held all that they were computed from
Interval = namedtuple("Interval", "lo hi exact")


def held(*arrays):
    return all((a == a.astype(np.float32)).all() for a in arrays)


def interval(lo, hi, exact):
    return Interval(lo, hi, exact and held(lo, hi))


def between(exact, *candidates):
    return interval(np.minimum.reduce(candidates), np.maximum.reduce(candidates), exact)


def all_exact(inputs):
    return all(v.exact for v in inputs)


def attribute(node, name, default):
    return next((onnx.helper.get_attribute_value(a) for a in node.attribute if a.name == name), default)


def wide(array):
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def constant(array):
    return interval(wide(array), wide(array), True)


def name_of(node):
    """The operator's name in RULES: poolings with channels last have one name."""
    return "MaxPoolNHWC" if (node.domain, node.op_type) == ("qonnx.custom_op.channels_last", "MaxPool") else node.op_type


class Network:
    """Evaluates a model's nodes one by one; what depends on constants only is evaluated as it is stored."""

    def __init__(self, path):
        self.model = onnx.load(path)
        self.graph = self.model.graph
        self.bits = 64		# of the coarsest quantiser that has a tie, or decides about what one reaches
        self.fixed = {t.name: onnx.numpy_helper.to_array(t) for t in self.graph.initializer}

    def alone(self, node, arrays):
        """A model of that node, and what it is fed."""
        fed = {name: a for name, a in zip(node.input, arrays) if name}
        infos = [onnx.helper.make_tensor_value_info(n, onnx.helper.np_dtype_to_tensor_dtype(a.dtype), a.shape) for n, a in fed.items()]
        graph = onnx.helper.make_graph([node], "one", infos, [onnx.helper.make_empty_tensor_value_info(n) for n in node.output])
        return onnx.helper.make_model(graph, opset_imports=self.model.opset_import, ir_version=self.model.ir_version), fed

    def stored(self, node, arrays):
        """Outputs of a node for arrays as they are stored."""
        if node.domain.startswith("qonnx"):
            context = dict(zip(node.input, arrays))
            getCustomOp(node).execute_node(context, self.graph)
            return [context[name] for name in node.output]
        model, fed = self.alone(node, arrays)
        return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, fed)

    def node(self, node, arrays):
        """Outputs of a node in float64. Im2Col, which only moves elements, is qonnx's."""
        if node.op_type == "Im2Col":
            return [wide(y) for y in self.stored(node, [a.astype(np.float32) for a in arrays])]
        model, fed = self.alone(node, arrays)
        return [wide(y) for y in ReferenceEvaluator(model).run(None, fed)]

    def outputs(self, node, inputs):
        """Intervals of a node's outputs."""
        if all(name in self.fixed for name in node.input if name):
            self.fixed.update(zip(node.output, self.stored(node, [self.fixed.get(n) for n in node.input])))
            return [constant(self.fixed[n]) for n in node.output]
        rule = RULES.get(name_of(node))
        if not rule:
            raise NotImplementedError(f"netgen/ties.py has no rule for {node.op_type}")
        return rule(self, node, inputs)

    def run(self, x):
        """The interval of the first output."""
        values = {self.graph.input[0].name: constant(x), "": Interval(None, None, True)}
        for node in self.graph.node:
            inputs = [values.get(n) or constant(self.fixed[n]) for n in node.input]
            values.update((n, v) for n, v in zip(node.output, self.outputs(node, inputs)) if n not in self.fixed)
        return values[self.graph.output[0].name]


# -- operators whose outputs grow with each input or that only move elements

def growing(net, node, inputs):
    lo = net.node(node, [v.lo for v in inputs])
    hi = net.node(node, [v.hi for v in inputs])
    return [between(all_exact(inputs), *pair) for pair in zip(lo, hi)]


def channels_last(net, node, inputs):
    first = onnx.helper.make_node("MaxPool", node.input, node.output)
    first.attribute.extend(node.attribute)
    turned = [Interval(np.moveaxis(v.lo, -1, 1), np.moveaxis(v.hi, -1, 1), v.exact) for v in inputs]
    return [Interval(np.moveaxis(v.lo, 1, -1), np.moveaxis(v.hi, 1, -1), v.exact) for v in growing(net, first, turned)]


# -- element-wise operators that rise or fall along each input, with a bend at zero at most

def elementwise(net, node, inputs):
    found = [[]]
    for v in inputs:
        ends = [v.lo] if v.lo is v.hi else [v.lo, v.hi, np.clip(0, v.lo, v.hi)]
        found = [row + [end] for row in found for end in ends]
    return [between(all_exact(inputs), *results) for results in zip(*(net.node(node, row) for row in found))]


# -- sums of products: the middle, and how far the inputs' halves of their widths reach

def products(net, node, inputs):
    a, b = inputs[:2]
    middle = [(v.lo + v.hi) / 2 for v in (a, b)]
    half = [wide(np.asarray(v.hi - v.lo)) / 2 for v in (a, b)]
    bias = [v.lo for v in inputs[2:]]
    zeros = [np.zeros_like(c) for c in bias]
    y = net.node(node, middle + bias)[0]
    reach = 0
    for left, right in [(np.abs(middle[0]), half[1]), (half[0], np.abs(middle[1])), (half[0], half[1])]:
        if left.any() and right.any():
            reach = reach + net.node(node, [left, right, *zeros])[0]
    return [interval(y - reach, y + reach, all_exact(inputs))]


def softmax(net, node, inputs):
    """Grows with its own element and falls with the others."""
    v, axis = inputs[0], attribute(node, "axis", -1)
    top = v.hi.max(axis=axis, keepdims=True)
    lo, hi = np.exp(v.lo - top), np.exp(v.hi - top)
    others = [e.sum(axis=axis, keepdims=True) - e for e in (lo, hi)]
    return [Interval(lo / (lo + others[1]), hi / (hi + others[0]), False)]


# -- what decides

def decided(net, v, bits, level):
    """level(), of so many bits, of real numbers that float32 has computed."""
    def off(end):
        size = np.maximum(np.maximum(1, np.abs(end)), 0.1 * np.abs(end).max(initial=0))	# sums that cancel keep the error
        return 0 if v.exact else CLOSE * size
    result = between(True, level(v.lo - off(v.lo)), level(v.hi + off(v.hi)))
    if (result.lo != result.hi).any():
        net.bits = min(net.bits, bits)
    return [result]


def along(parameter, axis, rank):
    """A parameter of one axis, as it is to be broadcast."""
    return parameter.reshape([-1 if i == axis % rank else 1 for i in range(rank)]) if parameter.ndim == 1 and parameter.size > 1 else parameter


def quant(net, node, inputs):
    from qonnx.custom_op.general.quant import max_int, min_int, resolve_rounding_mode
    x, scale, zero, bits = inputs[0], *(v.lo.astype(np.float64) for v in inputs[1:])
    signed, narrow = attribute(node, "signed", 1), attribute(node, "narrow", 0)
    rounded = resolve_rounding_mode(attribute(node, "rounding_mode", b"ROUND").decode())
    lo, hi = min_int(signed, narrow, bits), max_int(signed, narrow, bits)
    v = between(x.exact, x.lo / scale + zero, x.hi / scale + zero)
    return decided(net, v, int(bits.max()), lambda v: (rounded(np.clip(v, lo, hi)) - zero) * scale)


def bipolar(net, node, inputs):
    scale = inputs[1].lo.astype(np.float64)
    return decided(net, inputs[0], 1, lambda v: np.where(v >= 0, scale, -scale))


def scale_and_zero(node, inputs):
    """Scale, zero point and the latter's type, of QuantizeLinear and DequantizeLinear."""
    axis, rank = attribute(node, "axis", 1), inputs[0].lo.ndim
    scale = along(inputs[1].lo.astype(np.float64), axis, rank)
    zero = inputs[2].lo if len(inputs) > 2 else np.uint8(0)
    return scale, along(zero.astype(np.float64), axis, rank), zero.dtype


def quantize(net, node, inputs):
    scale, zero, stored = scale_and_zero(node, inputs)
    lo, hi = np.iinfo(stored).min, np.iinfo(stored).max
    v = between(inputs[0].exact, inputs[0].lo / scale, inputs[0].hi / scale)
    return decided(net, v, 8 * stored.itemsize, lambda v: np.clip(np.rint(v) + zero, lo, hi))


def dequantize(net, node, inputs):
    scale, zero, _ = scale_and_zero(node, inputs)
    return [between(True, (inputs[0].lo - zero) * scale, (inputs[0].hi - zero) * scale)]


def multithreshold(net, node, inputs):
    x, thresholds = inputs[0], np.sort(inputs[1].lo.astype(np.float64), axis=1)
    rank = x.lo.ndim
    layout = attribute(node, "data_layout", b"NC" if rank == 2 else b"NCHW").decode()
    axis = layout.index("C") if len(layout) == rank else rank - 1
    scale, bias = attribute(node, "out_scale", 1.0), attribute(node, "out_bias", 0.0)

    def level(v):
        rows = np.moveaxis(v, axis, 0)
        passed = [np.searchsorted(thresholds[i % len(thresholds)], row, side="right") for i, row in enumerate(rows)]
        return np.moveaxis(np.stack(passed), 0, axis) * scale + bias
    return decided(net, x, int(np.log2(thresholds.shape[1] + 1)), level)


def cut(net, node, inputs):
    """Rounding to whole numbers by operators of ONNX; a Cast to real numbers only stores."""
    real = node.op_type == "Cast" and attribute(node, "to", 0) in (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE)
    if real:
        return [interval(v.lo.astype(np.float64), v.hi.astype(np.float64), v.exact) for v in inputs]
    return decided(net, inputs[0], 1, lambda v: net.node(node, [v])[0].astype(np.float64))


RULES = {op: growing for op in (
    "Relu Clip Sigmoid Tanh Erf Exp Identity Dropout MaxPool AveragePool GlobalAveragePool GlobalMaxPool ReduceSum ReduceMean "
    "ReduceMax ReduceMin Reshape Flatten Transpose Squeeze Unsqueeze Concat Pad Slice Split Gather Resize Im2Col Add Min Max").split()}
RULES |= {op: elementwise for op in "Sub Mul Div Neg Abs PRelu LeakyRelu".split()}
RULES |= {op: products for op in "Conv ConvTranspose MatMul Gemm".split()}
RULES |= {op: cut for op in "Cast Floor Ceil Round".split()}
RULES |= {"Softmax": softmax, "Quant": quant, "BipolarQuant": bipolar, "QuantizeLinear": quantize, "DequantizeLinear": dequantize,
          "MultiThreshold": multithreshold, "MaxPoolNHWC": channels_last}


def bounds(path, x):
    """The least and the greatest that the network's first output can be for the samples x; the bits of the coarsest quantiser with a tie."""
    net = Network(path)
    batch = net.graph.input[0].type.tensor_type.shape.dim[0].dim_value or 1
    parts = [net.run(x[i:i + batch]) for i in range(0, len(x), batch)]
    return np.concatenate([p.lo for p in parts]), np.concatenate([p.hi for p in parts]), net.bits
