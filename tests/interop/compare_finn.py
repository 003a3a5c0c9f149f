#!/usr/bin/env python3
"""qcc's converted and streamlined graphs against those FINN made of the same networks.

For each network: node counts by operator, integers everywhere inside, and every
threshold at every integer its accumulator can take (weights of a channel may
have the other sign). Where the two decide differently, exact arithmetic on the
original network says who is right. qonnx executes qcc's files to the goldens.
"""

import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

QCC = os.environ.get("QCC", "qcc")
SHARED = Path(os.environ.get("QCC_SHARED", Path(__file__).resolve().parents[3] / "shared"))
BEFORE = {"cybsec-mlp": "set-datatype(x=BIPOLAR),"}
NETWORKS = ["cybsec-mlp", "tfc_1w1a", "tfc_2w2a", "mlp_fixedpoint_po2", "mlp_1w1a_bn", "mlp_ternary", "cnv_1w1a",
            "concat_w4a2", "resnet_mini_w3a3"]
# Where the order of branches or pooling makes another count equally good, only "no more" is asked.
SAME_COUNTS = set(NETWORKS[:6])


class Tap:
    """Numbered results, the plan at the end."""

    def __init__(self):
        self.count = self.failed = 0

    def say(self, good, what, notes=()):
        self.count += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {what}")
        for line in notes:
            print(f"# {line}")
        sys.stdout.flush()

    def skip(self, what, why):
        self.count += 1
        print(f"ok {self.count} - {what} # SKIP {why}")

    def done(self):
        print(f"1..{self.count}")
        return 1 if self.failed else 0


def qcc(name, passes, folder):
    """Path of the file qcc makes, or the error as text."""
    out = folder / passes
    model = SHARED / "models" / name / "model.onnx"
    pipeline = BEFORE.get(name, "") + passes
    p = subprocess.run([QCC, str(model), "-q", "-p", pipeline, "-b", "finn", "-o", str(out)],
                       capture_output=True, text=True, timeout=600)
    if p.returncode:
        return None, (p.stderr or p.stdout).strip()[-600:]
    return out / "model.finn.onnx", ""


def compare_counts(tap, name, stage, ours, theirs, exact):
    a, b = ours.counts(), theirs.counts()
    difference = {op: (a[op], b[op]) for op in sorted({*a, *b}) if a[op] != b[op]}
    good = not difference if exact else sum(a.values()) <= sum(b.values())
    tap.say(good, f"{name} {stage}: {sum(a.values())} nodes, FINN {sum(b.values())}",
            [f"{op}: {x}, FINN {y}" for op, (x, y) in difference.items()])


def pair(ours, theirs):
    """Layers of both with the same weights, up to sign and the order of layers: (index in theirs, a, b)."""
    import numpy as np
    left = list(ours)
    for index, b in enumerate(theirs):
        same = [a for a in left if a.weights.shape == b.weights.shape
                and np.array_equal(np.abs(a.rows), np.abs(b.rows))]
        if same:
            left.remove(same[0])
            yield index, same[0], b


def differences(a, b):
    """Where our layer a and FINN's b decide differently: (points tried, [(channel, acc, ours, theirs)]).

    Values of the two may differ by a constant offset (another choice of zero); ours is turned into theirs.
    """
    import numpy as np
    points, found, offsets = 0, [], Counter()
    shift = a.lo - b.lo
    rows = []
    for row in range(len(b.rows)):
        nonzero = np.flatnonzero(b.rows[row])
        sign = 1.0 if nonzero.size == 0 else a.rows[row][nonzero[0]] / b.rows[row][nonzero[0]]
        if not np.array_equal(a.rows[row], sign * b.rows[row]):
            found.append((row, None, "weights", "differ"))
            continue
        acc = b.accumulators(row)
        ours = a.outputs(row, sign * (acc + shift * b.rows[row].sum()))
        theirs = b.outputs(row, acc)
        points += acc.size
        offsets.update((ours - theirs).tolist())
        rows.append((row, acc, ours, theirs))
    offset = offsets.most_common(1)[0][0] if offsets else 0
    for row, acc, ours, theirs in rows:
        for i in np.flatnonzero(ours - offset != theirs):
            found.append((row, int(acc[i]), ours[i] - offset, theirs[i]))
    return points, found


def judge(original, index, b, difference, base):
    """Which of the two is right: words, and whether ours is acceptable."""
    row, acc, ours, theirs = difference
    if acc is None:
        return "weights differ", False
    exact, single, tie = original.decide(index, row, acc, b.rows[row], b.lo)
    exact, single = exact - base, single - base
    who = "qcc" if ours == exact else "FINN" if theirs == exact else "neither"
    words = (f"channel {row}, accumulator {acc}: qcc {ours:g}, FINN {theirs:g}, exact {exact}{' (a tie)' if tie else ''}, "
             f"float32 {single}: {who} is right")
    return words, ours in (exact, single)


