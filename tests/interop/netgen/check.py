"""Run a drawn network through qonnx and through qcc, and compare.

A sample counts only where float32 can decide it: in networks with arbitrary
scales a value that lies within rounding error of a quantiser's boundary comes
out one way or the other by the order of the sums, and no compiler can be held
to that. Networks drawn as exact have no such samples; there ties are ties.
"""

import re
import subprocess
import warnings
from collections import Counter

import numpy as np
import onnxruntime
from onnx import numpy_helper

from . import build as netbuild

warnings.filterwarnings("ignore")

CLOSE = 4e-6		# relative distance to a boundary that float32 sums do not resolve
RELATIVE = 1e-5		# of real outputs, to the output's magnitude


class Result:
    """How one network went: ok, mismatch, refused, crash or dropped."""

    def __init__(self, status, detail="", nodes=0, kept=0, leftovers=0):
        self.status, self.detail = status, detail
        self.nodes, self.kept, self.leftovers = nodes, kept, leftovers

    def key(self):
        """Failures with the same key count as the same to the shrinker."""
        return self.status, self.detail.split(":")[0]


def one_thread_sessions():
    """qonnx makes an onnxruntime session per node; pools of threads only cost."""
    import qonnx.core.onnx_exec as module

    class OneThread:
        def __getattr__(self, name):
            return getattr(onnxruntime, name)

        @staticmethod
        def InferenceSession(model):
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            options.log_severity_level = 3
            return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    module.rt = OneThread()


def reference(model, inputs, wanted, exact):
    """qonnx's outputs for the first so many inputs that float32 can decide: (inputs, outputs)."""
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    wrapped, out, kept, outputs = ModelWrapper(model), model.graph.output[0].name, [], []
    for x in inputs:
        context = execute_onnx(wrapped, {"x": x}, True)
        if len(kept) < wanted and not undecided(model, context, exact):
            kept.append(x)
            outputs.append(context[out])
        if len(kept) == wanted:
            break
    return kept, outputs


def boundary_distance(v, mode):
    """Distance of v to where the rounding mode changes its answer."""
    if mode in ("FLOOR", "CEIL", "UP", "DOWN"):
        return np.abs(v - np.round(v))
    return np.abs(v - np.floor(v) - 0.5)


def quantiser_argument(node, context):
    """What the node rounds, in double, with the mode and the range that matters."""
    x = np.asarray(context[node.input[0]], np.float64)
    attrs = {a.name: a for a in node.attribute}
    mode = attrs["rounding_mode"].s.decode() if "rounding_mode" in attrs else "ROUND"
    if node.op_type == "BipolarQuant":
        return x, "FLOOR", -0.5, 0.5
    scale, zp = context[node.input[1]], context[node.input[2]]
    if scale.ndim == 1 and scale.size > 1 and x.ndim > 1:
        axis = attrs["axis"].i if "axis" in attrs else 1
        scale = scale.reshape([-1 if i == axis else 1 for i in range(x.ndim)])
        zp = zp.reshape(scale.shape)
    v = x / scale.astype(np.float64) + zp
    if node.op_type == "Quant":
        bits = float(context[node.input[3]])
        q = {"bits": bits, "signed": attrs["signed"].i, "narrow": attrs["narrow"].i}
        lo, hi = netbuild.levels(q)
    else:
        lo, hi = np.iinfo(zp.dtype).min, np.iinfo(zp.dtype).max
    return v, mode, lo - 1, hi + 1


MOVES = ("MaxPool", "Reshape", "Flatten", "Transpose", "Identity", "Pad", "Slice", "Resize", "Concat")


def zero_is_exact(name, producers):
    """Is a zero there one by construction (cut off, or quantised), not a sum that happens to cancel?"""
    while name in producers and producers[name].op_type in MOVES:
        name = producers[name].input[0]
    return name not in producers or producers[name].op_type in ("Relu", "Clip", "Quant", "DequantizeLinear")


def undecided(model, context, exact):
    """Does some quantiser round a value that float32 cannot place?"""
    producers = {o: n for n in model.graph.node for o in n.output}
    for node in model.graph.node:
        if node.op_type not in ("Quant", "BipolarQuant", "QuantizeLinear"):
            continue
        v, mode, lo, hi = quantiser_argument(node, context)
        size = np.maximum(np.maximum(1, np.abs(v)), 0.1 * np.abs(v).max(initial=0))	# sums that cancel keep the error
        near = boundary_distance(v, mode) <= CLOSE * size
        near &= (v > lo) & (v < hi)
        on = boundary_distance(v, mode) == 0
        trusted = on if exact else on & (v == 0) & zero_is_exact(node.input[0], producers)
        if (near & ~trusted).any():
            return True
    return False


def run(command, seconds=120):
    """Status and the last lines of what the command said; -1000 for a timeout."""
    try:
        p = subprocess.run(command, capture_output=True, text=True, timeout=seconds, errors="replace")
    except subprocess.TimeoutExpired:
        return -1000, "took too long"
    return p.returncode, "\n".join((p.stderr or p.stdout).strip().splitlines()[-8:])


