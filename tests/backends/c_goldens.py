#!/usr/bin/env python3
"""Generated C gives the golden outputs: styles x networks x compilers x flags.

Every network of models/ and of ../shared/models (where that is not there: of models/conformance/networks) that
streamlines to what the C backend takes is compiled in each style and run on its input.npy. Integers and decisions must be equal, real outputs within 1e-5 of the
largest. By default a network sees each style once optimised and with warnings as errors, and once under
sanitizers; QCC_C_TESTS=full runs the whole matrix, QCC_C_TESTS=NAME[,NAME] these networks alone.
"""

import os
import re
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
SHARED = Path(os.environ.get("QCC_SHARED", SRC.parent / "shared"))
QCC = os.environ.get("QCC", str(SRC / "build" / "qcc"))
WHICH = os.environ.get("QCC_C_TESTS", "")
WARNINGS = "-Wall -Wextra -Wconversion -pedantic -Werror"
SANITIZE = "-fsanitize=address,undefined -fno-sanitize-recover=undefined"
STYLES = {"c": "c", "c(packed)": "c-packed", "c(tiny)": "c-tiny"}
PASSES = {
    "cybsec-mlp": "set-datatype(input=BIPOLAR),streamline",
    "cybsec-mlp-raw593": "pad-input(to=600),bipolar-input,binary-output,set-datatype(input=BIPOLAR),streamline",
}
# Levels at exact ties, where float32 rounds the original either way: compared with the streamlined graph instead.
BY_EXECUTOR = {"espcn_nn_resize", "cybsec-mlp-raw593"}
HEAVY = {"espcn_nn_resize", "cnv_1w1a", "cnv_2w2a_legacy"}		# two samples; sanitizers in the full matrix alone
DISPATCH = {"tfc_2w2a", "qkeras_jettagging", "mobilenet_mini_w4a4", "cnn_4w4a", "mlp_2w2a", "cybsec-mlp", "resnet_mini_w3a3"}
NO_HARDWARE = {"mnist-conv"}		# a float network: nothing to put into hardware
SHORT = [("gcc", "-O3"), ("clang", f"-O1 {SANITIZE}")]
NATIVE = ("gcc", "-O3 -march=native")
FULL = [(cc, f"{opt}{san}") for cc in ("gcc", "clang") for opt in ("-O0", "-O3", "-O3 -march=native")
        for san in ("", " " + SANITIZE)]


def run(command, **more):
    p = subprocess.run(command, capture_output=True, text=True, **more)
    if p.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {(p.stderr or p.stdout).strip()[:1500]}")
    return p.stdout


def compare(got, want):
    want = want.astype(np.float32)
    got = got.reshape(want.shape)
    off = np.abs(got - want).max(initial=0)
    if off > 1e-5 * max(np.abs(want).max(initial=0), 1e-30):
        raise RuntimeError(f"off by {off}")


def builds(style, network):
    compilers = [c for c in ("gcc", "clang") if shutil.which(c)]
    wanted = FULL if WHICH == "full" else SHORT + ([NATIVE] if "packed" in style else [])
    heavy = network in HEAVY and WHICH != "full"
    return [b for b in wanted if b[0] in compilers and not (heavy and "sanitize" in b[1])]


def emit(folder, network):
    """All styles in one run, and the graph they come from."""
    run([QCC, folder / "model.onnx", "-q", "-p", PASSES.get(network, "streamline"), "-b", "finn,c(reference,packed,tiny)",
         "-o", "out"])


def expected(folder, network):
    x, want = folder / "input.npy", folder / "output.npy"
    if network in HEAVY:
        np.save("few.npy", np.load(x)[:2])
        np.save("few_want.npy", np.load(want)[:2])
        x, want = Path("few.npy"), Path("few_want.npy")
    if network not in BY_EXECUTOR:
        return x, want
    if network == "cybsec-mlp-raw593":
        a = np.load(x)
        np.save("x.npy", np.concatenate([2 * a - 1, -np.ones((len(a), 7), np.float32)], 1).astype(np.float32))
        x = Path("x.npy")
    run([QCC, "run", "out/model.finn.onnx", str(x), "-o", "want.npy"])
    return x, Path("want.npy")


def hardware(folder, network, x, want):
    """The plain style from the graph of FINN's hardware layers."""
    run([QCC, folder / "model.onnx", "-q", "-p", PASSES.get(network, "streamline") + ",fold", "-b", "c", "-o", "hw"])
    build_and_run("c", "gcc", "-O3", x, want, "hw")


