#!/usr/bin/env python3
"""How fast and small the generated C is, against onnxruntime (one thread) and emx-onnx-cgen, in one run.

    bench_c.py [--output FILE.json] [--quick] [NETWORK ...]

The peers get the same network with its quantisers spelled out in plain ONNX (pass quant-to-onnx) and its constants
folded (weights quantised beforehand, which onnxruntime does by itself). All run in this process, in turn, round by round, on one
core; ratios are medians of the ratios of the rounds, with the least and greatest beside them. onnxruntime is
called with its input and output bound, so that Python's share is small. onnx2c is measured where it is
installed.
"""

import argparse
import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from bench_qcc import QCC, SHARED, machine, ratios, show, spread  # noqa: E402

CC = os.environ.get("QCC_CC", "gcc").split()[0]
NATIVE, PLAIN = "-O3 -march=native", "-O3"
# network: passes, calls a round, {what: at least so many times faster}
NETWORKS = {
    "cybsec-mlp": ("set-datatype(input=BIPOLAR),streamline,prune-dead", 4000,
                   {"onnxruntime": 40, "onnxruntime, no -march": 12, "emx-onnx-cgen": 75, "onnxruntime in batches": 4}),
    "tfc_1w1a": ("streamline", 4000, {"onnxruntime": 20}),
    "tfc_2w2a": ("streamline", 4000, {"onnxruntime": 20}),
    "cnv_1w1a": ("streamline", 20, {"onnxruntime": 6}),
    "cnv_2w2a_legacy": ("streamline", 20, {"onnxruntime": 4}),
    "mobilenet_mini_w4a4": ("streamline", 200, {"onnxruntime": 1.5}),
    "qkeras_jettagging": ("streamline", 4000, {"onnxruntime": 5, "emx-onnx-cgen": 1, "onnx2c": 1,
                                               "onnxruntime in batches": 1.5}),
}
WRAPPER = """
#include <time.h>
#include "model.h"
double bench(const model_input0 *in, model_output0 *out, void *scratch, long calls, long samples)
{
	struct timespec a, b;
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (long i = 0; i < calls; i++)
		model_run(in + i % samples * MODEL_INPUT0_COUNT, out + i % samples * MODEL_OUTPUT0_COUNT, scratch);
	clock_gettime(CLOCK_MONOTONIC, &b);
	return ((double)(b.tv_sec - a.tv_sec) + 1e-9 * (double)(b.tv_nsec - a.tv_nsec)) / (double)calls;
}
double bench_batch(const model_input0 *in, model_output0 *out, void *scratch, long calls, long samples)
{
	struct timespec a, b;
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (long i = 0; i < calls; i++)
		model_run_batch(in, out, (size_t)samples, scratch);
	clock_gettime(CLOCK_MONOTONIC, &b);
	return ((double)(b.tv_sec - a.tv_sec) + 1e-9 * (double)(b.tv_nsec - a.tv_nsec)) / (double)(calls * samples);
}
unsigned long bench_scratch(void) { return MODEL_SCRATCH_BYTES; }
unsigned long bench_input_size(void) { return sizeof(model_input0); }
unsigned long bench_output_size(void) { return sizeof(model_output0); }
"""
PEER = """
#include <time.h>
void %s(const float *, float *);
double bench(const float *in, float *out, long calls, long samples, long n_in, long n_out)
{
	struct timespec a, b;
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (long i = 0; i < calls; i++)
		%s(in + i %% samples * n_in, out + i %% samples * n_out);
	clock_gettime(CLOCK_MONOTONIC, &b);
	return ((double)(b.tv_sec - a.tv_sec) + 1e-9 * (double)(b.tv_nsec - a.tv_nsec)) / (double)calls;
}
"""


def run(command, **more):
    p = subprocess.run([str(c) for c in command], capture_output=True, text=True, **more)
    if p.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {(p.stderr or p.stdout).strip()[:600]}")
    return p.stdout


def pointer(a):
    return a.ctypes.data_as(ctypes.c_void_p)


def aligned(size, dtype=np.uint8):
    """size zeros at a multiple of 64."""
    raw = np.zeros(size * np.dtype(dtype).itemsize + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start:start + size * np.dtype(dtype).itemsize].view(dtype)


