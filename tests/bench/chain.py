"""A chain of quantised dense layers, of any length, as an ONNX file."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

QONNX = "qonnx.custom_op.general"


def chain(layers, width=8, seed=1):
    """Five nodes a layer (weight quantiser, MatMul, BatchNormalization, Relu, quantiser) and the input's
    quantiser: 5 L + 1 nodes. Parameters of quantisers and normalisations are shared, weights are not.
    Returns the model and the bytes of its weights."""
    rng = np.random.default_rng(seed)
    weights = rng.choice([-0.5, 0.0, 0.5], (layers, width, width)).astype(np.float32)
    shared = {"half": 0.5, "act": 0.75, "zero": 0.0, "two": 2.0}
    inits = [numpy_helper.from_array(np.float32(v), k) for k, v in shared.items()]
    inits += [numpy_helper.from_array(np.asarray(v, np.float32), k) for k, v in
              {"gamma": rng.uniform(0.5, 1.5, width), "beta": rng.normal(0, 0.2, width),
               "mean": rng.normal(0, 0.2, width), "var": rng.uniform(0.5, 2, width)}.items()]
    nodes = [helper.make_node("Quant", ["x", "act", "zero", "two"], ["a0"], "quant_in", domain=QONNX,
                              signed=1, narrow=0, rounding_mode="ROUND")]
    for i in range(layers):
        inits.append(numpy_helper.from_array(weights[i], f"w{i}"))
        nodes += [
            helper.make_node("Quant", [f"w{i}", "half", "zero", "two"], [f"q{i}"], f"quant_w{i}", domain=QONNX,
                             signed=1, narrow=1, rounding_mode="ROUND"),
            helper.make_node("MatMul", [f"a{i}", f"q{i}"], [f"m{i}"], f"matmul{i}"),
            helper.make_node("BatchNormalization", [f"m{i}", "gamma", "beta", "mean", "var"], [f"n{i}"], f"bn{i}"),
            helper.make_node("Relu", [f"n{i}"], [f"r{i}"], f"relu{i}"),
            helper.make_node("Quant", [f"r{i}", "act", "zero", "two"], [f"a{i + 1}"], f"quant{i}", domain=QONNX,
                             signed=0, narrow=0, rounding_mode="ROUND"),
        ]
    shape = [1, width]
    graph = helper.make_graph(nodes, "chain", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info(f"a{layers}", TensorProto.FLOAT, shape)], inits)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13), helper.make_opsetid(QONNX, 1)],
                              ir_version=8)
    return model, weights.nbytes


def write_chain(path, layers, width=8):
    model, size = chain(layers, width)
    save(model, str(path))
    return size
