#!/usr/bin/env python3
"""C of networks on which compilers fall short: ../shared/faults, and random ones in which axes matter.

    faults.py [--count N] [--first SEED] [NAME]...

Each network is converted, streamlined and lowered; its C in every style is
built by gcc at -O3 for this machine, by gcc with sanitizers and by clang (each
style by one of them at each stage, in turn; --full: by all), and must give what `qcc run` gives of the graph that the C was made of, to 1e-5 of
the largest; the graph's outputs must be the golden ones. Where float64 shows
that float32 cannot decide, they may differ by what that can cause and no more
(netgen/ties.py). What the C backend refuses is skipped with its reason.
"""

import argparse
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

try:
    import numpy as np
except ImportError:
    print("1..0 # SKIP no numpy")
    sys.exit(0)

SRC = Path(os.environ.get("QCC_SRC", Path(__file__).resolve().parents[2]))
SHARED = Path(os.environ.get("QCC_SHARED", SRC.parent / "shared")) / "faults"
QCC = os.environ.get("QCC", str(SRC / "build" / "qcc"))
STAGES = ["convert", "streamline", "streamline,lower-convs"]
STYLES = ["c", "c-packed", "c-tiny"]
LARGE = 1 << 20		# bytes of a file of weights
BUILDS = ["gcc -O3 -march=native", "gcc -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined", "clang -O2"]


def run(command):
    """Exit status and messages."""
    p = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=300)
    return p.returncode, (p.stderr or p.stdout).strip() or (f"status {p.returncode}" if p.returncode else "")


def differs(got, want, bounds=None):
    """What is wrong with `got`. Elements may differ where bounds() says that float32 cannot decide (netgen/ties.py): both must lie
    between the bounds then. Those are for ties that all fall the same way; where none has less than 16 bits, 3e-4 of the
    largest must do, for that many ties fall both ways."""
    if got.size != want.size:
        return f"{got.size} elements instead of {want.size}"
    got, want = got.astype(np.float64).ravel(), want.astype(np.float64).ravel()
    off, largest = np.abs(got - want), max(np.abs(want).max(initial=0), 1e-30)
    bad = ~(off <= 1e-5 * largest)
    if bad.any() and bounds:
        lo, hi, bits = bounds()
        inside = [(y >= lo.ravel() - 1e-5 * largest) & (y <= hi.ravel() + 1e-5 * largest) for y in (got, want)]
        bad &= ~(inside[0] & inside[1] & (off <= (3e-4 * largest if bits >= 16 else np.inf)))
    return f"{bad.sum()} of {bad.size} elements differ, by up to {off[bad].max():.4g}" if bad.any() else None


def compared(case, got, want, bounds):
    """(case, error or None, directive)."""
    try:
        return case, differs(got, want, bounds), ""
    except ImportError as e:
        return case, None, f"# SKIP elements differ, and whether float32 can decide them cannot be told: {e}"
    except NotImplementedError as e:
        return case, f"elements differ, and whether float32 can decide them cannot be told: {e}", ""


def bounds_of(model, x):
    """What float32 leaves open in the model's outputs, found out once where it is asked for."""
    @functools.cache
    def bounds():
        from netgen import ties
        return ties.bounds(model, x)
    return bounds


def executed(model, x, where):
    """What `qcc run` gives: outputs, or None and why."""
    code, text = run([QCC, "run", model, x, "-o", where / "run.npy"])
    return (None, text) if code else (np.load(where / "run.npy"), None)


def weights_of(folder):
    """The file of weights; where it takes longer to read than all else to build, made into an object once, by what reads it fastest.
    tcc does not align arrays, on which the packed style counts."""
    source, result = folder / "model_weights.c", folder / "model_weights.o"
    if source.stat().st_size < LARGE:
        return source
    command = ["tcc"] if shutil.which("tcc") and folder.name != "c-packed" else ["cc", "-O0"]
    if not result.exists() and run([*command, "-c", f"-I{folder}", "-o", result, source])[0] != 0:
        return source
    return result


