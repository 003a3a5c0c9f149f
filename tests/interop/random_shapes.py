#!/usr/bin/env python3
"""Random networks in which axes and shapes matter: qonnx against qcc.

    random_shapes.py [--count N] [--first SEED] [--keep DIR]

Each network (netgen/shapes.py) is executed by qonnx and by `qcc run`: as
exported, streamlined, and lowered, with --verify and --certify; as hardware
layers where all of it has such a form; and, streamlined or lowered, as C in
every style. A few become HLS designs whose C simulation runs. The numbers have
few bits, so that float32 computes everything without rounding and generated
code must give every output bit for bit.

Of eight networks the C of one is built with sanitizers, that of another at -O3
for this machine; that of the others by tcc where it is there, which has no
vectors for the packed style, but takes a thirtieth of the time. QCC_RANDOM_CSIM=N simulates one design in N (40; 0: none).
"""

import argparse
import multiprocessing
import os
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "backends"))
QCC = os.environ.get("QCC", "qcc")
STAGES = ["streamline", "streamline,lower-convs"]
HARDWARE = "streamline,lower-convs,to-hw"
CSIM = int(os.environ.get("QCC_RANDOM_CSIM", "40"))


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


def check_hardware(folder, want):
    """As hardware layers; None too where some of it has no such form. And whether it has one."""
    from netgen.check import run
    code, text = run([QCC, str(folder / "model.onnx"), "-q", "-p", HARDWARE, "-b", "finn", "-o", str(folder / "hw")])
    if code == 1:
        return None, False
    if code:
        return f"{HARDWARE}: status {code}: {text}", False
    return compare(folder / "hw" / "model.finn.onnx", folder, want, HARDWARE), True


def check_simulation(folder, inputs, want):
    """The C simulation of the HLS design; None too where it is refused."""
    import hls_random
    from netgen.check import run
    shutil.rmtree(folder / "out", ignore_errors=True)
    passes = "streamline,lower-convs,to-hw,fold(target_cycles=1000000000,max_stream_bits=2048)"
    code, text = run([QCC, str(folder / "model.onnx"), "-q", "-p", passes, "-b", "hls(samples=2)", "-o", str(folder / "out")])
    if code:
        return None if code == 1 else f"hls: status {code}: {text}"
    try:
        wrong = hls_random.compare(hls_random.simulate(folder, inputs), want.ravel())
    except RuntimeError as e:
        wrong = str(e)
    return f"C simulation: {wrong}" if wrong else None


def check_generated(seed, folder, inputs, want):
    """None or what is wrong, and what was compared: C in each style, hardware layers, the simulation of a few."""
    from netgen import in_c
    build = in_c.BUILDS.get(seed // 2 % 8, in_c.QUICK)
    wrong, refused = in_c.check(QCC, folder, STAGES[seed % 2], inputs, want, build)
    compared = [] if refused else [f"C by {build.name}"]
    if wrong:
        return wrong, compared
    wrong, whole = check_hardware(folder, want)
    compared += ["hardware"] if whole else []
    if not wrong and whole and CSIM and seed % CSIM == 0:
        import hls_random
        if not hls_random.REASON:
            wrong = check_simulation(folder, inputs, want)
            compared.append("simulation")
    return wrong, compared


def check_one(task):
    """Worker: (seed, folder, where to keep failures) -> seed, operators, what was compared, None or what is wrong."""
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
        return seed, [], [], f"generator: {type(e).__name__}: {str(e)[-200:]}"
    onnx.save(model, folder / "model.onnx")
    np.save(folder / "in.npy", np.concatenate(inputs))
    wrong, compared = check_stages(folder, want), []
    if not wrong:
        wrong, compared = check_generated(seed, folder, inputs, want)
    if wrong and keep:
        np.save(folder / "want.npy", want)
        shutil.copytree(folder, Path(keep) / str(seed), dirs_exist_ok=True)
    return seed, pieces, compared, wrong


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--count", type=int, default=int(os.environ.get("QCC_RANDOM_SHAPES", "300")))
    p.add_argument("--first", type=int, default=1)
    p.add_argument("--jobs", type=int, default=min(4, os.cpu_count() or 1))
    p.add_argument("--keep", help="folder for the networks that fail")
    options = p.parse_args()
    why = missing()
    if why:
        print(f"1..0 # SKIP {why}")
        return 0
    os.environ["PYTHONWARNINGS"] = "ignore"
    failed, drawn, counts = 0, Counter(), Counter()
    print(f"1..{options.count}", flush=True)
    with tempfile.TemporaryDirectory() as folder, multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
        tasks = [(s, folder, options.keep) for s in range(options.first, options.first + options.count)]
        for i, (seed, pieces, compared, wrong) in enumerate(pool.imap(check_one, tasks, chunksize=4)):
            drawn.update(pieces)
            counts.update(compared)
            failed += wrong is not None
            print(f"{'not ok' if wrong else 'ok'} {i + 1} - network {seed}: {' '.join(pieces)}", flush=True)
            if wrong:
                print("# " + wrong.replace("\n", "\n# "), flush=True)
    print("# compared: " + ", ".join(f"{way} {n}" for way, n in counts.most_common()))
    print("# operators: " + ", ".join(f"{op} {n}" for op, n in drawn.most_common()))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
