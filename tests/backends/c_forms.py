#!/usr/bin/env python3
"""Small networks, one a form of layer: the C of every style computes what `qcc run` computes of the model.

A network is a line of ONNX's textual form with integer activations (`x:INT4`) and constants $name[dims;from..to],
which are drawn at random. Those marked with a pass list go through it first. Integers must be equal; real outputs
within 1e-5 of the largest. QCC_C_TESTS=NAME[,NAME] runs these alone.
"""

import itertools
import os
import random
import re
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
QCC = os.environ.get("QCC", str(SRC / "build" / "qcc"))
CC = os.environ.get("CC", "cc").split()
WHICH = os.environ.get("QCC_C_TESTS", "")
FLAGS = "-std=c11 -Wall -Wextra -Wconversion -pedantic -Werror -O1 -DQCC_TARGETS=0 -fsanitize=undefined -fno-sanitize-recover=undefined".split()
NATIVE = "-std=c11 -Wall -Wextra -Wconversion -pedantic -Werror -O3 -march=native".split()
STYLES = {"reference": "c", "packed": "c-packed", "tiny": "c-tiny"}
SAMPLES = 5

QUANT = 'qonnx.Quant <signed = {0}, narrow = 0, rounding_mode = "ROUND">'
FLOORED = QUANT.format(1).replace("ROUND", "FLOOR")
THRESHOLDS = 'qonnx.MultiThreshold <out_dtype = "UINT2">'
MANY = 'qonnx.MultiThreshold <out_dtype = "UINT16">'
IMAGE = "x:INT4[1,4,6,6]"

SQUEEZE_AND_EXCITE = ("q = SIGNED(x, $s[;0.1137], $z[;0], $b[;6]); c = Conv(q, $w[4,4,1,1;-3..3]); "
                      "a = UNSIGNED(c, $s2[;0.3791], $z, $b4[;4]); m = GlobalAveragePool(a); d = Conv(m, $v[4,4,1,1;-3..3]); "
                      "h = HardSigmoid(d); g = UNSIGNED(h, $s3[;0.0713], $z, $b4); p = Mul(a, g); "
                      "y = UNSIGNED(p, $s4[;0.2939], $z, $b4)")

