#!/usr/bin/env python3
"""Make the conformance data of qcc: operators and small networks with the outputs that others compute for them.

    python3 make_conformance.py [--out DIR]

DIR/operators/NAME.onnx has one node for each case, whose output is an output of the graph and names the case;
DIR/operators/NAME.npz has the inputs and those outputs by name, and `tolerance` where results are not exact.
Operators of QONNX are executed by qonnx, operators of ONNX by onnxruntime without optimisation; qcc computes
nothing here. Numbers are chosen so that float32 sums are exact: such cases must be met bit for bit.

DIR/networks/NAME/ has model.onnx, input.npy and output.npy of a network that netgen (tests/interop/netgen) builds
from the description below: outputs are qonnx's, of samples that float32 can decide.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "interop"))
from netgen import build, check  # noqa: E402

QONNX = "qonnx.custom_op.general"
MODES = ["ROUND", "HALF_EVEN", "CEIL", "FLOOR", "UP", "DOWN", "HALF_UP", "HALF_DOWN"]
SEED = 20


# Operators -----------------------------------------------------------------

class Sheet:
    """One file of cases: a graph whose nodes do not depend on each other."""

    def __init__(self, opset=13, qonnx=1, tolerance=0.0):
        self.opsets = [helper.make_opsetid("", opset), helper.make_opsetid(QONNX, qonnx)]
        self.nodes, self.constants, self.inputs, self.datatypes, self.tolerance = [], {}, {}, {}, tolerance
        self.rng = np.random.default_rng(SEED)

    def input(self, name, array, datatype=None):
        """A value that is fed; qonnx wants to know the datatype in front of some operators."""
        self.inputs[name] = np.asarray(array)
        if datatype:
            self.datatypes[name] = datatype
        return name

    def const(self, array, dtype=np.float32):
        """A constant; equal ones are shared."""
        array = np.asarray(array, dtype)
        for name, other in self.constants.items():
            if other.dtype == array.dtype and other.shape == array.shape and (other == array).all():
                return name
        name = f"c{len(self.constants)}"
        self.constants[name] = array
        return name

    def case(self, name, op, inputs, domain="", **attributes):
        """A node; the case has the name of its output."""
        self.nodes.append(helper.make_node(op, inputs, [name], name=f"n_{name}", domain=domain, **attributes))

    def integers(self, *shape, most=8):
        """Small integers as floats, which sums keep exact."""
        return self.rng.integers(-most, most + 1, shape).astype(np.float32)

    def model(self, outputs):
        """The ModelProto. Outputs have the types of those that are known; their shapes are left for qcc to infer."""
        elem = {n: helper.np_dtype_to_tensor_dtype(a.dtype) for n, a in (self.inputs | outputs).items()}
        graph = helper.make_graph(
            self.nodes, "cases",
            [helper.make_tensor_value_info(n, elem[n], a.shape) for n, a in self.inputs.items()],
            [helper.make_tensor_value_info(n, elem[n], None) if n in elem else onnx.ValueInfoProto(name=n)
             for n in (node.output[0] for node in self.nodes)],
            [numpy_helper.from_array(a, n) for n, a in self.constants.items()])
        for name, datatype in self.datatypes.items():
            note = graph.quantization_annotation.add(tensor_name=name)
            note.quant_parameter_tensor_names.add(key="finn_datatype", value=datatype)
        return helper.make_model(graph, opset_imports=self.opsets, ir_version=8)

    def by_qonnx(self):
        """Outputs of QONNX's operators."""
        model = ModelWrapper(self.model({n.output[0]: np.float32(0) for n in self.nodes})).transform(InferShapes())
        return {n: np.asarray(a, np.float32) for n, a in execute_onnx(model, self.inputs).items()}

    def by_onnxruntime(self):
        """Outputs of ONNX's operators; onnx infers their types."""
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.intra_op_num_threads = 1
        model = onnx.shape_inference.infer_shapes(self.model({}))
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        names = [n.output[0] for n in self.nodes]
        return dict(zip(names, session.run(names, self.inputs)))

    def write(self, path):
        """NAME.onnx and NAME.npz."""
        outputs = self.by_qonnx() if all(n.domain for n in self.nodes) else self.by_onnxruntime()
        onnx.save(self.model(outputs), path.with_suffix(".onnx"))
        more = {"tolerance": np.float32(self.tolerance)} if self.tolerance else {}
        np.savez_compressed(path.with_suffix(".npz"), **self.inputs, **outputs, **more)
        return len(outputs)


