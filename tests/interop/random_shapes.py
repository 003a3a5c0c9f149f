#!/usr/bin/env python3
"""Random networks in which axes and shapes matter: qonnx against qcc.

    random_shapes.py [--count N] [--first SEED] [--keep DIR]

Each network (netgen/shapes.py) is executed by qonnx and by `qcc run`: as
exported, streamlined, and lowered, with --verify and --certify. Its numbers
have few bits, so that outputs must be equal, not close.
"""

import argparse
import multiprocessing
import os
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

QCC = os.environ.get("QCC", "qcc")
STAGES = ["streamline", "streamline,lower-convs"]


def missing():
    """Why this cannot run here, or None."""
    try:
        import onnx, onnxruntime, qonnx  # noqa: F401, E401
    except ImportError as e:
        return f"Python package {e.name} is missing"
    return None


def reference(model, inputs):
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    import numpy as np
    wrapped = ModelWrapper(model)
    return np.concatenate([execute_onnx(wrapped, {"x": x})["y"] for x in inputs])


def compare(path, folder, want, stage):
    """None, or how `qcc run` differs."""
    import numpy as np
    from netgen.check import differs, run
    out = folder / "out.npy"
    out.unlink(missing_ok=True)
    code, text = run([QCC, "run", str(path), str(folder / "in.npy"), "-o", str(out)])
    if code:
        return f"run {stage}: status {code}: {text}"
    got = np.load(out)
    wrong = differs(got.reshape(want.shape), want) if got.size == want.size else f"{got.shape} for {want.shape}"
    return f"{stage}: {wrong}" if wrong else None


def check_stages(folder, want):
    from netgen.check import run
    wrong = compare(folder / "model.onnx", folder, want, "original")
    for stage in STAGES:
        target = folder / "out" / "model.finn.onnx"
        target.unlink(missing_ok=True)
        if wrong:
            break
        code, text = run([QCC, str(folder / "model.onnx"), "-p", stage, "-b", "finn", "-o", str(folder / "out"),
                          f"--verify={folder / 'in.npy'}", "--certify"])
        wrong = f"{stage}: status {code}: {text}" if code else compare(target, folder, want, stage)
    return wrong


def check_one(task):
    """Worker: (seed, folder, where to keep failures) -> seed, operators, None or what is wrong."""
    import numpy as np
    import onnx
    from netgen import check, shapes
    seed, folder, keep = task
    check.one_thread_sessions()
    folder = Path(folder) / str(os.getpid())
    folder.mkdir(parents=True, exist_ok=True)
    try:
        model, inputs, pieces = shapes.draw(seed)
        want = reference(model, inputs)
    except Exception as e:  # the generator's own fault, or qonnx's
        return seed, [], f"generator: {type(e).__name__}: {str(e)[-200:]}"
    onnx.save(model, folder / "model.onnx")
    np.save(folder / "in.npy", np.concatenate(inputs))
    wrong = check_stages(folder, want)
    if wrong and keep:
        np.save(folder / "want.npy", want)
        shutil.copytree(folder, Path(keep) / str(seed), dirs_exist_ok=True)
    return seed, pieces, wrong


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--count", type=int, default=int(os.environ.get("QCC_RANDOM_SHAPES", "100")))
    p.add_argument("--first", type=int, default=1)
    p.add_argument("--jobs", type=int, default=min(4, os.cpu_count() or 1))
    p.add_argument("--keep", help="folder for the networks that fail")
    options = p.parse_args()
    why = missing()
    if why:
        print(f"1..0 # SKIP {why}")
        return 0
    os.environ["PYTHONWARNINGS"] = "ignore"
    failed, drawn = 0, Counter()
    print(f"1..{options.count}", flush=True)
    with tempfile.TemporaryDirectory() as folder, multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
        tasks = [(s, folder, options.keep) for s in range(options.first, options.first + options.count)]
        for i, (seed, pieces, wrong) in enumerate(pool.imap(check_one, tasks, chunksize=4)):
            drawn.update(pieces)
            failed += wrong is not None
            print(f"{'not ok' if wrong else 'ok'} {i + 1} - network {seed}: {' '.join(pieces)}", flush=True)
            if wrong:
                print("# " + wrong.replace("\n", "\n# "), flush=True)
    print("# operators: " + ", ".join(f"{op} {n}" for op, n in drawn.most_common()))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
