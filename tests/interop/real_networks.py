#!/usr/bin/env python3
"""Networks of ../shared/real, as people publish them: `qcc run` equals the golden outputs, and so does what streamline
leaves.

Real outputs agree within 1e-5 of the largest. A 16-bit one, whose golden is float32 before its last rounding, may be one
step of its last quantiser off.
"""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import numpy as np
except ImportError:
    print("1..0 # SKIP no numpy")
    sys.exit(0)

SRC = Path(os.environ.get("QCC_SRC", Path(__file__).resolve().parents[2]))
REAL = SRC.parent / "shared" / "real"
QCC = os.environ.get("QCC", "./qcc")

# The quick ones, each with what only it has; how far off outputs may be, in parts of the largest.
NETWORKS = {
    "conv2d_small_mp_keras": 1e-5,
    "deeploy_CNN_Linear1": 0,           # RequantShift of its own domain
    "deeploy_MLPerf_KeywordSpotting": 0,
    "dyn_ae": 1e-5,                     # DynamicQuantizeLinear, MatMulInteger
    "mlpt_dscnn_w8a8": 1e-5,
    "ort_dscnn_qdq_a16w8": 1.6e-4,      # 16 bits
    "ort_dscnn_qdq_a8w4": 0,            # weights of 4 bits, quantisers of com.microsoft
    "ort_dscnn_qop_pt_u8u8": 0,         # QOperator form, QLinearSoftmax
    "ort_gru_qdq_pc_u8s8": 0,
    "ort_lstm_qdq_pc_u8s8": 0,
    "ort_resnet8_qdq_pc_u8s8": 0,
}


def qcc(*args):
    done = subprocess.run([QCC, *map(str, args)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])


def off(model, source, folder, allowed):
    """What is wrong with that model's outputs; an empty text where nothing is."""
    qcc("run", "-q", model, source / "input.npy", "-o", folder / "y.npy")
    got, want = (np.load(f).astype(np.float64).ravel() for f in (folder / "y.npy", source / "output.npy"))
    if got.size != want.size:
        return f"{got.size} elements instead of {want.size}"
    difference = np.abs(got - want).max()
    return "" if difference <= allowed * np.abs(want).max() else f"off by {difference:.3g}"


def check(name, folder):
    source = REAL / name
    wrong = off(source / "model.onnx", source, folder, NETWORKS[name])
    if wrong:
        return wrong
    qcc("-q", source / "model.onnx", "-p", "streamline", "-b", "finn", "-o", folder)
    wrong = off(folder / "model.finn.onnx", source, folder, NETWORKS[name])
    return f"streamlined: {wrong}" if wrong else ""


def main():
    if not REAL.is_dir():
        print("1..0 # SKIP ../shared/real is not there")
        return
    print(f"1..{len(NETWORKS)}")
    for i, name in enumerate(NETWORKS):
        with tempfile.TemporaryDirectory() as folder:
            try:
                wrong = check(name, Path(folder))
            except RuntimeError as e:
                wrong = str(e)
        print(f"{'not ' if wrong else ''}ok {i + 1} - {name}{': ' if wrong else ''}{wrong}")


main()