# name: (input, nodes) or (input, nodes, passes)
NETWORKS = {
    # two activations
    "gate": (IMAGE, "g = GlobalMaxPool(x); y = Mul(x, g)"),
    "gate first": (IMAGE, "g = GlobalMaxPool(x); y = Mul(g, x)"),
    "gate with thresholds": (IMAGE, "g = GlobalMaxPool(x); p = Mul(x, g); y = THRESHOLDS(p, $t[4,3;-30..30])"),
    "gate beside convolutions": (IMAGE, "a = Conv(x, $w[4,4,1,1;-3..3]); b = THRESHOLDS(a, $t[4,3;-60..60]); "
                                 "g = GlobalMaxPool(x); p = Mul(b, g); y = Conv(p, $v[3,4,3,3;-3..3])"),
    "squeeze and excite": ("x[1,4,6,6]", SQUEEZE_AND_EXCITE, "streamline"),
    "wide products": ("x:INT24[1,5]", "y = Mul(x, x)"),
    "sums and differences": (IMAGE, "g = GlobalMaxPool(x); a = Add(x, g); b = Sub(g, a); c = Max(b, x); y = Min(c, g)"),
    "floats of two branches": ("x[1,3,4,4]", "g = GlobalAveragePool(x); e = Exp(g); a = Mul(x, g); b = Div(a, e); c = Sub(b, x); y = Add(c, g)"),
    "product of two activations": ("x:INT4[1,2,5,3]", "k = Transpose <perm = [0,1,3,2]> (x); a = MatMul(x, k); "
                                   "b = THRESHOLDS(a, $t[1,3;-40..40]); y = MatMul(b, x)"),
    "product that is broadcast": ("x:INT4[2,3,4]", "a, b = Split <axis = 0> (x); k = Transpose <perm = [0,2,1]> (a); y = MatMul(x, k)"),
    "product of floats": ("x[1,5,3]", "k = Transpose <perm = [0,2,1]> (x); a = MatMul(x, k); b = Softmax(a); y = MatMul(b, x)"),
    # constants
    "matrix on the left": ("x:INT4[1,5,3]", "y = MatMul($w[4,5;-7..7], x)"),
    "matrix on the left of a vector": ("x:INT4[5,1]", "y = MatMul($w[4,5;-7..7], x)"),
    "matrices on the right": ("x:INT4[1,2,3,5]", "y = MatMul(x, $w[2,5,4;-7..7])"),
    "slopes": (IMAGE, "y = PRelu(x, $s[4,1,1;-3..3])"),
    "powers": ("x:UINT4[1,7]", "y = Pow(x, $e[1,7;0..2])"),
    "sum of inputs beyond INT20": ("x:INT20[1,40]", "a = MatMul(x, $w[40,3;-90..90]); y = Relu(a)"),
    "elements beyond UINT30": ("x:UINT30[1,40]", "y = Add(x, x)"),
    "weights of more than 32 bits": ("x:INT4[1,6]", "y = MatMul(x, $w[6,3;-900000000000..900000000000])"),
    "sums of more than 32 bits": ("x:INT4[1,7]", "a = MatMul(x, $w[7,3;-3..3]); b = Mul(a, $f[;1000000000]); c = Neg(b); y = Abs(c)"),
    "batch normalization before a product": ("x[1,6]", "q = SIGNED(x, $s[;0.1], $z[;0], $b[;8]); n = BatchNormalization(q, $g[6;1..3], $h[6;-1..1], "
                                             "$m[6;-1..1], $r[6;1..4]); y = MatMul(n, $w[6,3;-3..3])", "streamline"),
    # many thresholds
    "9 bits from a product": ("x:INT4[1,8]", "a = MatMul(x, $w[8,6;-7..7]); y = MANY(a, $t[6,511;-200..200])"),
    "10 bits from a convolution": (IMAGE, "a = Conv(x, $w[5,4,3,3;-1..1]); b = MANY(a, $t[5,1023;-100..100]); y = Conv(b, $v[3,5,1,1;-7..7])"),
    "10 bits from a depthwise convolution": (IMAGE, "a = Conv <group = 4> (x, $w[4,1,3,3;-3..3]); y = MANY(a, $t[4,1000;-100..100])"),
    "14 bits from an input": ("x[1,4,3,3]", "q = SIGNED(x, $s[;0.001137], $z[;0], $b[;14]); y = Conv(q, $w[3,4,2,2;-3..3])", "streamline"),
    "16 bits": ("x[1,4,5,5]", "q = SIGNED(x, $s[;0.000137], $z[;0], $b[;16]); c = Conv(q, $w[4,4,3,3;-7..7]); r = Relu(c); "
                "a = UNSIGNED(r, $s2[;0.00041], $z, $b); d = Conv <group = 4> (a, $v[4,1,3,3;-3..3]); "
                "y = FLOORED(d, $s3[;0.00137], $k[;3], $b)", "streamline"),
    # windows
    "padding": (IMAGE, "p = Pad(x, $pads[8;0 0 1 2 0 0 0 1]); y = Conv(p, $w[3,4,3,3;-3..3])"),
    "padding with a value": (IMAGE, "p = Pad(x, $pads[8;0 0 1 1 0 0 1 1], $v[;3]); y = MaxPool <kernel_shape = [2,2]> (p)"),
    "convolution over one pixel": ("x:INT4[1,8,1,1]", "c = Conv(x, $w[5,8,1,1;-7..7]); d = THRESHOLDS(c, $t[5,3;-90..90]); y = Conv(d, $v[3,5,1,1;-7..7])"),
    "padded convolution over one pixel": ("x:INT4[1,8,1,1]", "y = Conv <pads = [1,1,1,1]> (x, $w[5,8,3,3;-7..7])"),
    "kernel on one pixel": (IMAGE, "y = Conv(x, $w[5,4,6,6;-7..7])"),
    "transposed over one pixel": ("x:INT4[1,3,1,1]", "y = ConvTranspose(x, $w[3,2,2,2;-3..3])"),
    "batch of three": ("x:INT4[3,4,6,6]", "c = Conv <pads = [1,1,1,1]> (x, $w[4,4,3,3;-3..3]); r = THRESHOLDS(c, $t[4,3;-60..60]); "
                       "m = MaxPool <kernel_shape = [2,2], strides = [2,2]> (r); d = ConvTranspose(m, $v[4,2,2,2;-3..3]); y = GlobalAveragePool(d)"),
    "batch of two floats": ("x[2,4,6,6]", "q = SIGNED(x, $s[;0.1137], $z[;0], $b[;6]); c = Conv(q, $w[4,4,3,3;-3..3]); "
                            "u = UNSIGNED(c, $s2[;0.3791], $z, $b4[;4]); f = Flatten(u); y = MatMul(f, $m[64,3;-3..3])", "streamline"),
    "maximum over axes": (IMAGE, "m = ReduceMax <keepdims = 0> (x, $a[1;2]); y = ReduceMin <keepdims = 1> (m, $b[1;1])"),
    # float tails
    "logarithm of softmax": ("x:INT8[1,9]", "r = Mul(x, $s[;0.03]); y = LogSoftmax(r)"),
    **{f: ("x:INT5[1,33]", f"r = Mul(x, $s[;0.25]); y = {f}(r)") for f in (
        "Softmax", "Elu", "Selu", "Celu", "HardSigmoid", "HardSwish", "Softplus", "Softsign", "Mish", "Gelu", "Sign",
        "ThresholdedRelu", "LeakyRelu", "Sigmoid", "Tanh", "Erf")},
    "Gelu by tanh": ("x:INT5[1,33]", "r = Mul(x, $s[;0.25]); y = Gelu <approximate = \"tanh\"> (r)"),
    "Sign of integers": ("x:INT5[1,33]", "y = Sign(x)"),
    # hardware layers
    "squeeze and excite in hardware": ("x[1,4,6,6]", SQUEEZE_AND_EXCITE, "streamline,fold"),
    "ChannelwiseOp": ("x:INT4[1,3,3,4]", "a = HW.ChannelwiseOp <Func = \"add\", NumChannels = 4, PE = 1, inputDataType = \"INT4\", paramDataType = \"INT3\", "
                      "outputDataType = \"INT5\"> (x, $c[4;-3..3]); b = HW.ChannelwiseOp <Func = \"mul\", NumChannels = 4, PE = 1, inputDataType = \"INT5\", "
                      "paramDataType = \"INT3\", outputDataType = \"INT8\"> (a, $d[4;-3..3]); y = HW.ChannelwiseOp <Func = \"cmp_ge\", NumChannels = 4, PE = 1, "
                      "inputDataType = \"INT8\", paramDataType = \"INT3\", outputDataType = \"BINARY\"> (b, $e[4;-3..3])"),
    "StreamingEltwise": ("x:INT4[1,6,4]", "a, b = Split <axis = 1> (x); c = HW.StreamingEltwise <eltwiseOp = \"AbsDiff\", NumChannels = 4, PE = 1, "
                         "inputDataType0 = \"INT4\", inputDataType1 = \"INT4\"> (a, b); y = HW.StreamingEltwise <eltwiseOp = \"Sub\", NumChannels = 4, "
                         "PE = 1, inputDataType0 = \"UINT4\", inputDataType1 = \"INT4\"> (c, b)"),
    "Thresholding behind an MVAU with thresholds": ("x[1,8]", "q = SIGNED(x, $s[;0.1137], $z[;0], $b[;8]); m = MatMul(q, $w[8,6;-7..7]); "
                                                    "r = SIGNED(m, $s2[;0.4791], $z, $b); u = UNSIGNED(r, $s3[;1.0131], $z, $b4[;4]); "
                                                    "y = MatMul(u, $v[6,4;-7..7])", "streamline,fold"),
    "Pool": ("x:UINT4[1,4,7,7]", "m = MaxPool <kernel_shape = [3,3], strides = [2,2], pads = [1,1,1,1]> (x); c = Conv(m, $w[3,4,1,1;-3..3]); y = THRESHOLDS(c, $t[3,3;-40..40])",
             "streamline,fold"),
}


