#!/usr/bin/env python3
"""ONNX Runtime's own operators (com.microsoft), and recurrent layers in all their variants, executed by qcc and by onnxruntime on random inputs of several shapes.

Floats agree within 1e-5 of the largest; of quantised outputs, which onnxruntime computes with tables and ratios of its
own, one in a hundred elements may be one step off.
"""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import numpy as np
    import onnx
    import onnxruntime
    from onnx import TensorProto as T
    from onnx import helper
except ImportError as e:
    print(f"1..0 # SKIP {e}")
    sys.exit(0)

QCC = os.environ.get("QCC", "./qcc")
SHAPES = [(1, 6), (2, 3, 5), (1, 4, 3, 7)]
IMAGES = [(1, 4, 5, 6), (2, 3, 7, 4)]
rng = np.random.default_rng(16)


def f(*shape, scale=1.0):
    return (rng.standard_normal(shape) * scale).astype(np.float32)


def u8(*shape):
    return rng.integers(0, 256, shape, dtype=np.uint8)


def i8(*shape):
    return rng.integers(-128, 128, shape, dtype=np.int8)


def scale(x=0.02):
    return np.float32(x)


def zero(x=128):
    return np.uint8(x)


def positive(*shape):
    return rng.uniform(0.002, 0.02, shape).astype(np.float32)


# Each: operator, inputs (arrays; those given in a list are constants; None: left out), attributes, type of the output.
def quantised():
    for s in SHAPES:
        channel = (s[-1],)
        yield "QLinearAdd", [u8(*s), [scale(0.0213)], [zero()], u8(*s), [scale(0.0307)], [zero(100)], [scale(0.0431)], [zero(120)]], {}, T.UINT8
        yield "QLinearMul", [u8(*s), [scale()], [zero()], u8(*channel), [scale(0.03)], [zero(90)], [scale(0.05)], [zero(120)]], {}, T.UINT8
        yield "QLinearSigmoid", [u8(*s), [scale(0.05)], [zero()], [scale(1 / 256)], [zero(0)]], {}, T.UINT8
        yield "QLinearLeakyRelu", [i8(*s), [scale()], [np.int8(5)], [scale(0.015)], [np.int8(-20)]], {"alpha": 0.1}, T.INT8
        yield "QLinearSoftmax", [u8(*s), [scale(0.03)], [zero()], [scale(1 / 256)], [zero(0)]], {"axis": -1, "opset": 13}, T.UINT8
        yield "QLinearConcat", [[scale(0.03)], [zero()], u8(*s), [scale()], [zero()], u8(*s), [scale(0.04)], [zero(99)]], {"axis": 1}, T.UINT8
        yield "QLinearWhere", [rng.random(s) < 0.5, u8(*s), [scale()], [zero()], u8(*s), [scale(0.04)], [zero(99)], [scale(0.03)], [zero(110)]], {}, T.UINT8
        for dtype in (T.UINT16, T.INT16, T.UINT4, T.INT4):
            z = helper.make_tensor("z", dtype, [], [3])
            yield "QuantizeLinear", [f(*s), [scale(0.1 if dtype in (T.UINT4, T.INT4) else 0.0003)], [z]], {}, dtype
    for s in IMAGES:
        for last in (0, 1):
            yield "QLinearGlobalAveragePool", [u8(*s), [scale()], [zero()], [scale(0.01)], [zero(117)]], {"channels_last": last}, T.UINT8
        yield "QLinearAveragePool", [u8(*s), [scale()], [zero()], [scale(0.018)], [zero(117)]], {"kernel_shape": [2, 3], "strides": [2, 1]}, T.UINT8