def differs(got, want):
    """None, or how the outputs differ."""
    if got.shape != want.shape:
        return f"shape {got.shape} instead of {want.shape}"
    bad = np.abs(got.astype(np.float64) - want) > RELATIVE * max(np.abs(want).max(initial=0), 1e-30)
    bad |= np.isnan(got) != np.isnan(want)
    if not bad.any():
        return None
    i = tuple(int(k) for k in np.argwhere(bad)[0])
    return f"{bad.sum()} of {bad.size} differ, first at {i}: {got[i]!r} instead of {want[i]!r}"


def save(model, spec, path):
    """The model as qcc gets it; without its value_info, or with a batch size left open, where so drawn."""
    copy = type(model)()
    copy.CopyFrom(model)
    opened = spec.get("open") and spec["batch"] == 1 and all(n.op_type != "Reshape" for n in model.graph.node)
    if not spec["declared"] or opened:
        del copy.graph.value_info[:]
    for value in [copy.graph.input[0], copy.graph.output[0]] if opened else []:
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    path.write_bytes(copy.SerializeToString())


def qcc_run(qcc, model_path, folder, want, stage):
    """Result of `qcc run` against the wanted outputs, None where all is well."""
    out = folder / "out.npy"
    out.unlink(missing_ok=True)
    code, text = run([qcc, "run", str(model_path), str(folder / "in.npy"), "-o", str(out)])
    if code < 0 or code > 1 or "Sanitizer" in text:
        return Result("crash", f"run {stage}: status {code}: {text}")
    if code:
        return Result("refused", f"run {stage}: {text}")
    wrong = differs(np.load(out), want)
    return Result("mismatch", f"{stage}: {wrong}") if wrong else None


def qonnx_run(path, inputs, want, stage):
    """qonnx on qcc's file."""
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    wrapped = ModelWrapper(str(path))
    name, out = wrapped.graph.input[0].name, wrapped.graph.output[0].name
    try:
        got = np.concatenate([execute_onnx(wrapped, {name: x})[out] for x in inputs])
    except Exception as e:
        return Result("mismatch", f"{stage} in qonnx: {type(e).__name__} {str(e)[-200:]}")
    wrong = differs(got, want)
    return Result("mismatch", f"{stage} in qonnx: {wrong}") if wrong else None


def leftovers(path):
    """Floating-point nodes between integers in qcc's file."""
    import onnx
    from qonnx.core.modelwrapper import ModelWrapper
    m = ModelWrapper(onnx.load(path))
    constants = {t.name for t in m.graph.initializer}

    def real(names):
        return any(n and n not in constants and not m.get_tensor_datatype(n).is_integer() for n in names)

    behind, count, seen = set(), 0, []
    for n in m.graph.node:
        if any(i in behind for i in n.input) or not real(n.output):
            behind.update(n.output)
        seen.append((n, real(n.output) and any(i in behind for i in n.input)))
    wanted = set()
    for n, is_real in reversed(seen):
        if not real(n.output) or any(o in wanted for o in n.output):
            wanted.update(n.input)
        count += is_real and any(o in wanted for o in n.output)
    return count


def streamline(qcc, folder, passes, warnings):
    """Run the passes; None, or the failure. Warnings are appended."""
    code, text = run([qcc, str(folder / "model.onnx"), "-p", passes, "-b", "finn", "-o", str(folder / "out")])
    for line in text.splitlines():
        found = re.search(r"warning: node '.*' \((\w+)\)[^:]*: (.*)", line)
        warnings += [f"{found[1]} {found[2]}"] if found else []
    if code < 0 or code > 1 or "Sanitizer" in text:
        return Result("crash", f"{passes}: status {code}: {text}")
    return Result("refused", f"{passes}: {text}") if code else None


def stages(passes):
    return passes.split("+")


def check(spec, qcc, folder, passes="convert+streamline", with_qonnx=True, samples=4):
    """The whole comparison of one network."""
    model, inputs = netbuild.build(spec, 4 * samples)
    inputs, outputs = reference(model, inputs, samples, spec["exact"])
    nodes = len(model.graph.node)
    if not inputs:
        return Result("dropped", "no sample that float32 decides", nodes)
    want = np.concatenate(outputs)
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "in.npy", np.concatenate(inputs))
    save(model, spec, folder / "model.onnx")
    bad = qcc_run(qcc, folder / "model.onnx", folder, want, "original")
    left, warned = 0, []
    for stage in stages(passes) if passes else []:
        target = folder / "out" / "model.finn.onnx"
        target.unlink(missing_ok=True)
        bad = bad or streamline(qcc, folder, stage, warned)
        bad = bad or qcc_run(qcc, target, folder, want, stage)
        if with_qonnx and not bad:
            bad = qonnx_run(target, inputs, want, stage)
        if stage.endswith("streamline") and not bad:
            left = leftovers(str(target))
    if bad:
        bad.nodes, bad.kept = nodes, len(inputs)
        return bad
    return Result("ok", "; ".join(warned) if left else "", nodes, len(inputs), left)


def operators(spec):
    """Operators of the network, for the table at the end."""
    model, _ = netbuild.build(spec, 1)
    return Counter(n.op_type for n in model.graph.node)
