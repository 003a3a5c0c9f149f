#!/usr/bin/env python3
"""Models whose operators the executor does not know as they stand, model-local functions and ONNX Runtime's own quantised
operators: every way of running and compiling them sees what they consist of.

Prints a line of the TAP protocol per case.
"""
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import onnx
    from onnx import parser
except ImportError as missing:
    print(f"1..0 # SKIP {missing.name} is not installed")
    sys.exit(0)

QCC = os.environ.get("QCC", "./qcc")

# Two layers by one function, which calls another; attributes of the call and defaults reach the inner nodes.
MODEL = """
<ir_version: 10, opset_import: ["" : 20, "local" : 1, "qonnx.custom_op.general" : 1]>
net (float[1,4] x) => (float[1,2] y)
<float[4,3] w1 = {1,-2,0.5, 1.5,2,-1, 0,-0.5,1, -1,1,0.5}, float[3,2] w2 = {1,-1, 0.5,2, -1.5,1}> {
    a = local.Act <scale = 0.25> (x)
    h = local.Layer (a, w1)
    y = local.Layer <scale = 0.5> (h, w2)
}
<domain: "local", opset_import: ["" : 20, "local" : 1, "qonnx.custom_op.general" : 1]>
Layer <scale: float = 0.375> (a, w) => (y) {
    one = Constant <value_float = 0.5> ()
    zero = Constant <value_float = 0.0> ()
    bits = Constant <value_float = 4.0> ()
    q = qonnx.custom_op.general.Quant <signed = 1, narrow = 1, rounding_mode = "ROUND"> (w, one, zero, bits)
    m = MatMul (a, q)
    r = Relu (m)
    y = local.Act <scale: float = @scale> (r)
}
<domain: "local", opset_import: ["" : 20, "qonnx.custom_op.general" : 1]>
Act <scale> (a) => (y) {
    s = Constant <value_float: float = @scale> ()
    zero = Constant <value_float = 0.0> ()
    bits = Constant <value_float = 4.0> ()
    y = qonnx.custom_op.general.Quant <signed = 1, narrow = 0, rounding_mode = "ROUND"> (a, s, zero, bits)
}
"""
SCRIPT = """
local m = qcc.load("model.onnx")
local before = m:execute{x={0.5, -1, 0.75, 2}}
m:run("streamline")
local after = m:execute{x={0.5, -1, 0.75, 2}}
assert(math.abs(before.y[1] - after.y[1]) < 1e-6 and math.abs(before.y[2] - after.y[2]) < 1e-6)
"""
RUNTIME = """
<ir_version: 8, opset_import: ["" : 17, "com.microsoft" : 1]>
net (uint8[1,4] a, uint8[1,4] b) => (uint8[1,4] y)
<float half = {0.5}, float quarter = {0.25}, uint8 p = {120}, uint8 q = {100}, uint8 r = {7}> {
    y = com.microsoft.QLinearAdd (a, half, p, b, quarter, q, half, r)
}
"""


def quant(x, scale, narrow=0):
    return np.clip(np.rint(x / np.float32(scale)), -8 + narrow, 7) * np.float32(scale)


def expected(x, model):
    w1, w2 = (onnx.numpy_helper.to_array(t) for t in model.graph.initializer)
    hidden = quant(np.maximum(quant(x, 0.25) @ quant(w1, 0.5, 1), 0), 0.375)
    return quant(np.maximum(hidden @ quant(w2, 0.5, 1), 0), 0.5)


def qcc(*args):
    p = subprocess.run([os.path.abspath(QCC), *args], capture_output=True, text=True, check=False)
    return "" if p.returncode == 0 else (p.stderr or p.stdout or f"status {p.returncode}")


def same(file, wanted):
    return "" if os.path.exists(file) and np.allclose(np.load(file), wanted, atol=1e-6) else f"{file} differs"


def operators(file):
    return sorted({n.op_type for n in onnx.load(file).graph.node})


def cases():
    model = parser.parse_model(MODEL)
    onnx.save(model, "model.onnx")
    x = np.random.default_rng(3).normal(0, 1, [64, 4]).astype(np.float32)
    np.save("x.npy", x)
    yield "run a function", qcc("run", "model.onnx", "x.npy", "-o", "y.npy") or same("y.npy", expected(x, model))
    yield "cleanup puts functions in place", (qcc("model.onnx", "-p", "cleanup", "-b", "finn", "-o", "clean") or
                                         str(set(operators("clean/model.finn.onnx")) - {"Quant", "MatMul", "Relu"} or ""))
    yield "streamline, certified", (qcc("model.onnx", "-p", "streamline", "--certify", "-b", "finn", "-o", "lean") or
                                    qcc("run", "lean/model.finn.onnx", "x.npy", "-o", "z.npy") or
                                    same("z.npy", expected(x, model)))
    yield "--verify compares with the original", qcc("model.onnx", "-p", "streamline", "--verify=50", "-o", "checked")
    yield "diff", qcc("diff", "model.onnx", "lean/model.finn.onnx", "x.npy")
    with open("script.lua", "w", encoding="utf-8") as f:
        f.write(SCRIPT)
    if "lua" in subprocess.run([QCC, "--version"], capture_output=True, text=True, check=True).stdout:
        yield "execute in a script # SKIP this qcc was built without Lua", ""
    else:
        yield "execute in a script", qcc("--script", "script.lua")
    onnx.save(parser.parse_model(RUNTIME), "runtime.onnx")
    a, b = np.random.default_rng(4).integers(0, 256, [2, 64, 4])
    np.save("a.npy", a.astype(np.uint8))
    np.save("b.npy", b.astype(np.uint8))
    total = np.clip(np.rint(((a - 120) / 2 + (b - 100) / 4) * 2) + 7, 0, 255)
    yield "run QLinearAdd", qcc("run", "runtime.onnx", "a=a.npy", "b=b.npy", "-o", "sum.npy") or same("sum.npy", total)
    yield "--verify with QLinearAdd", qcc("runtime.onnx", "-p", "streamline", "--verify=50", "-o", "checked")


def main():
    number = 0
    with tempfile.TemporaryDirectory() as folder:
        global QCC
        QCC = os.path.abspath(QCC)
        os.chdir(folder)
        for number, (name, wrong) in enumerate(cases(), 1):
            print(f"{'not ok' if wrong else 'ok'} {number} - {name}")
            for line in str(wrong).splitlines():
                print("#", line)
        os.chdir("/")
    print(f"1..{number}")


main()