def compare_thresholds(tap, name, ours, theirs):
    from exact import Original
    from finngraph import layers
    points, wrong, notes, paired, verdicts = 0, 0, [], 0, Counter()
    original = Original(SHARED / "models" / name / "model.onnx")
    their_layers = layers(theirs)
    for index, a, b in pair(layers(ours), their_layers):
        paired += 1
        if a.thresholds is None or b.thresholds is None:
            continue
        n, found = differences(a, b)
        points += n
        for difference in found[:2000]:
            try:
                words, good = judge(original, index, b, difference, level_base(original, index, b))
            except (KeyError, IndexError, TypeError) as e:
                words, good = f"{difference}: not decided ({type(e).__name__} {e})", False
            wrong += not good
            verdicts[f"layer {index}, {'ties' if '(a tie)' in words else 'no ties'}: {words.split(': ')[-1]}"] += 1
            if not good or len(notes) < 3:
                notes.append(f"layer {index} {words}")
    tap.say(not wrong and paired > 0, f"{name}: thresholds of {paired} of {len(their_layers)} layers agree at "
            f"{points} points but {sum(verdicts.values())}, of which qcc has {wrong} wrong",
            [f"{n} points of {v}" for v, n in verdicts.items()] + notes[:20])


def level_base(original, index, b):
    """The original's integer for a level minus FINN's: both count from their least level."""
    from finngraph import attr
    n = original.g.consumers[original.linear[index].output[0]][0]
    while n.op_type not in ("Quant", "BipolarQuant"):
        n = original.g.consumers[n.output[0]][0]
    if n.op_type == "BipolarQuant":
        return 0
    bits = int(original.g.const(n.input[3]).item())
    lo = -(2 ** (bits - 1)) + attr(n, "narrow", 0) if attr(n, "signed", 1) else 0
    return lo - b.bias


def compare_outputs(tap, name, stage, path):
    import numpy as np
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    x = np.load(SHARED / "models" / name / "input.npy")
    want = np.load(SHARED / "models" / name / "output.npy")
    m = ModelWrapper(str(path))
    inp, out = m.graph.input[0].name, m.graph.output[0].name
    rows = m.get_tensor_shape(inp)[0]
    samples = [x[i:i + rows] for i in range(0, len(x), rows)][:16 if x[0].size > 1000 else None]
    try:
        got = np.concatenate([execute_onnx(m, {inp: s})[out] for s in samples])
    except Exception as e:
        tap.say(False, f"{name} {stage}: qonnx executes it", [f"{type(e).__name__}: {str(e)[-300:]}"])
        return
    want = want[:len(got)].reshape(got.shape)
    worst = float(np.abs(got - want).max() / np.abs(want).max())
    flat_got, flat_want = got.reshape(len(got), -1), want.reshape(len(got), -1)
    if flat_want.shape[1] == 1:
        decisions = (np.sign(flat_got) == np.sign(flat_want)).all()
    else:	# classes whose integers tie differ by float32's noise alone: any of them will do
        chosen = flat_want[np.arange(len(got)), flat_got.argmax(1)]
        best = flat_want.max(1)
        decisions = (chosen >= best - 1e-6 * np.abs(best)).all()
    tap.say(worst < 1e-5 and decisions, f"{name} {stage}: qonnx gives the goldens of {len(got)} samples "
            f"(largest difference {worst:.1e})")


def compare(tap, name, folder):
    from finngraph import Graph, not_integer
    finn = SHARED / "finn" / name
    converted, why = qcc(name, "convert", folder)
    if converted is None:
        tap.say(False, f"{name}: convert", [why])
    else:
        if (finn / "finn.onnx").exists():
            compare_counts(tap, name, "convert", Graph(converted), Graph(finn / "finn.onnx"), name in SAME_COUNTS)
        compare_outputs(tap, name, "convert", converted)
    streamlined, why = qcc(name, "streamline", folder)
    if streamlined is None:
        tap.say(False, f"{name}: streamline", [why])
        return
    ours, theirs = Graph(streamlined), Graph(finn / "streamlined.onnx")
    compare_counts(tap, name, "streamline", ours, theirs, name in SAME_COUNTS)
    bad = not_integer(ours)
    tap.say(not bad, f"{name} streamline: integers everywhere inside", bad[:10])
    compare_thresholds(tap, name, ours, theirs)
    compare_outputs(tap, name, "streamline", streamlined)


def main():
    try:
        import onnx, qonnx  # noqa: F401, E401
    except ImportError as e:
        print(f"1..0 # SKIP Python package {e.name} is missing")
        return 0
    if not (SHARED / "finn").is_dir():
        print(f"1..0 # SKIP no {SHARED}/finn")
        return 0
    import warnings
    warnings.filterwarnings("ignore")
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[1:] or NETWORKS:
            compare(tap, name, Path(folder) / name)
    return tap.done()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    sys.exit(main())