# ---- one network for many forms of a kind: branches from one tensor, joined in a row ----

def branches(before, forms):
    """`before` makes c; each form reads c and makes its own result; all of them end to end are y."""
    nodes, rows = [], []
    for i, form in enumerate(forms):
        nodes.append(f"{form}; f{i} = Flatten <axis = 0> (r)".replace("r =", f"r{i} =").replace("(r)", f"(r{i})"))
        rows.append(f"f{i}")
    return "; ".join([*before, *nodes, f"y = Concat <axis = 1> ({', '.join(rows)})"])


AXES = [axes for n in range(1, 5) for axes in itertools.combinations(range(4), n)]
CONVOLVED = ["c = Conv <pads = [1,1,1,1]> (x, $w[4,4,3,3;-3..3])"]
for op in ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin"):
    NETWORKS[f"{op} over any axes"] = ("x:INT4[2,4,5,3]", branches(CONVOLVED, [
        f"r = {op} <keepdims = {keep}> (c, $ints{i}{keep}[{len(axes)};{' '.join(map(str, axes))}])"
        for i, axes in enumerate(AXES) for keep in (0, 1)]))
    for axis in (1, 2, 3):
        NETWORKS[f"{op} over axis {axis} alone"] = (IMAGE, CONVOLVED[0] + f"; y = {op} <keepdims = {axis % 2}> (c, $a[1;{axis}])")

