#!/usr/bin/env python3
"""Random networks (tests/interop/netgen) as HLS designs at two foldings each: their C simulation is bit for bit the executor on
the design's graph (make csim), and the network as streamlined to 1e-6: what dead hardware gave is summed in another order.

QCC_HLS_RANDOM=COUNT sets how many (20), QCC_HLS_FIRST=SEED where they begin. Networks without a dataflow form are skipped
with the compiler's reason; of the others at least some must be there.
"""

import functools
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "interop")]
QCC = os.environ.get("QCC", "./qcc")
COUNT, FIRST = int(os.environ.get("QCC_HLS_RANDOM", "20")), int(os.environ.get("QCC_HLS_FIRST", "0"))
SAMPLES = 3
# one processing element for everything; and as many as a generous number of LUTs allows
FOLDINGS = {"slow": "target_cycles=1000000000", "fast": "max_lut=200000"}
FLAGS = "-std=c++14 -O1 -ffp-contract=off -Wno-unknown-pragmas"
LOCK = threading.Lock()


def missing():
    """(folder of ap_int.h, compiler, None), or why this cannot run here."""
    for package in ("numpy", "onnx", "onnxruntime", "qonnx", "hls4ml"):
        if not importlib.util.find_spec(package):
            return None, None, f"Python package {package} is missing"
    ap = Path(importlib.util.find_spec("hls4ml").submodule_search_locations[0]) / "templates/vivado/ap_types"
    compiler = shutil.which("g++-12") or shutil.which("g++")
    return ap, compiler, None if compiler and (ap / "ap_int.h").exists() else "no g++, or hls4ml has no ap_int.h"


AP, CXX, REASON = missing()


def run(command):
    """Standard output and error; RuntimeError where the command fails."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=900)
    if done.returncode != 0:
        raise RuntimeError((done.stderr + done.stdout).strip()[-600:] or f"exit status {done.returncode}")
    return done.stdout + done.stderr


@functools.cache
def precompiled():
    """A folder of ap_int.h in the form that the compiler reads at once, which it takes by -include: the headers are a third of the
    time that a design takes to build."""
    folder = tempfile.TemporaryDirectory(prefix="qcc-ap-")
    shutil.copytree(AP, Path(folder.name) / "ap")
    header = Path(folder.name) / "ap/ap_int.h"
    run([CXX, *FLAGS.split(), f"-I{header.parent}", "-x", "c++-header", header, "-o", f"{header}.gch"])
    return folder


def headers():
    with LOCK:
        return Path(precompiled().name) / "ap"


def expected(where, inputs):
    """What the executor gives for the network as streamlined."""
    import numpy as np

    run([QCC, where / "net.onnx", "-q", "-p", "streamline", "-b", "finn", "-o", where / "plain"])
    parts = []
    for x in inputs:
        np.save(where / "one.npy", x)
        run([QCC, "run", where / "plain/model.finn.onnx", where / "one.npy", "-o", where / "want.npy"])
        parts.append(np.load(where / "want.npy").astype(np.float64).reshape(-1))
    return np.concatenate(parts)


def simulate(where, inputs):
    """Outputs of the design on the inputs, after its own golden vectors."""
    import numpy as np

    hls = where / "out/hls"
    run(["make", "-s", "-C", hls, "csim", f"CXX={CXX}", f"CXXFLAGS={FLAGS} -include ap_int.h", f"AP_TYPES={headers()}"])
    np.save(where / "in.npy", np.concatenate(inputs).astype(np.float32))
    run([hls / "testbench", where / "in.npy", where / "got.npy"])
    return np.load(where / "got.npy").astype(np.float64).reshape(-1)


def compare(got, want):
    """An error, or None: equal within a few roundings of the largest."""
    import numpy as np

    if got.size != want.size:
        return f"{got.size} outputs, not {want.size}"
    apart = np.abs(got - want)
    bound = 1e-6 * max(1, np.abs(want).max())
    return f"{int((apart > bound).sum())} of {got.size} differ, by up to {apart.max():g}" if (apart > bound).any() else None


def one(seed):
    """For each folding (case, error or None, why it is skipped or None)."""
    from netgen import build, check, spec

    results = []
    with tempfile.TemporaryDirectory(prefix="qcc-hls-") as folder:
        where, network = Path(folder), spec.draw_network(seed)
        network["batch"] = 1  # a stream carries one sample at a time
        model, inputs = build.build(network, SAMPLES)
        check.save(model, network, where / "net.onnx")
        want = None
        for name, bound in FOLDINGS.items():
            case = f"seed {seed}, {name}"
            shutil.rmtree(where / "out", ignore_errors=True)
            try:
                run([QCC, where / "net.onnx", "-q", "-p", f"streamline,fold({bound},max_stream_bits=2048)", "-b",
                     "hls(samples=2)", "-o", where / "out"])
            except RuntimeError as e:
                results.append((case, None if "error:" in str(e) else str(e), str(e).split("error: ")[-1][:200]))
                continue
            try:
                want = expected(where, inputs) if want is None else want
                results.append((case, compare(simulate(where, inputs), want), None))
            except (RuntimeError, OSError, ValueError, subprocess.TimeoutExpired) as e:
                results.append((case, str(e), None))
    return results


def main():
    if REASON:
        print(f"1..0 # SKIP {REASON}")
        return
    count, simulated, reasons = 0, 0, Counter()
    with ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        for results in pool.map(one, range(FIRST, FIRST + COUNT)):
            for case, error, why in results:
                count += 1
                simulated += not why
                if why:
                    reasons[why.split("): ")[-1].split(", pass")[-1][:90]] += 1
                print(f"{'not ok' if error else 'ok'} {count} - {case}{f' # SKIP {why}' if why else ''}".replace("\n", " "),
                      flush=True)
                for line in (error or "").splitlines():
                    print("#", line)
    for reason, times in reasons.most_common(12):
        print(f"# {times} times refused: {reason}")
    count += 1
    enough = simulated >= count // 5
    print(f"{'ok' if enough else 'not ok'} {count} - {simulated} of {count - 1} designs were simulated")
    print(f"1..{count}")


if __name__ == "__main__":
    main()
