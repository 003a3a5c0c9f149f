#!/usr/bin/env python3
"""What qcc costs, against qonnx and onnxruntime, in one run on one machine.

    bench_qcc.py [--output FILE.json] [--quick] [SECTION ...]

Sections: compile (the intrusion network against qonnx-cleanup), chain (cost
against the number of layers), large (401 nodes against qonnx-cleanup), run (the
executor). Whole processes, taken in turn; ratios are medians of the ratios of
the rounds, with the least and greatest beside them.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
QCC = os.environ.get("QCC", "qcc")
SHARED = Path(os.environ.get("QCC_SHARED", HERE.parents[2] / "shared"))
CLEANUP = Path(sys.executable).parent / "qonnx-cleanup"


def measure(commands, rounds):
    outputs = [c[-1] for c in commands]		# every command here ends with what it writes
    p = subprocess.run([sys.executable, "-I", "-S", str(HERE / "measure.py"), json.dumps(commands), str(rounds),
                        json.dumps(outputs)],
                       capture_output=True, text=True, check=True)
    results = json.loads(p.stdout)
    for command, result in zip(commands, results):
        if any(result["status"]):
            raise RuntimeError(f"status {result['status']}: {' '.join(command)}")
    return results


def spread(values):
    return {"median": statistics.median(values), "least": min(values), "greatest": max(values), "rounds": len(values)}


def ratios(slow, fast):
    return spread([a / b for a, b in zip(slow, fast)])


def show(what, value, unit="", target=None, good=None):
    """One line: what, median [least .. greatest], and whether the target is met."""
    numbers = (f"{value['median']:.4g} [{value['least']:.4g} .. {value['greatest']:.4g}]"
               if isinstance(value, dict) else f"{value:.4g}")
    verdict = "" if target is None else f"   ({target}: {'met' if good else 'MISSED'})"
    print(f"  {what}: {numbers}{' ' + unit if unit else ''}{verdict}", flush=True)


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
                 platform.machine())
    compiler = os.environ.get("QCC_CC", "cc")
    version = subprocess.run(compiler.split() + ["--version"], capture_output=True, text=True).stdout.splitlines()
    return {"cpu": model, "cores": os.cpu_count(), "system": f"{platform.system()} {platform.release()}",
            "compiler": version[0] if version else compiler, "flags": os.environ.get("QCC_CFLAGS", "unknown"),
            "python": platform.python_version(), **versions()}


def versions():
    import onnxruntime
    from importlib.metadata import version
    return {"qonnx": version("qonnx"), "onnxruntime": onnxruntime.__version__}


def network(name):
    """A network of ../shared, or the project's own where that folder is absent."""
    path = SHARED / "models" / name / "model.onnx"
    return path if path.exists() else HERE.parents[1] / "models" / "mlp_2w2a" / "model.onnx"


def passes():
    listed = subprocess.run([QCC, "--list-passes"], capture_output=True, text=True).stdout.split()
    return "streamline,fold" if "fold" in listed else "streamline"


def bench_compile(folder, quick):
    model = network("cybsec-mlp")
    before = "set-datatype(x=BIPOLAR)," if model.parent.name == "cybsec-mlp" else ""
    everything = [QCC, str(model), "-q", "-p", before + passes(), "-o", str(folder / "out")]
    ours = everything[:-1] + [str(folder / "without"), "-b", "finn,c,dot,hls"]
    theirs = [str(CLEANUP), str(model), "--out-file", str(folder / "clean.onnx")]
    a, e, b = measure([ours, everything, theirs], 3 if quick else 15)
    ratio = ratios(b["seconds"], a["seconds"])
    peak = max(e["bytes"]) / 2**20
    print(f"{model.parent.name}: qcc -p {before}{passes()} against qonnx-cleanup")
    show("qcc -b finn,c,dot,hls", spread(a["seconds"]), "s")
    show("qcc, all backends (Verilog too)", spread(e["seconds"]), "s")
    show("qonnx-cleanup", spread(b["seconds"]), "s")
    show("times faster, finn,c,dot,hls", ratio, "", "at least 30", ratio["median"] >= 30)
    show("times faster, all backends", ratios(b["seconds"], e["seconds"]))
    show("peak memory", peak, "MB", "below 32", peak < 32)
    return {"qcc_seconds": spread(a["seconds"]), "everything_seconds": spread(e["seconds"]), "cleanup_seconds": spread(b["seconds"]),
            "ratio": ratio, "peak_mb": peak}