ELEMENTWISE = ["r = Relu(c)", "r = Neg(c)", "r = Abs(c)", "r = Mul(c, $m0[4;-3..3])", "r = Add(c, $m1[1,3,1,1;-3..3])",
               "r = Sub($m2[1,1,2,1;-3..3], c)", "r = Max(c, $m3[3,2,4;-5..5])", "r = Min(c, $m4[;2])", "r = Div(c, $m5[4;2..5])",
               "r = PRelu(c, $m6[4;-3..3])", "r = Clip(c, $m7[;-3], $m8[;4])", "r = Sigmoid(c)", "r = Identity(c)",
               "r = Softmax <axis = 1> (c)", "j = ArgMax <axis = 2> (c); r = Cast <to = 1> (j)", "r = Cast <to = 1> (c)", "r = Transpose <perm = [0,3,1,2]> (c)",
               "r = qonnx.MultiThreshold <out_dtype = \"UINT2\", data_layout = \"NHWC\"> (c, $t[4,3;-6..6])",
               "r = qonnx.custom_op.channels_last.MaxPool <kernel_shape = [2,2]> (c)", "r = ReduceMax <keepdims = 0> (c, $ints[1;1])"]
LAST_POOLED = "c = qonnx.custom_op.channels_last.MaxPool <kernel_shape = [2,2], strides = [2,2]> (x)"
NETWORKS["all that follows a pool with channels last"] = ("x:INT5[1,6,4,4]", branches([LAST_POOLED], ELEMENTWISE))
NETWORKS["all that follows a convolution"] = ("x:INT4[1,4,3,2]", branches(["p = Transpose <perm = [0,3,1,2]> (x)",
                                              "c = Conv <pads = [1,1,1,1]> (p, $w[3,2,3,3;-2..2])"], [
    e.replace("NHWC", "NCHW").replace("[4,3;-6..6]", "[3,3;-30..30]").replace("[3,2,4;", "[3,4,3;").replace("[4;", "[3;")
    .replace("[1,1,2,1;", "[1,1,4,1;").replace("[1,3,1,1;", "[1,3,1,1;") for e in ELEMENTWISE if "channels_last" not in e]))
for i, (form, reads) in enumerate([("Mul(c, $m[4;-3..3])", None), ("Relu(c)", None), ("Sub($m[1,3,1,1;-3..3], c)", None)]):
    NETWORKS[f"elements of a pool with channels last as output {i}"] = ("x:INT5[1,6,4,4]", f"{LAST_POOLED}; y = {form}")

CASTS = [f"i{n} = Cast <to = {to}> (c); r = Cast <to = 1> (i{n})" for n, to in enumerate((1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 16))]
NETWORKS["casts of floats"] = ("x[1,90]", branches(["c = Mul(x, $s[;93.7])"], CASTS))
NETWORKS["casts of small floats"] = ("x[1,90]", branches(["c = Mul(x, $s[;0.00001])"], CASTS))
NETWORKS["casts of integers"] = ("x:INT12[1,90]", branches(["c = Neg(x)"], CASTS))
NETWORKS["cast of an image"] = (IMAGE, CONVOLVED[0] + "; y = Cast <to = 6> (c)")