def built(folder, build, x):
    """What the C in that folder gives, or None and why."""
    program = folder / "program"
    sources = [folder / "main.c", folder / "model.c", weights_of(folder)]
    code, text = run([*build.split(), "-std=c11", "-DQCC_TARGETS=0", "-Wall", "-Wextra", f"-I{folder}", "-o", program, *sources, "-lm"])
    if code == 0:
        code, text = run([program, x, folder / "y.npy"])
    return (None, text[:1000]) if code else (np.load(folder / "y.npy"), None)


def stage_cases(name, where, stage, want, builds, full):
    """(case, error or None, directive) of one stage."""
    out = where / stage.replace(",", "-")
    code, text = run([QCC, where / "model.onnx", "-q", "-p", stage, "-b", "finn,c(reference,packed,tiny)", "-o", out])
    if code:
        refused = "no form for" in text
        return [(f"{name}, {stage}", None if refused else text, f"# SKIP {text[-200:]}" if refused else "")]
    graph, why = executed(out / "model.finn.onnx", where / "in.npy", where)
    if graph is None:
        return [(f"{name}, {stage}: qcc run", why, "")]
    cases = [compared(f"{name}, {stage}: graph", graph, want, bounds_of(where / "model.onnx", np.load(where / "in.npy")))]
    bounds = bounds_of(out / "model.finn.onnx", np.load(where / "in.npy"))
    for i, style in enumerate(STYLES):
        turn = (i + STAGES.index(stage)) % len(builds)
        for build in builds if full else builds[turn:turn + 1]:
            got, why = built(out / style, build, where / "x.npy")
            case = f"{name}, {stage}: {style}, {' '.join(build.split()[:2])}"
            cases.append((case, why, "") if got is None else compared(case, got, graph, bounds))
    return cases


def network_cases(name, model, x, want, builds, full):
    with tempfile.TemporaryDirectory(prefix="qcc-faults-") as folder:
        where, cases = Path(folder), []
        model(where / "model.onnx")
        np.save(where / "in.npy", x)
        np.save(where / "x.npy", x.astype(np.float32))     # generated main programs read float32
        if want is None:
            want, why = executed(where / "model.onnx", where / "in.npy", where)
            if want is None:
                return [(name, why, "")]
        for stage in STAGES:
            cases += stage_cases(name, where, stage, want, builds, full)
        return cases


def shared(name, builds, full):
    folder = SHARED / name
    return network_cases(name, lambda to: shutil.copyfile(folder / "model.onnx", to), np.load(folder / "input.npy"),
                         np.load(folder / "output.npy"), builds, full)


def drawn(seed, builds, full):
    import onnx
    from netgen import shapes
    model, inputs, pieces = shapes.draw(seed)
    return network_cases(f"network {seed} ({' '.join(pieces)})", lambda to: onnx.save(model, to), np.concatenate(inputs), None, builds, full)


def jobs(options, builds):
    """Functions that give the cases of a network each."""
    names = options.names or (sorted(f.name for f in SHARED.iterdir()) if SHARED.is_dir() else [])
    for name in names:
        yield lambda name=name: shared(name, builds, options.full)
    try:
        import onnx  # noqa: F401
    except ImportError:
        return
    for seed in [] if options.names else range(options.first, options.first + options.count):
        yield lambda seed=seed: drawn(seed, builds, options.full)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--count", type=int, default=int(os.environ.get("QCC_FAULTS_RANDOM", "8")), help="random networks")
    p.add_argument("--first", type=int, default=1, help="first seed")
    p.add_argument("--full", action="store_true", help="every build of every style at every stage")
    p.add_argument("names", nargs="*", help="networks of ../shared/faults")
    options = p.parse_args()
    builds = [b for b in BUILDS if shutil.which(b.split()[0])]
    count = failed = 0
    if not SHARED.is_dir():
        count = 1
        print("ok 1 - networks of ../shared/faults # SKIP not there")
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for cases in pool.map(lambda job: job(), jobs(options, builds)):
            for case, error, directive in cases:
                count += 1
                failed += error is not None and not directive
                print(f"{'not ok' if error else 'ok'} {count} - {case} {directive}".replace("\n", " ").rstrip(), flush=True)
                for line in (error or "").splitlines():
                    print("#", line)
    print(f"1..{count}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    sys.exit(main())