def bench_large(folder, quick):
    from chain import write_chain
    model = folder / "chain80.onnx"
    write_chain(model, 80, 64)
    everything = [QCC, str(model), "-q", "-p", "streamline", "-o", str(folder / "out80")]
    onnx_only = [QCC, str(model), "-q", "-p", "streamline", "-b", "finn", "-o", str(folder / "onnx80")]
    theirs = [str(CLEANUP), str(model), "--out-file", str(folder / "clean80.onnx")]
    a, o, b = measure([everything, onnx_only, theirs], 1 if quick else 5)
    whole, like = ratios(b["seconds"], a["seconds"]), ratios(b["seconds"], o["seconds"])
    print("80 dense layers of 64 (401 nodes): qcc -p streamline against qonnx-cleanup")
    show("qcc, an ONNX file like qonnx-cleanup", spread(o["seconds"]), "s")
    show("qcc, with C and pictures", spread(a["seconds"]), "s")
    show("qonnx-cleanup", spread(b["seconds"]), "s")
    show("times faster, ONNX only", like, "", "at least 300", like["median"] >= 300)
    show("times faster, with C and pictures", whole, "", "at least 300", whole["median"] >= 300)
    return {"qcc_seconds": spread(a["seconds"]), "qcc_onnx_seconds": spread(o["seconds"]),
            "cleanup_seconds": spread(b["seconds"]), "ratio": like, "ratio_everything": whole}


def chain_command(folder, layers):
    """Clean-up, convert, streamline and certificate of a chain; and the bytes of its weights."""
    from chain import write_chain
    path = folder / f"chain{layers}.onnx"
    weights = write_chain(path, layers)
    return [QCC, str(path), "-q", "--certify", "-p", "cleanup,convert,streamline", "-b", "finn", "-o",
            str(folder / f"chain{layers}_out")], weights


def chain_row(layers, weights, result, base):
    nodes = 5 * layers + 1
    row = {"layers": layers, "nodes": nodes, "weight_bytes": weights, "seconds": spread(result["seconds"]),
           "bytes": max(result["bytes"]), "bytes_a_node": (max(result["bytes"]) - base - weights) / nodes}
    show(f"{nodes} nodes", row["seconds"], "s")
    show("   memory a node beyond weights", row["bytes_a_node"], "bytes", "below 1024", row["bytes_a_node"] < 1024)
    return row


def bench_chain(folder, quick):
    sizes = [200, 2000] if quick else [200, 2000, 20000]
    print("chains of dense layers of 8: cleanup, convert, streamline, certificate")
    commands, weights = zip(*(chain_command(folder, layers) for layers in sizes))
    base = max(measure([[QCC, "--version"]], 5)[0]["bytes"])
    results = measure(list(commands), 5 if quick else 7)
    rows = []
    for i, layers in enumerate(sizes):
        rows.append(chain_row(layers, weights[i], results[i], base))
        if i:
            growth = rows[i]["growth"] = ratios(results[i]["seconds"], results[i - 1]["seconds"])
            show("   times the cost of a tenth of the layers", growth, "", "at most 11", growth["median"] <= 11)
    return rows


def qonnx_seconds(path, x, samples):
    """Seconds a sample, in one process, the model loaded."""
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    from qonnx.transformation.infer_shapes import InferShapes
    m = ModelWrapper(str(path)).transform(InferShapes())
    name = m.graph.input[0].name
    execute_onnx(m, {name: x[:1]})
    start = time.perf_counter()
    for i in range(samples):
        execute_onnx(m, {name: x[i:i + 1]})
    return (time.perf_counter() - start) / samples