def build_and_run(style, cc, flags, x, want, out="out"):
    where = Path(out) / STYLES[style]
    program = where / re.sub(r"\W+", "_", f"{cc}{flags}")
    sources = [where / "main.c", where / "model.c", where / "model_weights.c"]
    run([cc, "-std=c11", "-DQCC_TARGETS=0", *WARNINGS.split(), *flags.split(), f"-I{where}", "-o", program, *sources, "-lm"])
    out = str(program) + ".npy"
    run([program, str(x), out])
    compare(np.load(out), np.load(want))


def batches(cc, flags, x):
    """run_batch against run, bit for bit."""
    where = Path("out/c-packed")
    header = (where / "model.h").read_text()
    together = "_run_x" in (where / "model.c").read_text()
    if not together or "INPUTS 1\n" not in header or "OUTPUTS 1\n" not in header:
        return
    program = where / re.sub(r"\W+", "_", f"batch{cc}{flags}")
    raw = Path(f"{program}.raw")
    samples = np.load(x)
    raw.write_bytes(np.resize(samples, (41, *samples.shape[1:])).astype(np.float32).tobytes())
    run([cc, "-std=c11", "-DQCC_TARGETS=0", *WARNINGS.split(), *flags.split(), f"-I{where}", "-o", program, SRC / "tests/backends/c_batch.c",
         where / "model.c", where / "model_weights.c", "-lm"])
    run([program, raw])


def dispatch(folder, network, x, want):
    """All targets of c(packed) that this machine has, by each compiler, without an option for one; no variables."""
    run([QCC, folder / "model.onnx", "-q", "-p", PASSES.get(network, "streamline"), "-b", "c(packed,dispatch)", "-o", "choice"])
    where = Path("choice") / "c"
    parts = [where / f"model{s}.c" for s in ("", "_weights")]
    for cc in (c for c in ("gcc", "clang") if shutil.which(c)):
        for most in (0, 1, 2):
            program = where / f"{cc}{most}"
            run([cc, "-std=c11", *WARNINGS.split(), "-O3", f"-DQCC_TARGETS={most}", f"-I{where}", "-o", program, where / "main.c",
                 *parts, "-lm"])
            run([program, str(x), f"{program}.npy"])
            compare(np.load(f"{program}.npy"), np.load(want))
        for part in parts:
            run([cc, "-std=c11", "-O3", f"-I{where}", "-c", "-o", "part.o", part])
            kept = [line for line in run(["nm", "part.o"]).splitlines() if line.split()[-2] in "bBdDC"]
            if kept:
                raise RuntimeError(f"{part.name} has variables: {kept}")


def network_cases(folder):
    """(name, error or None) of every case of one network."""
    network, cases = folder.name, []
    where = Path(tempfile.mkdtemp(prefix="qcc-c-"))
    os.chdir(where)
    try:
        emit(folder, network)
        x, want = expected(folder, network)
    except (RuntimeError, OSError) as e:
        return [(f"{network}: compiles", str(e))]
    jobs = [(s, cc, flags) for s in STYLES for cc, flags in builds(s, network)]

    def one(job):
        try:
            build_and_run(*job, x, want)
            if job[0] == "c(packed)":
                batches(job[1], job[2], x)
            return None
        except (RuntimeError, OSError, ValueError) as e:
            return str(e)

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for job, error in zip(jobs, pool.map(one, jobs)):
            cases.append((f"{network}: {' '.join(job)}", error))
    if network not in NO_HARDWARE and shutil.which("gcc"):
        error = None
        try:
            hardware(folder, network, x, want)
        except (RuntimeError, OSError, ValueError) as e:
            error = str(e)
        cases.append((f"{network}: c from hardware layers", error))
    if network in DISPATCH and os.uname().machine == "x86_64":
        error = None
        try:
            dispatch(folder, network, x, want)
        except (RuntimeError, OSError, ValueError) as e:
            error = str(e)
        cases.append((f"{network}: c(packed), every target", error))
    os.chdir("/")
    shutil.rmtree(where)
    return cases


def folders():
    names = set(WHICH.split(",")) if WHICH and WHICH != "full" else None
    more = SHARED / "models" if (SHARED / "models").is_dir() else SRC / "models/conformance/networks"
    for root in (SRC / "models", more):
        for f in sorted(root.iterdir()) if root.is_dir() else []:
            if (f / "model.onnx").exists() and (f / "output.npy").exists() and (not names or f.name in names):
                yield f.resolve()


def main():
    n = 0
    for folder in folders():
        for name, error in network_cases(folder):
            n += 1
            print(f"{'not ok' if error else 'ok'} {n} - {name}", flush=True)
            for line in (error or "").splitlines():
                print("#", line)
    if not (SHARED / "models").is_dir():
        n += 1
        print(f"ok {n} - networks of ../shared/models # SKIP not there")
    print(f"1..{n}")


if __name__ == "__main__":
    main()
