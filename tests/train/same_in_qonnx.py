#!/usr/bin/env python3
"""A trained network through qonnx and through qcc run: the same outputs for the rows of a data set.

    same_in_qonnx.py NET.onnx DATA.npz
"""

import os
import subprocess
import sys

import numpy as np
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes

ROWS = 40


def main():
    data = np.load(sys.argv[2])
    x = (data["bits"] if "bits" in data else data["x"])[:ROWS].astype(np.float32)
    model = ModelWrapper(sys.argv[1]).transform(InferShapes())
    name = model.graph.input[0].name
    expected = [execute_onnx(model, {name: row[np.newaxis]})[model.graph.output[0].name] for row in x]
    np.save("rows.npy", x)
    subprocess.run([os.environ["QCC"], "run", sys.argv[1], "rows.npy", "-q", "-o", "ours.npy"], check=True)
    ours = np.load("ours.npy")
    expected = np.concatenate(expected).reshape(ours.shape)
    gap = np.abs(ours - expected).max()
    assert gap <= 1e-4 * max(1, np.abs(expected).max()), f"outputs differ by {gap}"


if __name__ == "__main__":
    main()