def ort_seconds(path, x):
    """Seconds for all samples in one call of onnxruntime, all cores, the graph with quantisers spelled out."""
    import onnx
    import onnxruntime
    from spell_out import spell_out
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    model = spell_out(onnx.load(str(path)))
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    session.run(None, {name: x[:1]})
    start = time.perf_counter()
    y = session.run(None, {name: x})[0]
    return time.perf_counter() - start, y


def tiled(model, samples):
    import numpy as np
    x = np.load(model.parent / "input.npy")
    return np.concatenate([x] * (samples // len(x) + 1))[:samples]


def bench_run_one(name, samples, folder, rounds, qonnx_samples):
    import numpy as np
    model = network(name)
    x = tiled(model, samples)
    np.save(folder / "x.npy", x)
    np.save(folder / "x1.npy", x[:1])
    many = [QCC, "run", str(model), str(folder / "x.npy"), "-o", str(folder / "y.npy")]
    one = [QCC, "run", str(model), str(folder / "x1.npy"), "-o", str(folder / "y1.npy")]
    ours, start = measure([many, one], rounds)
    seconds = [a - b for a, b in zip(ours["seconds"], start["seconds"])]
    ort = [ort_seconds(model, x) for _ in range(rounds)]
    q = [qonnx_seconds(model, x, qonnx_samples) for _ in range(3)]
    same = bool(np.allclose(np.load(folder / "y.npy").reshape(ort[0][1].shape), ort[0][1], rtol=1e-4, atol=1e-4))
    print(f"{model.parent.name}: qcc run on {samples} samples in one call (less the time of one sample)")
    show("qcc", spread([1e6 * s / samples for s in seconds]), "us a sample")
    show("onnxruntime, quantisers spelled out", spread([1e6 * s[0] / samples for s in ort]), "us a sample")
    show("qonnx", spread([1e6 * s for s in q]), "us a sample")
    to_qonnx, to_ort = spread([a / (b / samples) for a, b in zip(q, seconds)]), ratios(seconds, [o[0] for o in ort])
    show("times faster than qonnx", to_qonnx, "", *(("at least 200", to_qonnx["median"] >= 200) if "cyb" in name else ()))
    show("times onnxruntime's time", to_ort, "", "at most 5", to_ort["median"] <= 5)
    show("outputs as onnxruntime's", float(same))
    return {"samples": samples, "seconds": spread(seconds), "onnxruntime_seconds": spread([o[0] for o in ort]),
            "qonnx_seconds_a_sample": spread(q), "faster_than_qonnx": to_qonnx, "times_onnxruntime": to_ort,
            "whole_process_seconds": spread(ours["seconds"]), "same": same}


def bench_run(folder, quick):
    rounds = 2 if quick else 7
    return {"cybsec-mlp": bench_run_one("cybsec-mlp", 10000, folder, rounds, 50),
            "cnv_2w2a_legacy": bench_run_one("cnv_2w2a_legacy", 64 if quick else 512, folder, rounds, 2)}


SECTIONS = {"compile": bench_compile, "chain": bench_chain, "large": bench_large, "run": bench_run}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sections", nargs="*", metavar="SECTION", help="of " + ", ".join(SECTIONS))
    parser.add_argument("--output", default="bench_qcc.json")
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    options = parser.parse_args()
    results = {"machine": machine()}
    print(json.dumps(results["machine"], indent=1))
    with tempfile.TemporaryDirectory() as folder:
        for name in options.sections or SECTIONS:
            try:
                results[name] = SECTIONS[name](Path(folder), options.quick)
            except (RuntimeError, subprocess.SubprocessError) as e:
                print(f"{name}: failed: {e}")
                results[name] = {"failed": str(e)}
    Path(options.output).write_text(json.dumps(results, indent=1) + "\n")
    print(f"written to {options.output}")
    return 1 if any("failed" in r for r in results.values()) else 0


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    sys.exit(main())