def products():
    for m, k, n in ((1, 6, 4), (3, 16, 5), (4, 33, 8)):
        yield "QGemm", [u8(m, k), [scale()], [zero()], [i8(k, n)], [positive(n)], [np.zeros(n, np.int8)],
                        [rng.integers(-900, 900, n, dtype=np.int32)], [scale(0.08)], [zero()]], {}, T.UINT8
        yield "QGemm", [u8(m, k), [scale()], [zero()], [i8(n, k)], [scale(0.01)], [np.int8(0)]], {"transB": 1}, T.FLOAT
        yield "MatMulIntegerToFloat", [u8(m, k), [i8(k, n)], [scale()], [positive(n)], [zero()], [np.zeros(n, np.int8)], [f(n)]], {}, T.FLOAT
        yield "DynamicQuantizeMatMul", [f(m, k), [i8(k, n)], [scale(0.01)], [np.int8(3)], [f(n)]], {}, T.FLOAT
        yield "FusedMatMul", [f(m, k), f(n, k)], {"transB": 1, "alpha": 0.5}, T.FLOAT
    for bits, with_zeros in ((4, False), (4, True), (8, False)):
        k, n, size = 48, 5, 16
        blob = u8(n, k // size, size * bits // 8)
        zeros = u8(n * ((k // size * bits + 7) // 8)) if with_zeros else None
        yield "MatMulNBits", [f(3, k), [blob], [positive(n * k // size)]] + ([[zeros]] if with_zeros else []), \
            {"K": k, "N": n, "bits": bits, "block_size": size}, T.FLOAT


def floats():
    for s in SHAPES:
        yield "Gelu", [f(*s)], {}, T.FLOAT
        yield "QuickGelu", [f(*s)], {"alpha": 1.5}, T.FLOAT
        yield "FastGelu", [f(*s), f(s[-1])], {}, T.FLOAT
        yield "BiasGelu", [f(*s), f(s[-1])], {}, T.FLOAT
    for s in ((1, 3, 8), (2, 5, 6)):
        h = s[-1]
        yield "SkipLayerNormalization", [f(*s), f(*s), f(h), f(h), f(h)], {"epsilon": 1e-5}, T.FLOAT
        yield "SkipLayerNormalization", [f(*s), f(*s), f(h)], {}, T.FLOAT
        yield "SkipSimplifiedLayerNormalization", [f(*s), f(*s), f(h)], {"epsilon": 1e-5}, T.FLOAT


# Output 0 is all states, output 1 the last ones.
def recurrent():
    length, batch, size, hidden = 5, 3, 4, 6
    lengths = [np.array([5, 2, 4], np.int32)]
    for gates, op, names in ((1, "RNN", ["Tanh"]), (3, "GRU", ["Sigmoid", "Tanh"]), (4, "LSTM", ["Sigmoid", "Tanh", "Tanh"])):
        for direction in ("forward", "reverse", "bidirectional"):
            d = 2 if direction == "bidirectional" else 1
            weights = [f(length, batch, size), [f(d, gates * hidden, size)], [f(d, gates * hidden, hidden)], [f(d, 2 * gates * hidden)]]
            start = [f(d, batch, hidden)] * (2 if op == "LSTM" else 1)
            plain = {"hidden_size": hidden, "direction": direction}
            for output in (0, 1):
                yield op, weights + [lengths] + start, {**plain, "output": output}, T.FLOAT
            others = {"activations": (["HardSigmoid", "LeakyRelu", "Softsign"][:len(names)]) * d,
                      "activation_alpha": [0.3, 0.2][:len(names)] * d, "activation_beta": [0.4] * d, "clip": 0.9}
            yield op, weights + [None] + start, {**plain, **others}, T.FLOAT
            if op == "GRU":
                yield op, weights, {**plain, "linear_before_reset": 1}, T.FLOAT
            if op == "LSTM":
                yield op, weights + [None] + start + [[f(d, 3 * hidden)]], {**plain, "input_forget": 1}, T.FLOAT


def model_of(op, inputs, attributes, out_type):
    names, graph_inputs, constants = [], [], []
    for i, x in enumerate(inputs):
        names.append(f"i{i}" if x is not None else "")
        if isinstance(x, list):
            t = x[0] if isinstance(x[0], onnx.TensorProto) else onnx.numpy_helper.from_array(np.asarray(x[0]))
            t.name = names[-1]
            constants.append(t)
        elif x is not None:
            graph_inputs.append(helper.make_tensor_value_info(names[-1], helper.np_dtype_to_tensor_dtype(x.dtype), x.shape))
    attributes = dict(attributes)
    outputs = [""] * attributes.pop("output", 0) + ["y"]
    domain = "" if op in ("RNN", "GRU", "LSTM") else "com.microsoft"
    node = helper.make_node(op, names, outputs, domain=domain, **attributes)
    nodes = [node]
    if out_type in (T.UINT4, T.INT4):   # onnxruntime hands out no arrays of these
        node.output[0], out_type = "q", T.FLOAT
        nodes.append(helper.make_node("DequantizeLinear", ["q", *names[1:]], ["y"], domain="com.microsoft"))
    graph = helper.make_graph(nodes, "g", graph_inputs, [helper.make_tensor_value_info("y", out_type, None)], constants)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def by_qcc(folder, model, feeds):
    onnx.save(model, folder / "m.onnx")
    np.savez(folder / "in.npz", **feeds)
    done = subprocess.run([QCC, "run", "-q", folder / "m.onnx", folder / "in.npz", "-o", folder / "y.npy"],
                          capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return np.load(folder / "y.npy")


def off(got, want, out_type):
    """What is wrong; an empty text where nothing is."""
    if got.size != want.size:
        return f"{got.shape} instead of {want.shape}"
    difference = np.abs(got.astype(np.float64).reshape(want.shape) - want.astype(np.float64))
    if out_type == T.FLOAT:
        return "" if difference.max() <= 1e-5 * max(np.abs(want).max(), 1) else f"off by {difference.max():.3g}"
    many = (difference > 0).mean()
    return "" if difference.max() <= 1 and many <= 0.01 + 1 / want.size else f"{many:.1%} off, by up to {difference.max()}"


def main():
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for op, inputs, attributes, out_type in [*quantised(), *products(), *floats(), *recurrent()]:
            model = model_of(op, inputs, attributes, out_type)
            feeds = {f"i{i}": x for i, x in enumerate(inputs) if x is not None and not isinstance(x, list)}
            try:
                want = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, feeds)[0]
                wrong = off(by_qcc(Path(folder), model, feeds), want, out_type)
            except Exception as e:  # noqa: BLE001  (onnxruntime raises many kinds)
                wrong = f"{type(e).__name__}: {e}"
            cases = results.setdefault(op, [])
            cases.append(f"{[x.shape for x in feeds.values()]}: {wrong}" if wrong else "")
    print(f"1..{len(results)}")
    for i, (op, cases) in enumerate(results.items()):
        bad = [c for c in cases if c]
        print(f"{'not ' if bad else ''}ok {i + 1} - {op}, {len(cases)} cases")
        for c in bad:
            print(f"# {c}")


main()
