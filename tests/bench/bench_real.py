#!/usr/bin/env python3
"""Packed C of 8-bit networks against onnxruntime's int8, one sample on one core.

    bench_real.py [--quick] [--output FILE] [NETWORK ...]

The networks are those of ../shared/real whose weights and activations have eight bits, with inputs and golden outputs.
Ratios are medians of the ratios of the rounds, with the least and greatest beside them; each round runs all contestants.
The first output is compared with the golden one. QCC_CC is the compiler.
"""

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from bench_c import CC, NATIVE, Ort, Ours, PLAIN, interleaved, run  # noqa: E402
from bench_qcc import QCC, SHARED, machine, ratios, show, spread  # noqa: E402
import numpy as np  # noqa: E402

NETWORKS = ["ort_dscnn_qdq_pc_u8s8", "ort_resnet8_qdq_pc_u8s8", "ort_vww_qdq_pc_u8s8", "ort_ae_qdq_pt_s8",
            "ort_squeezenet_qdq_pc_u8s8", "ort_mobilenetv2_qdq_pc_u8s8", "ort_densenet_qdq_pc_u8s8"]


def calls_for(timer, seconds=0.05):
    """Calls that take about that long."""
    return max(int(seconds / max(timer(1), 1e-9)), 1)


def bench_network(name, folder, quick):
    source = SHARED / "real" / name
    x, y = np.load(source / "input.npy")[:1], np.load(source / "output.npy")[:1]
    run([QCC, source / "model.onnx", "-q", "-p", "streamline", "-b", "c(packed)", "-o", folder])
    contestants = {"qcc": Ours(folder / "c", NATIVE, x, y), "qcc, no -march": Ours(folder / "c", PLAIN, x, y)}
    compile_seconds = contestants["qcc"].compile_seconds
    contestants["onnxruntime"] = Ort(str(source / "model.onnx"), x)
    calls = {what: calls_for(c.seconds) for what, c in contestants.items()}
    times = interleaved({what: (lambda w=what: contestants[w].seconds(calls[w])) for what in contestants},
                        3 if quick else 11)
    got = contestants["qcc"].y.view(np.float32)[:y.size]
    report = json.loads((folder / "report.json").read_text())
    result = {"microseconds": {k: spread([1e6 * s for s in v]) for k, v in times.items()},
              "ratio": ratios(times["onnxruntime"], times["qcc"]),
              "ratio, no -march": ratios(times["onnxruntime"], times["qcc, no -march"]),
              "golden_error": float(np.abs(got - y.ravel()).max()), "compile_seconds": compile_seconds,
              "weights_bytes": (source / "model.onnx").stat().st_size, "report": report.get("c")}
    print(f"{name}: off the golden output by {result['golden_error']:.3g}, {compile_seconds:.1f} s of {CC}")
    for what, value in result["microseconds"].items():
        show(what, value, "us")
    show("times faster than onnxruntime", result["ratio"])
    show("times faster than onnxruntime, no -march", result["ratio, no -march"])
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="three rounds")
    parser.add_argument("--output", help="a JSON file for the figures")
    parser.add_argument("networks", nargs="*", default=NETWORKS)
    options = parser.parse_args()
    results = {"machine": {**machine(), "c_flags": [NATIVE, PLAIN]}, "networks": {}}
    print(json.dumps(results["machine"], indent=1))
    for name in options.networks:
        with tempfile.TemporaryDirectory(prefix="qcc-real-") as folder:
            results["networks"][name] = bench_network(name, Path(folder), options.quick)
    product = statistics.geometric_mean(r["ratio"]["median"] for r in results["networks"].values())
    print(f"geometric mean: {product:.3g} times faster than onnxruntime")
    if options.output:
        Path(options.output).write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
