#!/usr/bin/env python3
"""What a tie excuses (netgen/ties.py, faults.differs): the two levels beside it as far as they reach, and nothing else."""

import sys
import tempfile
from pathlib import Path

try:
    import numpy as np
    import onnx
    import onnxruntime, qonnx  # noqa: F401, E401
except ImportError as e:
    print(f"1..0 # SKIP Python package {e.name} is missing")
    sys.exit(0)

import faults  # noqa: E402
from netgen import ties  # noqa: E402

WEIGHTS = [[1, 0, 2], [0, 1, 0]]		# the first element reaches the outputs 0 and 2


def bounds(x, scale):
    """Of Quant(x * scale) * WEIGHTS: 4 bits, the same scale."""
    number = {"factor": scale, "scale": scale, "zero": 0, "bits": 4, "weights": WEIGHTS}
    nodes = [onnx.helper.make_node("Mul", ["x", "factor"], ["a"]),
             onnx.helper.make_node("Quant", ["a", "scale", "zero", "bits"], ["b"], domain="qonnx.custom_op.general", signed=1, narrow=0),
             onnx.helper.make_node("MatMul", ["b", "weights"], ["y"])]
    infos = [onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [1, size]) for n, size in (("x", 2), ("y", 3))]
    constants = [onnx.numpy_helper.from_array(np.asarray(v, np.float32), n) for n, v in number.items()]
    graph = onnx.helper.make_graph(nodes, "tie", infos[:1], infos[1:], constants)
    opsets = [onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid("qonnx.custom_op.general", 1)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tie.onnx"
        onnx.save(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
        return ties.bounds(path, np.asarray([x], np.float32))


def outputs(levels, scale):
    return np.asarray([levels], np.float32) @ np.float32(WEIGHTS) * np.float32(scale)


# levels that are compared; input; scale; whether they pass
CASES = {
    "a tie may fall to the other side": ([2, 1], [3, 1], [2.5, 1.2], 0.1, True),
    "a tie excuses one level, not two": ([2, 1], [4, 1], [2.5, 1.2], 0.1, False),
    "a tie excuses no other element": ([2, 1], [2, 2], [2.5, 1.2], 0.1, False),
    "what is no tie has one level": ([2, 1], [3, 1], [2.4, 1.2], 0.1, False),
    "numbers that float32 holds have no ties": ([2, 1], [3, 1], [2.5, 1.25], 0.5, False),
}


def main():
    failed = 0
    for i, (case, (want, got, x, scale, passes)) in enumerate(CASES.items(), 1):
        wrong = faults.differs(outputs(got, scale), outputs(want, scale), lambda: bounds(x, scale))
        ok = (wrong is None) == passes
        failed += not ok
        print(f"{'ok' if ok else 'not ok'} {i} - {case}")
        print(f"# {wrong}" if wrong else "# excused")
    print(f"1..{len(CASES)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
