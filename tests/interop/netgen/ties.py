"""Which samples of a network float32 cannot decide.

A value that quantisers or thresholds of real numbers decide about is computed
in float32, each sum in some order. Where it lies within the rounding error of
such sums from where the decision changes, as float64 shows, but not exactly on
it, another order may give the other answer.
"""

import numpy as np
import onnx

from .check import CLOSE, boundary_distance, quantiser_argument


def near_boundary(node, context):
    """Whether the node decides about such a value; None where it decides nothing."""
    if node.op_type in ("Quant", "BipolarQuant", "QuantizeLinear"):
        v, mode, lo, hi = quantiser_argument(node, context)
        distance = np.where((v > lo) & (v < hi), boundary_distance(v, mode), 1)
    elif node.op_type == "MultiThreshold":
        v = np.asarray(context[node.input[0]], np.float64)
        layout = next((a.s.decode() for a in node.attribute if a.name == "data_layout"), "NC" if v.ndim == 2 else "NCHW")
        t = np.asarray(context[node.input[1]], np.float64)
        axis = layout.index("C") if len(layout) == v.ndim else v.ndim - 1
        apart = np.moveaxis(v, axis, -1)[..., None] - t
        distance = np.abs(apart).min(initial=1, axis=-1)
        v = np.moveaxis(v, axis, -1)
    else:
        return None
    size = np.maximum(np.maximum(1, np.abs(v)), 0.1 * np.abs(v).max(initial=0))
    return bool(((distance > 0) & (distance <= CLOSE * size)).any())


def bits_of(node, context):
    if node.op_type == "Quant":
        return int(np.max(context[node.input[3]]))
    if node.op_type == "QuantizeLinear":
        return 8 * context[node.input[2]].dtype.itemsize if len(node.input) > 2 else 8
    return 1 if node.op_type == "BipolarQuant" else 8


def undecided(path, x):
    """For each sample along the first axis the fewest bits of a quantiser that decides about such a value, 0 for none."""
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    from qonnx.transformation.infer_shapes import InferShapes
    model = ModelWrapper(onnx.load(path)).transform(InferShapes())
    info = model.graph.input[0]
    batch = info.type.tensor_type.shape.dim[0].dim_value or 1
    samples = []
    for i in range(0, len(x), batch):
        context = execute_onnx(model, {info.name: x[i:i + batch]}, True)
        bits = [bits_of(n, context) for n in model.graph.node if near_boundary(n, context)]
        samples += [min(bits, default=0)] * batch
    return samples