for dims, rows in (("4,5", {"": 5, "NCW": 4, "NWC": 5}), ("4,4", {"": 4, "NCW": 4, "NWC": 4})):
    for layout, count in rows.items():
        name = f"thresholds of 1x{dims.replace(',', 'x')} by {layout or 'rank'}"
        node = f"qonnx.MultiThreshold <out_dtype = \"UINT2\"{f', data_layout = {chr(34)}{layout}{chr(34)}' if layout else ''}>"
        NETWORKS[name] = (f"x:INT6[1,{dims}]", f"y = {node} (x, $t[{count},3;-20..20])")
        NETWORKS[name + " behind a product"] = (f"x:INT4[1,{dims}]", f"a = MatMul(x, $w[{dims[-1]},{dims[-1]};-7..7]); y = {node} (a, $t[{count},3;-60..60])")

# Transposed convolutions in groups, of integers and of floats.
for axes, image, kernel in ((1, "5", "3"), (2, "3,4", "2,3")):
    for groups, each in ((2, 3), (4, 1)):
        weights = f"$w[4,{each},{kernel};-7..7]"
        form = f"ConvTranspose <group = {groups}, strides = [{','.join('2' * axes)}]>"
        name = f"transposed convolution in {groups} groups over {axes} axes"
        NETWORKS[name] = (f"x:INT4[1,4,{image}]", f"y = {form} (x, {weights}, $c[{groups * each};-9..9])")
        NETWORKS[name + " of floats"] = (f"x[1,4,{image}]", f"y = {form} (x, {weights})")

# An input quantiser writes images with channels last, whatever the axis of its scales.
for axis, dims in ((1, "3,1,1"), (2, "1,5,1"), (3, "1,1,4")):
    for channels in (3, 1):
        scales = dims.replace("3", str(channels)) if axis == 1 else dims
        NETWORKS[f"input of {channels} channels quantised along axis {axis}"] = (
            f"x[1,{channels},5,4]", f"q = SIGNED(x, $s[1,{scales};1..3], $z[;0], $b[;4]); y = Conv(q, $w[2,{channels},2,2;-3..3])", "streamline")

# Every kind of layer on all of int8_t and uint8_t, as input and inside. These are built for this machine at -O3 too.
EIGHT_BITS = {
    "convolution": "y = Conv <pads = [1,1,1,1]> (X, $w[9,24,3,3;-128..127])",
    "depthwise convolution": "y = Conv <group = 24, pads = [1,1,1,1]> (X, $w[24,1,3,3;-128..127])",
    "grouped convolution": "y = Conv <group = 2> (X, $w[6,12,3,3;-128..127])",
    "transposed convolution": "y = ConvTranspose <strides = [2,2], pads = [1,1,1,1]> (X, $w[24,6,3,3;-128..127])",
    "dense": "f = Flatten(X); y = MatMul(f, $w[384,10;-128..127])",
    "product": "k = Transpose <perm = [0,1,3,2]> (X); y = MatMul(X, k)",
    "product with a constant": "y = MatMul($w[5,4;-128..127], X)",
    "sums": "y = GlobalAveragePool(X)",
    "pool": "y = MaxPool <kernel_shape = [2,2]> (X)",
    "elements": "a = Mul(X, X); y = Sub(a, X)",
}
for kind, body in EIGHT_BITS.items():
    for bits in ("INT8", "UINT8"):
        NETWORKS[f"{bits}: {kind}"] = (f"x:{bits}[1,24,4,4]", body.replace("X", "x"))
        bias = ', out_bias = -128.0' if bits == "INT8" else ""
        NETWORKS[f"{bits} inside: {kind}"] = ("x:INT4[1,24,4,4]", f"c = Conv(x, $v[24,24,1,1;-3..3]); i = qonnx.MultiThreshold <out_dtype = "
                                              f"\"{bits}\"{bias}> (c, $t[1,255;-150..150]); " + body.replace("X", "i"))

