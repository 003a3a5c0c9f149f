#!/usr/bin/env python3
"""Models beyond what is usual: 2 GB of weights in a file of their own, and 200,000 nodes; import, clean-up, export.

    make bench-big        (about 5 GB on the disk; --gigabytes and --nodes for less)

Told are seconds, the peak of memory (mapped files included) in terms of the weights, and how time grows with the nodes. Ends
with status 1 where memory is above 1.3 times the weights, or four times the nodes take more than six times as long."""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from onnx import StringStringEntryProto, TensorProto, helper, save

from chain import write_chain

HERE = pathlib.Path(__file__).resolve().parent
QCC = os.environ.get("QCC", "qcc")
WIDTH = 8192
MOST_MEMORY, MOST_GROWTH = 1.3, 6


def measure(commands, outputs, rounds):
    done = subprocess.run([sys.executable, HERE / "measure.py", json.dumps(commands), str(rounds), json.dumps(outputs)],
                          capture_output=True, text=True, check=True)
    results = json.loads(done.stdout)
    for result, command in zip(results, commands):
        if any(result["status"]):
            sys.exit(f"failed: {' '.join(command)}")
    return results


def external(name, file, offset, size):
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[WIDTH, WIDTH], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", file), ("offset", offset), ("length", size)):
        tensor.external_data.append(StringStringEntryProto(key=key, value=str(value)))
    return tensor


def write_heavy(path, gigabytes):
    """Dense layers of 8192 neurons with a Relu each. Returns the bytes of the weights."""
    size, layers = 4 * WIDTH * WIDTH, int(4 * gigabytes)
    weights = np.random.default_rng(1).standard_normal((WIDTH, WIDTH), dtype=np.float32)
    nodes, inits, at = [], [], "x"
    with open(f"{path}.data", "wb") as data:
        for i in range(layers):
            weights[0, 0] = i
            weights.tofile(data)
            inits.append(external(f"w{i}", f"{path.name}.data", i * size, size))
            nodes += [helper.make_node("MatMul", [at, f"w{i}"], [f"m{i}"]), helper.make_node("Relu", [f"m{i}"], [f"r{i}"])]
            at = f"r{i}"
    shape = [1, WIDTH]
    graph = helper.make_graph(nodes, "heavy", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info(at, TensorProto.FLOAT, shape)], inits)
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), str(path))
    return layers * size


def heavy(folder, gigabytes):
    path, out = folder / "heavy.onnx", folder / "out.onnx"
    weights = write_heavy(path, gigabytes)
    result = measure([[QCC, str(path), "-p", "cleanup", "-q", "-o", str(out)]], [str(out)], 1)[0]
    written = sum(file.stat().st_size for file in folder.glob("out.onnx*"))
    for file in (*folder.glob("heavy.onnx*"), *folder.glob("out.onnx*")):
        file.unlink()
    share = max(result["bytes"]) / weights
    print(f"{weights / 2**30:.2f} GiB of weights: {result['seconds'][0]:.1f} s, {share:.3f} times the weights in memory; "
          f"{written / 2**30:.2f} GiB written", flush=True)
    return {"weights": weights, "written": written, "seconds": result["seconds"][0], "memory": share}


def many(folder, nodes, rounds):
    sizes = [nodes // 4, nodes // 2, nodes]
    paths = [folder / f"chain{n}.onnx" for n in sizes]
    for path, n in zip(paths, sizes):
        write_chain(path, n // 5)
    outputs = [str(path.with_suffix(".out.onnx")) for path in paths]
    commands = [[QCC, str(path), "-p", "cleanup", "-q", "-o", out] for path, out in zip(paths, outputs)]
    rows = []
    for n, result in zip(sizes, measure(commands, outputs, rounds)):
        rows.append({"nodes": n, "seconds": min(result["seconds"]), "bytes": max(result["bytes"])})
        print(f"{n} nodes: {rows[-1]['seconds']:.2f} s, {rows[-1]['bytes'] / n:.0f} bytes of memory a node", flush=True)
    return rows


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--gigabytes", type=float, default=2)
    p.add_argument("--nodes", type=int, default=200000)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--output")
    o = p.parse_args()
    with tempfile.TemporaryDirectory(prefix="qcc-big-") as name:
        figures = {"nodes": many(pathlib.Path(name), o.nodes, o.rounds), "heavy": heavy(pathlib.Path(name), o.gigabytes)}
    growth = figures["nodes"][-1]["seconds"] / figures["nodes"][0]["seconds"]
    print(f"four times the nodes take {growth:.1f} times as long")
    if o.output:
        pathlib.Path(o.output).write_text(json.dumps(figures, indent=2) + "\n")
    sys.exit(figures["heavy"]["memory"] > MOST_MEMORY or growth > MOST_GROWTH)


main()
