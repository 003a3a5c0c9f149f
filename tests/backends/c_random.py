#!/usr/bin/env python3
"""Random networks (tests/interop/netgen) as C of every style, against the executor on the streamlined graph.

QCC_C_RANDOM=COUNT sets how many (16), QCC_C_FIRST=SEED where they begin.
"""

import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1] / "interop")]
try:
    import numpy as np
    import onnx, onnxruntime, qonnx  # noqa: F401, E401
except ImportError as e:
    print(f"1..0 # SKIP Python package {e.name} is missing")
    sys.exit(0)

import c_forms  # noqa: E402
from netgen import build, check, spec  # noqa: E402

COUNT, FIRST = int(os.environ.get("QCC_C_RANDOM", "16")), int(os.environ.get("QCC_C_FIRST", "0"))
SAMPLES = 4


def expected(where, inputs):
    parts = []
    for x in inputs:
        np.save(where / "one.npy", x)
        c_forms.run([c_forms.QCC, "run", where / "out/model.finn.onnx", where / "one.npy", "-o", where / "want.npy"])
        parts.append(np.load(where / "want.npy").astype(np.float64).reshape(1, -1))
    return np.concatenate(parts)


def one(seed):
    """(case, error or None, why it is skipped or None) of one network, a style each."""
    with tempfile.TemporaryDirectory(prefix="qcc-c-") as folder:
        where, network = Path(folder), spec.draw_network(seed)
        model, inputs = build.build(network, SAMPLES)
        check.save(model, network, where / "net.onnx")
        try:
            c_forms.run([c_forms.QCC, where / "net.onnx", "-q", "-p", "streamline", "-b", "finn,c(reference,packed,tiny)", "-o", where / "out"])
        except RuntimeError as e:
            refused = "no form for" in str(e)
            return [(f"seed {seed}", None if refused else str(e), str(e)[-120:] if refused else None)]
        want, results = expected(where, inputs), []
        for style in c_forms.STYLES:
            try:
                c_forms.check(where, style, np.concatenate(inputs), want, None, None)
                results.append((f"seed {seed}: {style}", None, None))
            except (RuntimeError, OSError, ValueError) as e:
                results.append((f"seed {seed}: {style}", str(e), None))
        return results


def main():
    count = 0
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for results in pool.map(one, range(FIRST, FIRST + COUNT)):
            for case, error, why in results:
                count += 1
                print(f"{'not ok' if error else 'ok'} {count} - {case}{f' # SKIP {why}' if why else ''}".replace("\n", " "), flush=True)
                for line in (error or "").splitlines():
                    print("#", line)
    print(f"1..{count}")


if __name__ == "__main__":
    main()