# 255 thresholds near a line, some of them off it, behind every kind of layer that sums 8-bit operands.
NEAR_A_LINE = {
    "convolution": "c = Conv <pads = [1,1,1,1]> (x, $w[20,20,3,3;-128..127])",
    "1x1 convolution": "c = Conv (x, $w[32,20,1,1;-128..127])",
    "depthwise convolution": "c = Conv <group = 20, pads = [1,1,1,1]> (x, $w[20,1,3,3;-128..127])",
    "depthwise convolution in steps of 2": "c = Conv <group = 20, pads = [2,2,2,2], strides = [2,2]> (x, $w[20,1,5,5;-128..127])",
    "dilated depthwise convolution": "c = Conv <group = 20, pads = [2,2,2,2], dilations = [2,2]> (x, $w[20,1,3,3;-128..127])",
    "depthwise convolution along a row": "c = Conv <group = 20, pads = [0,3,0,3]> (x, $w[20,1,1,7;-128..127])",
    "depthwise convolution along a column": "c = Conv <group = 20> (x, $w[20,1,9,1;-128..127])",
    "wide depthwise convolution": "c = Conv <group = 20, pads = [1,6,1,6]> (x, $w[20,1,3,13;-128..127])",
    "depthwise convolution of 32 channels": "d = Conv (x, $v[32,20,1,1;-1..1]); e = MultiThreshold8(d, $line0[32,255;3..30]); "
                                                 "c = Conv <group = 32, pads = [1,1,1,1]> (e, $w[32,1,3,3;-128..127])",
    "dense": "f = Flatten(x); c = MatMul(f, $w[1980,20;-128..127])",
    "residual": "d = Conv <pads = [1,1,1,1]> (x, $w[20,20,3,3;-128..127]); e = MultiThreshold8(d, $line0[20,255;1500..4000]); "
                "m = Mul(x, $three[;3]); n = Mul(e, $five[;5]); c = Add(m, n)",
    "elements": "c = Mul(x, $three[;3])",
}
STEPS = {"convolution": "1500..4000", "1x1 convolution": "400..1500", "dense": "3000..9000", "residual": "5..20", "elements": "2..5"}
for kind, body in NEAR_A_LINE.items():
    rows = 32 if "32" in body and kind != "dense" else 20
    for bits, bias in (("UINT8", ""), ("INT8", ", out_bias = -128.0")):
        last = f'y = qonnx.MultiThreshold <out_dtype = "{bits}"{bias}> (c, $line1[{rows},255;{STEPS.get(kind, "150..700")}])'
        first = body.replace("MultiThreshold8", f'qonnx.MultiThreshold <out_dtype = "{bits}"{bias}> ')
        NETWORKS[f"{bits} near a line: {kind}"] = (f"x:{bits}[1,20,9,11]", f"{first}; {last}")


def near_a_line(rng, rows, count, low, high):
    """Rows of thresholds in equal steps of low to high, one in thirty off by one."""
    for _ in range(rows):
        step = rng.uniform(low, high)
        start = -step * count * rng.uniform(0.3, 0.6)
        yield from sorted(round(start + k * step) + (rng.random() < 1 / 30) * rng.choice((-1, 1)) for k in range(count))


def constants(body, seed):
    """Constants of a network as declarations, and its nodes with their names alone."""
    rng, made = random.Random(seed), {}

    def draw(match):
        name, dims, what = match.groups()
        if dims is None:
            return name
        size = int(np.prod([int(d) for d in dims.split(",")])) if dims else 1
        if ".." in what:
            low, high = map(int, what.split(".."))
            values = [rng.randint(low, high) for _ in range(size)]
        else:
            values = what.split()
        if name.startswith("line"):
            values = list(near_a_line(rng, *[int(d) for d in dims.split(",")], low, high))
        if name == "t":     # thresholds ascend
            row = int(dims.split(",")[1])
            values = [v for i in range(0, size, row) for v in sorted(values[i:i + row])]
        kind = "int64" if name in ("pads", "a", "b") or name.startswith("ints") and dims else "float"
        made[name] = f"{kind}[{dims}] {name} = {{{', '.join(map(str, values))}}}" if dims else f"{kind} {name} = {{{values[0]}}}"
        return name

    body = re.sub(r"\$(\w+)(?:\[([\d,]*);([^\]]*)\])?", draw, body)
    return list(made.values()), body


def model_text(name, given, body):
    """The model in ONNX's textual form, the input's dims and its datatype (None: floats)."""
    spec = re.fullmatch(r"x(?::(\w+))?\[([\d,]+)\]", given)
    body = body.replace("THRESHOLDS", THRESHOLDS).replace("MANY", MANY).replace("HW.", "finn.custom_op.fpgadataflow.").replace("FLOORED", FLOORED).replace("UNSIGNED", QUANT.format(0)).replace("SIGNED", QUANT.format(1))
    declared, body = constants(body, name)
    kind = f":{spec[1]}" if spec[1] else ""
    nodes = "\n".join(f"  {line.strip()}" for line in body.split(";\n" if ";\n" in body else "; "))
    head = f"<{', '.join(declared)}> " if declared else ""
    return (f"net (float[{spec[2]}]{kind} x) => (y)\n{head}{{\n{nodes}\n}}\n",
            [int(d) for d in spec[2].split(",")], spec[1])