def ties_and_others(rng, step, count=96):
    """Half of them multiples of half a step, where rounding modes differ; zeros of both signs and large ones."""
    x = rng.normal(0, 6 * step, count)
    x[: count // 2] = np.arange(-count // 4, count // 4) * step / 2
    x[-6:] = [0.0, -0.0, 1e6, -1e6, np.inf, -np.inf]
    return x.astype(np.float32)[np.newaxis]


def quant():
    s = Sheet()
    x = s.input("x", ties_and_others(s.rng, 0.25))
    image = s.input("image", s.rng.normal(0, 2, (2, 3, 4, 5)).astype(np.float32))

    def add(name, x, scale, zero, bits, mode="ROUND", signed=1, narrow=0, op="Quant"):
        s.case(name, op, [x, s.const(scale), s.const(zero), s.const(bits)], QONNX, signed=signed, narrow=narrow,
               rounding_mode=mode)

    for mode in MODES:
        for bits, signed, narrow in [(3, 0, 0), (4, 0, 1), (8, 0, 0), (2, 1, 0), (2, 1, 1), (4, 1, 0), (8, 1, 1), (16, 1, 0)]:
            kind = f"{'s' if signed else 'u'}{bits}{'_narrow' if narrow else ''}"
            add(f"{mode.lower()}_{kind}", x, 0.25, 0, bits, mode, signed, narrow)
    for bits, signed, zero in [(4, 0, 3), (8, 0, 128), (3, 1, 1), (4, 1, -2)]:
        add(f"zero_{zero}_{'s' if signed else 'u'}{bits}", x, 0.25, zero, bits, "ROUND", signed)
    add("one_bit_signed", x, 0.25, 0, 1)
    add("one_bit_unsigned", x, 0.25, 0, 1, signed=0)
    add("odd_scale", x, 0.1, 0, 8)
    add("three_and_a_half_bits", x, 0.25, 0, 3.5)
    add("int_quant", x, 0.25, 0, 4, op="IntQuant")
    add("per_channel", image, np.float32([0.5, 0.25, 0.125]).reshape(1, 3, 1, 1), 0, 4)
    add("per_channel_zero", image, np.float32([0.5, 0.25, 0.125]).reshape(1, 3, 1, 1),
        np.float32([0, 1, -1]).reshape(1, 3, 1, 1), 4)
    add("per_row", image, np.float32([0.5, 0.25, 0.125, 1]).reshape(1, 1, 4, 1), 0, 4)
    add("per_column", image, np.float32([0.5, 0.25, 0.125, 1, 2]), 0, 4)
    return s


def bipolar_quant():
    s = Sheet()
    x = s.input("x", ties_and_others(s.rng, 0.25))
    image = s.input("image", s.integers(2, 3, 4, 5))
    for name, scale in [("one", 1), ("half", 0.5), ("tenth", 0.1)]:
        s.case(name, "BipolarQuant", [x, s.const(scale)], QONNX)
    s.case("per_channel", "BipolarQuant", [image, s.const(np.float32([1, 0.5, 2]).reshape(1, 3, 1, 1))], QONNX)
    return s


def trunc(version):
    s = Sheet(qonnx=version)
    steps = np.arange(-128, 128, 3, dtype=np.float32)[np.newaxis]
    x = s.input("x", steps * np.float32(0.25))
    for mode in ["FLOOR", "CEIL", "ROUND"]:
        for signed, out_bits in [(1, 4), (1, 6), (0, 5)]:
            inputs = [x, s.const(0.25), s.const(0), s.const(8), s.const(out_bits)]
            attributes = {"rounding_mode": mode}
            if version == 2:
                inputs.insert(4, s.const(0.25 * 2.0 ** (8 - out_bits)))
                attributes.update(signed=signed, narrow=0)
            elif not signed:
                continue
            s.case(f"{mode.lower()}_{'s' if signed else 'u'}_8_to_{out_bits}", "Trunc", inputs, QONNX, **attributes)
    return s


def float_quant():
    s = Sheet()
    x = np.concatenate([np.linspace(-20, 20, 61), 2.0 ** np.arange(-12, 12), [0, -0.0, 500, -500]])
    x = s.input("x", x.astype(np.float32)[np.newaxis])
    for name, exponent, mantissa, most, subnormal in [("e4m3", 4, 3, 480, 1), ("e5m2", 5, 2, 57344, 1), ("e2m1", 2, 1, 6, 1),
                                                      ("e4m3_no_subnormals", 4, 3, 480, 0), ("e3m2", 3, 2, 28, 1)]:
        inputs = [x, s.const(1), s.const(exponent), s.const(mantissa), s.const(2 ** (exponent - 1) - 1), s.const(most)]
        s.case(name, "FloatQuant", inputs, QONNX, has_inf=0, has_nan=0, has_subnormal=subnormal, saturation=1,
               rounding_mode="ROUND")
        if name == "e4m3":
            s.case("e4m3_half_scale", "FloatQuant", [x, s.const(0.5), *inputs[2:]], QONNX, has_inf=0, has_nan=0,
                   has_subnormal=1, saturation=1, rounding_mode="FLOOR")
    return s


def multi_threshold():
    s = Sheet()
    thresholds = np.sort(s.integers(3, 7), axis=1)
    shapes = {"nc": (4, 3), "ncw": (2, 3, 9), "nwc": (2, 9, 3), "nchw": (2, 3, 4, 5), "nhwc": (2, 4, 5, 3)}
    for name, shape in shapes.items():
        x = s.input(f"x_{name}", s.integers(*shape))		# integers that often equal a threshold
        layout = {"data_layout": name.upper()} if name != "nc" else {}
        s.case(name, "MultiThreshold", [x, s.const(thresholds)], QONNX, out_dtype="UINT3", **layout)
        s.case(f"{name}_shared", "MultiThreshold", [x, s.const(thresholds[:1])], QONNX, out_dtype="INT4", out_scale=2.0,
               out_bias=-8.0, **layout)
    s.case("bipolar", "MultiThreshold", ["x_nc", s.const(thresholds[:, :1])], QONNX, out_dtype="BIPOLAR", out_scale=2.0,
           out_bias=-1.0)
    return s


def windows():
    """Operators that move a window over an image: of QONNX."""
    s = Sheet()
    nhwc = s.input("nhwc", s.integers(1, 6, 7, 3), "INT5")
    nchw = s.input("nchw", np.abs(s.integers(1, 3, 6, 6, most=15)), "UINT4")
    for name, kernel, more in [("k3", [3, 3], {}), ("k1x3", [1, 3], {}), ("k3s2p1", [3, 3], {"stride": [2, 2], "pad_amount": [1] * 4}),
                               ("k3dil2", [3, 3], {"dilations": [2, 2]}), ("asymmetric", [2, 2], {"pad_amount": [0, 1, 1, 0]}),
                               ("depthwise", [3, 3], {"depthwise": 1})]:
        attributes = {"stride": [1, 1], "pad_amount": [0] * 4, "dilations": [1, 1], "depthwise": 0} | more
        s.case(f"im2col_{name}", "Im2Col", [nhwc], QONNX, kernel_size=kernel, input_shape="(1, 6, 7, 3)", **attributes)
    for name, more in [("k2s2", {}), ("k3s2p1", {"kernel_shape": [3, 3], "pads": [1] * 4}), ("k3s2ceil", {"kernel_shape": [3, 3], "ceil_mode": 1})]:
        attributes = {"kernel_shape": [2, 2], "strides": [2, 2], "pads": [0] * 4} | more
        s.case(f"max_pool_nhwc_{name}", "MaxPoolNHWC", [nhwc], QONNX, **attributes)
    for k, stride in [(2, 2), (3, 3), (6, 6), (3, 1)]:
        s.case(f"quant_avg_pool_k{k}s{stride}", "QuantAvgPool2d", [nchw], QONNX, kernel=k, stride=stride, ibits=4, obits=4,
               signed=0, data_layout="NCHW")
    return s


def xnor():
    s = Sheet()
    x = s.input("x", s.rng.integers(0, 2, (4, 20)).astype(np.float32), "BINARY")
    s.case("xnor", "XnorPopcountMatMul", [x, s.const(s.rng.integers(0, 2, (20, 6)))], QONNX)
    return s


def products():
    """MatMul, Gemm, Conv, ConvTranspose of integers: sums are exact."""
    s = Sheet()
    rows, stack = s.input("rows", s.integers(4, 6)), s.input("stack", s.integers(2, 3, 4, 6))
    line, image = s.input("line", s.integers(2, 4, 9)), s.input("image", s.integers(2, 4, 7, 6))
    w = s.const(s.integers(6, 5))
    s.case("matmul", "MatMul", [rows, w])
    s.case("matmul_stack", "MatMul", [stack, w])
    s.case("matmul_stacks", "MatMul", [stack, s.const(s.integers(3, 6, 2))])
    s.case("matmul_vector", "MatMul", [stack, s.const(s.integers(6))])
    s.case("matmul_dynamic", "MatMul", [rows, s.input("columns", s.integers(6, 3))])
    s.case("gemm", "Gemm", [rows, s.const(s.integers(5, 6)), s.const(s.integers(5))], transB=1, alpha=0.5, beta=2.0)
    s.case("gemm_transposed", "Gemm", [rows, s.const(s.integers(4, 3))], transA=1)
    kernel = s.const(s.integers(5, 4, 3, 3))
    s.case("conv", "Conv", [image, kernel])
    s.case("conv_bias", "Conv", [image, kernel, s.const(s.integers(5))], strides=[2, 1], pads=[1, 0, 2, 1])
    s.case("conv_dilated", "Conv", [image, s.const(s.integers(3, 4, 2, 3))], dilations=[3, 2])
    s.case("conv_same_upper", "Conv", [image, kernel], auto_pad="SAME_UPPER", strides=[2, 2])
    s.case("conv_same_lower", "Conv", [image, kernel], auto_pad="SAME_LOWER", strides=[2, 2])
    s.case("conv_groups", "Conv", [image, s.const(s.integers(6, 2, 3, 2))], group=2)
    s.case("conv_depthwise", "Conv", [image, s.const(s.integers(8, 1, 3, 3))], group=4, pads=[1] * 4)
    s.case("conv_1d", "Conv", [line, s.const(s.integers(3, 4, 3))], strides=[2], pads=[1, 1])
    deconv = s.const(s.integers(4, 3, 3, 3))
    s.case("deconv", "ConvTranspose", [image, deconv])
    s.case("deconv_s2", "ConvTranspose", [image, deconv, s.const(s.integers(3))], strides=[2, 2], pads=[1] * 4, output_padding=[1, 0])
    s.case("deconv_groups", "ConvTranspose", [image, s.const(s.integers(4, 2, 2, 2))], group=2, strides=[2, 3])
    return s


def pools():
    s = Sheet()
    line, image = s.input("line", s.integers(2, 4, 9)), s.input("image", s.integers(2, 4, 7, 6))
    s.case("max", "MaxPool", [image], kernel_shape=[2, 2], strides=[2, 2])
    s.case("max_padded", "MaxPool", [image], kernel_shape=[3, 3], pads=[1, 0, 1, 2])
    s.case("max_ceil", "MaxPool", [image], kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
    s.case("max_dilated", "MaxPool", [image], kernel_shape=[2, 2], dilations=[2, 3])
    s.case("max_1d", "MaxPool", [line], kernel_shape=[3], strides=[2])
    s.case("average", "AveragePool", [image], kernel_shape=[2, 2], strides=[2, 2])
    s.case("average_padded", "AveragePool", [image], kernel_shape=[3, 3], pads=[1] * 4)
    s.case("average_counted", "AveragePool", [image], kernel_shape=[3, 3], pads=[1] * 4, count_include_pad=1)
    s.case("average_1d", "AveragePool", [line], kernel_shape=[4], strides=[3])
    s.case("global_average", "GlobalAveragePool", [s.input("square", s.integers(2, 3, 4, 4))])
    s.case("global_max", "GlobalMaxPool", [image])
    return s


def resizes():
    s = Sheet()
    image = s.input("image", s.integers(1, 2, 4, 6))
    for name, scales, attributes in [
            ("nearest_asymmetric", [1, 1, 2, 3], {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}),
            ("nearest_half_pixel", [1, 1, 2, 2], {"mode": "nearest", "coordinate_transformation_mode": "half_pixel"}),
            ("nearest_ceil", [1, 1, 1.5, 0.5], {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "ceil"}),
            ("nearest_down", [1, 1, 0.5, 0.5], {"mode": "nearest", "nearest_mode": "round_prefer_ceil"}),
            ("linear_half_pixel", [1, 1, 2, 2], {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}),
            ("linear_asymmetric", [1, 1, 2, 4], {"mode": "linear", "coordinate_transformation_mode": "asymmetric"})]:
        s.case(name, "Resize", [image, "", s.const(scales)], **attributes)
    s.case("to_size", "Resize", [image, "", "", s.const([1, 2, 8, 3], np.int64)], mode="nearest",
           coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    return s


def reductions():
    s = Sheet(opset=18)
    x = s.input("x", s.integers(2, 4, 8))
    whole = s.input("whole", s.rng.integers(-50, 50, (3, 4)).astype(np.int32))
    for op in ["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceSumSquare"]:
        for name, axes, keep in [("last", [-1], 1), ("first", [0], 0), ("two", [0, 2], 1), ("all", None, 0)]:
            more = [] if axes is None else [s.const(axes, np.int64)]
            if op != "ReduceProd" or name == "first":
                s.case(f"{op[6:].lower()}_{name}", op, [x, *more], keepdims=keep)
        if op in ("ReduceSum", "ReduceMax", "ReduceMin"):
            s.case(f"{op[6:].lower()}_int32", op, [whole, s.const([1], np.int64)], keepdims=0)
    for op in ["ArgMax", "ArgMin"]:
        s.case(f"{op.lower()}", op, [x], axis=1, keepdims=0)
        s.case(f"{op.lower()}_last_of_equal", op, [x], axis=-1, select_last_index=1)
    return s


def broadcasts():
    """Arithmetic and comparisons of two, with all ways to broadcast, on several types."""
    s = Sheet()
    x = s.input("x", s.integers(2, 3, 4))
    others = {"scalar": s.input("scalar", np.float32(3)), "row": s.input("row", s.integers(4)),
              "column": s.input("column", s.integers(3, 1)), "outer": s.input("outer", s.integers(2, 1, 1)),
              "more": s.input("more", s.integers(5, 1, 1, 4))}
    for name, y in others.items():
        for op in ["Add", "Sub", "Mul", "Max", "Min", "Less", "Equal", "GreaterOrEqual"]:
            s.case(f"{op.lower()}_{name}", op, [x, y])
    s.case("sub_from_row", "Sub", [others["row"], x])
    s.case("div", "Div", [x, s.input("powers", np.float32([0.5, 2, -4, 8]))])
    s.case("pow", "Pow", [x, s.const(2)])
    a = s.input("a", s.rng.integers(-100, 100, (3, 4)).astype(np.int32))
    b = s.input("b", s.rng.integers(1, 9, (4,)).astype(np.int32))
    for op in ["Add", "Sub", "Mul", "Div", "Less"]:
        s.case(f"{op.lower()}_int32", op, [a, b])
    s.case("mod_int32", "Mod", [a, b])
    s.case("where", "Where", [s.input("flags", np.array([True, False, False, True])), x, others["column"]])
    return s


def moves():
    """Operators that move elements."""
    s = Sheet()
    x = s.input("x", s.integers(2, 3, 4))
    s.case("transpose", "Transpose", [x], perm=[2, 0, 1])
    s.case("reshape", "Reshape", [x, s.const([0, -1], np.int64)])
    s.case("flatten", "Flatten", [x], axis=2)
    s.case("slice", "Slice", [x] + [s.const(v, np.int64) for v in ([3, 0], [0, 3], [2, 1], [-2, 2])])
    s.case("pad", "Pad", [x, s.const([0, 1, 0, 1, 0, 2], np.int64), s.const(0.5)])
    s.case("pad_edge", "Pad", [x, s.const([0, 1, 0, 1, 0, 2], np.int64)], mode="edge")
    s.case("pad_reflect", "Pad", [x, s.const([0, 1, 2, 0, 2, 1], np.int64)], mode="reflect")
    s.case("concat", "Concat", [x, s.input("y", s.integers(2, 2, 4)), x], axis=1)
    s.case("gather", "Gather", [x, s.const([[2, 0], [-1, 1]], np.int64)], axis=1)
    s.case("expand", "Expand", [x, s.const([2, 2, 1, 1], np.int64)])
    s.case("tile", "Tile", [x, s.const([1, 2, 3], np.int64)])
    s.case("depth_to_space", "DepthToSpace", [s.input("deep", s.integers(1, 8, 2, 3))], blocksize=2)
    return s


def integers():
    """Quantised operators of ONNX: all integers but their scales, which are powers of two."""
    s = Sheet()
    x = s.input("x", ties_and_others(s.rng, 0.25)[:, :90])
    image = s.input("image", s.rng.integers(0, 256, (1, 3, 5, 5)).astype(np.uint8))
    rows = s.input("rows", s.rng.integers(0, 256, (4, 6)).astype(np.uint8))
    for name, zero in [("u8", np.uint8(100)), ("s8", np.int8(-3))]:
        s.case(f"quantize_{name}", "QuantizeLinear", [x, s.const(0.25), s.const(zero, zero.dtype)])
    s.case("dequantize", "DequantizeLinear", [image, s.const([0.5, 0.25, 2]), s.const([0, 7, 255], np.uint8)], axis=1)
    w = s.const(s.rng.integers(-128, 128, (6, 5)), np.int8)
    s.case("matmul_integer", "MatMulInteger", [rows, w, s.const(120, np.uint8)])
    s.case("qlinear_matmul", "QLinearMatMul", [rows, s.const(0.5), s.const(120, np.uint8), w, s.const(0.25), s.const(0, np.int8),
                                               s.const(64), s.const(128, np.uint8)])
    k = s.const(s.rng.integers(-128, 128, (4, 3, 3, 3)), np.int8)
    s.case("conv_integer", "ConvInteger", [image, s.const(s.rng.integers(0, 256, (4, 3, 3, 3)), np.uint8), s.const(9, np.uint8)],
           pads=[1] * 4)
    s.case("qlinear_conv", "QLinearConv", [image, s.const(0.5), s.const(9, np.uint8), k, s.const([0.25, 0.5, 0.25, 1]),
                                           s.const([0] * 4, np.int8), s.const(256), s.const(128, np.uint8),
                                           s.const([5, -5, 1000, 0], np.int32)])
    s.case("cast_u8", "Cast", [rows], to=onnx.TensorProto.FLOAT)
    s.case("cast_s32", "Cast", [s.input("parts", s.rng.normal(0, 9, 20).astype(np.float32))], to=onnx.TensorProto.INT32)
    return s


def functions():
    """Functions whose last bits are free."""
    s = Sheet(opset=20, tolerance=2e-6)
    x = s.input("x", np.linspace(-6, 6, 97, dtype=np.float32)[np.newaxis])
    p = s.input("p", np.linspace(0.01, 6, 97, dtype=np.float32)[np.newaxis])
    for op in ["Sigmoid", "Tanh", "Exp", "Erf", "Softplus", "Softsign", "Elu", "Selu", "HardSigmoid", "HardSwish", "LeakyRelu", "Sin",
               "Cos", "Atan", "Gelu", "Mish", "Softmax", "LogSoftmax"]:
        s.case(op.lower(), op, [x])
    for op in ["Log", "Sqrt", "Reciprocal"]:
        s.case(op.lower(), op, [p])
    image = s.input("image", s.integers(2, 3, 4, 4))
    channels = [s.const(c) for c in ([1, 0.5, 2], [0, 1, -1], [0.5, -1, 0], [1, 4, 0.25])]
    s.case("batch_normalization", "BatchNormalization", [image, *channels])
    s.case("instance_normalization", "InstanceNormalization", [image, *channels[:2]])
    s.case("layer_normalization", "LayerNormalization", [image, s.const([1, 2, 0.5, 1])])
    return s


def exact_functions():
    """Functions of one that round nothing."""
    s = Sheet()
    x = s.input("x", ties_and_others(s.rng, 1.0))
    for op in ["Relu", "Abs", "Neg", "Floor", "Ceil", "Round", "Sign", "Identity"]:
        s.case(op.lower(), op, [x])
    s.case("clip", "Clip", [x, s.const(-2.5), s.const(3)])
    s.case("prelu", "PRelu", [x, s.const(0.25)])
    s.case("leaky", "LeakyRelu", [x], alpha=0.125)
    return s


SHEETS = {
    "quant": quant, "bipolar_quant": bipolar_quant, "trunc": lambda: trunc(1), "trunc_2": lambda: trunc(2),
    "float_quant": float_quant, "multi_threshold": multi_threshold, "windows": windows, "xnor_popcount": xnor,
    "products": products, "pools": pools, "resizes": resizes, "reductions": reductions, "broadcasts": broadcasts,
    "moves": moves, "integers": integers, "functions": functions, "exact_functions": exact_functions,
}


# Networks ------------------------------------------------------------------

def quantiser(bits, signed=True, **more):
    q = {"kind": "quant", "bits": bits, "signed": signed, "narrow": False, "mode": "ROUND", "zero_point": 0, "fine": 1.0,
         "per_channel": False}
    return q | more


def quantised(bits, signed=False, **more):
    return {"kind": "quant", "q": quantiser(bits, signed, **more)}


def weights(bits, scales="tensor", **more):
    return quantiser(bits, scales=scales, narrow=True) | more


def dense(out, w, seed, **more):
    return {"kind": "dense", "out": out, "w": w, "seed": seed, "form": "gemm", "trans": True, "alpha": 1.0, "beta": 1.0,
            "bias": "float"} | more


def conv(out, w, seed, kernel=3, groups="one", stride=1, pad=1, **more):
    return {"kind": "conv", "out": out, "w": w, "seed": seed, "kernel": [kernel] * 2, "strides": [stride] * 2, "pads": [pad] * 4,
            "dilations": [1, 1], "groups": groups, "transposed": False, "bias": None} | more


def norm(seed, negative=False):
    return {"kind": "bn", "seed": seed, "negative": negative}


def act(op="Relu"):
    return {"kind": "act", "op": op, "seed": 1}


def pool(op, kernel=2):
    return {"kind": "pool", "op": op, "kernel": kernel, "stride": kernel, "pad": 0, "counted": 0}


def branch(join, left, right, scales):
    return {"kind": "branch", "join": join, "left": left, "right": right, "scales": scales}


FLATTEN = {"kind": "move", "op": "Flatten"}
IMAGE = {"shape": [3, 8, 8], "input": {"kind": "quantised", "q": quantiser(8)}}
BITS = {"shape": [32], "input": {"kind": "annotated", "datatype": "BIPOLAR", "affine": "none"}}
BIPOLAR = {"kind": "quant", "q": {"kind": "bipolar", "fine": 1.0}}

NETWORKS = {
    "bipolar_mlp": BITS | {"layers": [
        dense(16, weights(1, kind="bipolar"), 1, form="matmul", bias=None), norm(2, True), BIPOLAR,
        dense(12, weights(1, kind="bipolar"), 3, form="matmul", bias=None), norm(4), BIPOLAR, dense(3, weights(4), 5)]},
    "ternary_mlp": {"shape": [20], "input": {"kind": "annotated", "datatype": "UINT8", "affine": "scale"}, "layers": [
        dense(16, weights(2, kind="ternary"), 1), act(), quantised(3), dense(4, weights(2, kind="ternary"), 2)]},
    "residual": IMAGE | {"layers": [
        conv(6, weights(4), 1), norm(2), act(), quantised(4),
        branch("Add", [conv(6, weights(4, "output"), 3), norm(4), quantised(4, True)], [], "same"), act(), quantised(4),
        pool("GlobalAveragePool"), quantised(8), FLATTEN, dense(4, weights(8), 5)]},
    "depthwise": IMAGE | {"layers": [
        conv(4, weights(4), 1, stride=2), act(), quantised(4), conv(4, weights(4, "output"), 2, groups="depthwise"), norm(3, True),
        act(), quantised(4), conv(8, weights(4), 4, kernel=1, pad=0), act(), quantised(4), pool("AveragePool"),
        {"kind": "trunc", "drop": 2, "mode": "FLOOR"}, FLATTEN, dense(5, weights(4), 5)]},
    "concat": IMAGE | {"layers": [
        branch("Concat", [conv(3, weights(3), 1), act(), quantised(3)], [conv(2, weights(3), 2), act(), quantised(3)], "po2"),
        pool("MaxPool"), conv(4, weights(3), 3), act(), quantised(3), FLATTEN, dense(3, weights(3), 4)]},
    "one_dimensional": {"shape": [2, 24], "input": {"kind": "quantised", "q": quantiser(8)}, "layers": [
        conv(6, weights(4), 1, stride=2), norm(2), act(), quantised(4), conv(6, weights(4), 3), act(), quantised(4),
        pool("MaxPool"), FLATTEN, dense(4, weights(4), 4)]},
    "transposed": IMAGE | {"layers": [
        conv(4, weights(4), 1, stride=2), act(), quantised(4), conv(3, weights(4), 2, transposed=True), act(), quantised(8)]},
    "upsampled": IMAGE | {"layers": [
        conv(3, weights(4), 1, stride=2), act("Tanh"), quantised(4, True), {"kind": "move", "op": "Resize"}, conv(2, weights(4), 2),
        act("Sigmoid"), quantised(8)]},
    "qcdq": {"shape": [16], "input": {"kind": "quantised", "q": quantiser(8, False, kind="qcdq", zero_point=100)}, "layers": [
        dense(12, weights(8, "output", kind="qcdq"), 1), act(), quantised(8, kind="qcdq"), dense(4, weights(8, kind="qcdq"), 2)]},
    "rounding": {"shape": [12], "input": {"kind": "quantised", "q": quantiser(6, mode="FLOOR")}, "layers": [
        dense(10, weights(4), 1), act("LeakyRelu"), quantised(4, True, mode="CEIL"), dense(8, weights(4), 2), act("HardSigmoid"),
        quantised(4, mode="HALF_UP", zero_point=2), dense(3, weights(4), 3)]},
}


def network(name, description):
    """The network and the samples that float32 can decide, with qonnx's outputs."""
    spec = {"seed": SEED, "exact": False, "batch": 1, "declared": True, "listed": False, "open": False, "opset": 17} | description
    model, inputs = build.build(spec, samples=400)
    kept, outputs = check.reference(model, inputs, 40, spec["exact"])
    if len(kept) < 16:
        sys.exit(f"{name}: only {len(kept)} samples that float32 can decide")
    return model, np.concatenate(kept), np.concatenate(outputs).astype(np.float32)


def main():
    """Write all files below the folder of --out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "conformance",
                        help="where to put the files (default: conformance, beside this script)")
    out = parser.parse_args().out
    (out / "operators").mkdir(parents=True, exist_ok=True)
    for name, make in SHEETS.items():
        print(f"{name}: {make().write(out / 'operators' / name)} cases")
    check.one_thread_sessions()
    for name, description in NETWORKS.items():
        folder = out / "networks" / name
        folder.mkdir(parents=True, exist_ok=True)
        model, x, y = network(name, description)
        onnx.save(model, folder / "model.onnx")
        np.save(folder / "input.npy", x)
        np.save(folder / "output.npy", y)
        print(f"{name}: {len(model.graph.node)} nodes, {len(x)} samples")


if __name__ == "__main__":
    main()