class Ours:
    """Generated C in one style, as a shared object."""

    def __init__(self, folder, flags, x, y):
        where = time.perf_counter()
        so = folder / (flags.replace(" ", "").replace("=", "") + ".so")
        (folder / "bench.c").write_text(WRAPPER)
        run([CC, "-std=gnu11", *flags.split(), "-shared", "-fPIC", f"-I{folder}", "-o", so, folder / "bench.c",
             folder / "model.c", folder / "model_weights.c", "-lm"])
        self.compile_seconds = time.perf_counter() - where
        self.lib = ctypes.CDLL(str(so))
        for f in (self.lib.bench, self.lib.bench_batch):
            f.restype = ctypes.c_double
            f.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_long] * 2
        real = self.lib.bench_input_size() == 4
        self.samples = len(x)
        self.x = aligned(x.size, np.float32 if real else np.int8)
        self.x[:] = x.ravel()
        self.y = aligned(y.size * self.lib.bench_output_size())
        self.scratch = aligned(self.lib.bench_scratch() + 64)

    def seconds(self, calls):
        return self.lib.bench(pointer(self.x), pointer(self.y), pointer(self.scratch), calls, self.samples)

    def batch_seconds(self, samples, calls):
        n = self.x.size // self.samples
        x = np.resize(self.x, n * samples)
        y = aligned(self.y.size // self.samples * samples)
        return self.lib.bench_batch(pointer(x), pointer(y), pointer(self.scratch), calls, samples)


class Peer:
    """Somebody else's C of the spelled-out network."""

    def __init__(self, source, entry, flags, x, y):
        so, wrapper = source.with_suffix(".so"), source.with_name("peer_bench.c")
        wrapper.write_text(PEER % (entry, entry))
        run([CC, "-std=gnu11", "-w", *flags.split(), "-shared", "-fPIC", "-o", so, wrapper, source, "-lm"])
        self.lib = ctypes.CDLL(str(so))
        self.lib.bench.restype = ctypes.c_double
        self.lib.bench.argtypes = [ctypes.c_void_p] * 2 + [ctypes.c_long] * 4
        self.x, self.y, self.samples = np.ascontiguousarray(x, np.float32), np.zeros(y.shape, np.float32), len(x)
        self.want = y
        self.seconds(len(x))
        if not np.allclose(self.y, y, rtol=1e-3, atol=1e-3):
            print(f"    {source.name}: outputs are not the golden ones (off by {np.abs(self.y - y).max():.3g})")

    def seconds(self, calls):
        return self.lib.bench(pointer(self.x), pointer(self.y), calls, self.samples, self.x.size // self.samples,
                              self.y.size // self.samples)


class Ort:
    def __init__(self, model, x):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.binding = self.session.io_binding()
        self.name, self.out = self.session.get_inputs()[0].name, self.session.get_outputs()[0].name
        self.x = np.ascontiguousarray(x, np.float32)

    def check(self, y):
        got = np.concatenate([self.session.run(None, {self.name: x[None]})[0] for x in self.x])
        if not np.allclose(got.reshape(y.shape), y, rtol=1e-3, atol=1e-3):
            print(f"    onnxruntime: outputs are not the golden ones (off by {np.abs(got.reshape(y.shape) - y).max():.3g})")

    def seconds(self, calls, batch=1):
        x = np.ascontiguousarray(np.resize(self.x, (batch, *self.x.shape[1:])))
        self.binding.bind_cpu_input(self.name, x)
        self.binding.bind_output(self.out)
        for _ in range(3):
            self.session.run_with_iobinding(self.binding)
        start = time.perf_counter()
        for _ in range(calls):
            self.session.run_with_iobinding(self.binding)
        return (time.perf_counter() - start) / calls / batch


def spelled(path, folder):
    """The network in plain ONNX, constants folded: with a free batch, and for one sample."""
    import onnx
    import onnxruntime
    from spell_out import free_batch
    run([QCC, path, "-q", "-p", "cleanup,quant-to-onnx", "-b", "finn", "-o", folder / "plain"])
    model = onnx.load(str(folder / "plain" / "model.finn.onnx"))
    free_batch(model)
    for n in model.graph.node:	# free_batch writes 0 for "as it is"
        kept = [a for a in n.attribute if a.name != "allowzero"]
        del n.attribute[:]
        n.attribute.extend(kept)
    free = folder / "free.onnx"
    onnx.save(model, str(free))
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(folder / "folded.onnx")
    options.log_severity_level = 3
    for v in [*model.graph.input, *model.graph.output]:
        v.type.tensor_type.shape.dim[0].dim_value = 1
    onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return free, folder / "folded.onnx"


def peers(folded, folder, x, y):
    found = {}
    emx = shutil.which("emx-onnx-cgen", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    if emx:
        try:
            source = folder / "emx.c"
            run([emx, "compile", folded, source, "--model-name", "emx_model", "--large-weight-threshold", "0"])
            found["emx-onnx-cgen"] = Peer(source, "emx_model", NATIVE, x, y)
        except (RuntimeError, OSError) as e:
            print(f"    emx-onnx-cgen: {str(e)[:200]}")
    if shutil.which("onnx2c"):
        try:
            source = folder / "onnx2c.c"
            source.write_text(run(["onnx2c", folded]))
            found["onnx2c"] = Peer(source, "entry", NATIVE, x, y)
        except (RuntimeError, OSError) as e:
            print(f"    onnx2c: {str(e)[:200]}")
    return found


def interleaved(timers, rounds):
    """Seconds of each timer in each round; the first round warms up and does not count."""
    times = {name: [] for name in timers}
    for r in range(rounds + 1):
        for name, timer in timers.items():
            seconds = timer()
            if r:
                times[name].append(seconds)
    return times


def bench_network(name, folder, quick):
    passes, calls, targets = NETWORKS[name]
    source = SHARED / "models" / name
    x, y = np.load(source / "input.npy"), np.load(source / "output.npy")
    run([QCC, source / "model.onnx", "-q", "-p", passes, "-b", "c(packed)", "-o", folder])
    ours = {flags: Ours(folder / "c", flags, x, y) for flags in (NATIVE, PLAIN)}
    free, folded = spelled(source / "model.onnx", folder)
    ort, many = Ort(str(folded), x), Ort(str(free), x)
    ort.check(y)
    others = peers(folded, folder, x, y)
    ort_calls = max(calls // 10, 5)
    batches = (64, 256, 1024) if name in ("cybsec-mlp", "tfc_1w1a", "tfc_2w2a", "qkeras_jettagging") else (16,)
    timers = {"qcc": lambda: ours[NATIVE].seconds(calls), "onnxruntime": lambda: ort.seconds(ort_calls),
              "qcc, no -march": lambda: ours[PLAIN].seconds(max(calls // 5, 5)),
              **{p: (lambda o=o: o.seconds(max(calls // 20, 3))) for p, o in others.items()},
              "qcc in batches": lambda: ours[NATIVE].batch_seconds(batches[-1], max(calls // batches[-1], 1)),
              "onnxruntime in batches": lambda: min(many.seconds(max(ort_calls // b, 2), b) for b in batches)}
    times = interleaved(timers, 5 if quick else 15)
    print(f"{name}: one sample, {CC}; microseconds")
    result = {"microseconds": {k: spread([1e6 * s for s in v]) for k, v in times.items()}, "ratios": {},
              "compile_seconds": ours[NATIVE].compile_seconds}
    for k, v in result["microseconds"].items():
        show(k, v, "us")
    pairs = {"onnxruntime": ("onnxruntime", "qcc"), "onnxruntime, no -march": ("onnxruntime", "qcc, no -march"),
             "onnxruntime in batches": ("onnxruntime in batches", "qcc in batches"), **{p: (p, "qcc") for p in others}}
    for what, (slow, fast) in pairs.items():
        r, target = ratios(times[slow], times[fast]), targets.get(what)
        show(f"times faster than {what}", r, "", target and f"at least {target}", target and r["median"] >= target)
        result["ratios"][what] = {**r, "target": target}
    return result


def bench_size(folder):
    """Code, constants and memory of the tiny style on a Cortex-M4, or on this machine without that compiler."""
    model = SHARED / "models" / "cybsec-mlp" / "model.onnx"
    run([QCC, model, "-q", "-p", NETWORKS["cybsec-mlp"][0], "-b", "c(tiny)", "-o", folder])
    arm = shutil.which("arm-none-eabi-gcc")
    cc = [arm, "-mcpu=cortex-m4", "-mthumb"] if arm else [CC]
    total = 0
    for f in ("model", "model_weights"):
        run([*cc, "-Os", "-std=c11", "-c", folder / "c" / f"{f}.c", "-o", folder / f"{f}.o"])
        text, data = run([arm.replace("-gcc", "-size") if arm else "size", folder / f"{f}.o"]).splitlines()[1].split()[:2]
        total += int(text) + int(data)
    header = (folder / "c" / "model.h").read_text()
    scratch = int(header.split("MODEL_SCRATCH_BYTES ")[1].split()[0])
    print(f"cybsec-mlp: tiny style, {'Cortex-M4' if arm else 'this machine'}, -Os")
    show("code and constants", total, "bytes", "at most 8192", total <= 8192)
    show("memory with the input", scratch + 600, "bytes", "at most 1024", scratch + 600 <= 1024)
    return {"bytes": total, "ram_bytes": scratch + 600, "target": "Cortex-M4" if arm else "host"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help="of " + ", ".join(NETWORKS))
    parser.add_argument("--output", default="bench_c.json")
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    options = parser.parse_args()
    if not (SHARED / "models").is_dir():
        print("bench_c: the networks of ../shared/models are not there; nothing measured")
        return 0
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    results = {"machine": {**machine(), "c_compiler": run([CC, "--version"]).splitlines()[0], "c_flags": [NATIVE, PLAIN]}}
    print(json.dumps(results["machine"], indent=1))
    for name in options.networks or NETWORKS:
        with tempfile.TemporaryDirectory() as folder:
            try:
                results[name] = bench_network(name, Path(folder), options.quick)
                if name == "cybsec-mlp":
                    results["size"] = bench_size(Path(folder))
            except Exception as e:	# whatever a peer raises: the other networks are measured all the same
                print(f"{name}: failed: {e}")
                results[name] = {"failed": str(e)}
    Path(options.output).write_text(json.dumps(results, indent=1) + "\n")
    print(f"written to {options.output}")
    return 1 if any("failed" in r for r in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