def inputs(name, dims, datatype):
    rng = np.random.default_rng(sum(map(ord, name)))
    dims = [SAMPLES * dims[0], *dims[1:]]
    if "beyond" in name:    # the datatype does not bind the caller
        return rng.integers(-(1 << 30), 1 << 30, dims).astype(np.float32)
    if not datatype:
        return rng.normal(0, 2, dims).astype(np.float32)
    bits = int(re.search(r"\d+", datatype)[0])
    low = 0 if datatype[0] == "U" else -(1 << (bits - 1))
    return rng.integers(low, low + (1 << bits), dims).astype(np.float32)


def run(command, **more):
    p = subprocess.run([str(c) for c in command], capture_output=True, text=True, **more)
    if p.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {(p.stderr or p.stdout).strip()[:1500]}")


def expected(where, x, batch, datatype=None):
    """Outputs of the model as it was written; samples one by one, as the code computes them, within the datatype."""
    parts = []
    if datatype:
        bits = int(re.search(r"\d+", datatype)[0])
        x = np.clip(x, 0 if datatype[0] == "U" else -(1 << (bits - 1)), (1 << (bits if datatype[0] == "U" else bits - 1)) - 1)
    for i in range(0, len(x), batch):
        np.save(where / "one.npy", x[i:i + batch])
        run([QCC, "run", where / "net.onnxtxt", where / "one.npy", "-o", where / "want.npy"])
        parts.append(np.load(where / "want.npy").astype(np.float64))
    return np.concatenate([p.reshape(1, -1) for p in parts])


def compare(got, want, datatype):
    got = got.astype(np.float64).reshape(want.shape)
    whole = np.array_equal(want, np.round(want)) and datatype
    off = np.abs(got - want).max(initial=0)
    if off > (0 if whole and np.abs(want).max(initial=0) < 1 << 24 else 1e-5 * max(np.abs(want).max(initial=0), 1e-30)):
        raise RuntimeError(f"off by {off}")


def check(where, style, x, want, datatype, emitted, native=False):
    if emitted:
        raise RuntimeError(emitted)
    folder = where / "out" / STYLES[style]
    np.save(folder / "x.npy", x)
    sources = [folder / f for f in ("main.c", "net.c", "net_weights.c")]
    for flags in (FLAGS, NATIVE)[:1 + native]:
        run([*CC, *flags, f"-I{folder}", "-o", folder / "net", *sources, "-lm"])
        run([folder / "net", folder / "x.npy", folder / "y.npy"])
        compare(np.load(folder / "y.npy"), want, datatype)


def one(name):
    """(case, error or None) of one network, a style each."""
    given, body, *passes = NETWORKS[name]
    text, dims, datatype = model_text(name, given, body)
    with tempfile.TemporaryDirectory(prefix="qcc-c-") as folder:
        where, error = Path(folder), None
        (where / "net.onnxtxt").write_text(text)
        x = want = None
        try:
            x = inputs(name, dims, datatype)
            want = expected(where, x, dims[0], datatype)
            run([QCC, where / "net.onnxtxt", "-q", "-p", (passes or ["infer"])[0], "-b", "c(reference,packed,tiny)", "-o", where / "out"])
        except (RuntimeError, OSError) as e:
            error = str(e)
        results = []
        for style in STYLES:
            try:
                check(where, style, x, want, datatype, error, "INT8" in name)
                results.append((f"{name}: {style}", None))
            except (RuntimeError, OSError, ValueError) as e:
                results.append((f"{name}: {style}", f"{e}\n{text}"))
        return results


def main():
    names = [n for n in NETWORKS if not WHICH or n in WHICH.split(",")]
    count = 0
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for results in pool.map(one, names):
            for case, error in results:
                count += 1
                print(f"{'not ok' if error else 'ok'} {count} - {case}", flush=True)
                for line in (error or "").splitlines():
                    print("#", line)
    print(f"1..{count}")


if __name__ == "__main__":
    main()
