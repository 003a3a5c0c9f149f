"""Small hostile models of each kind, written byte by byte: onnx's own checker would refuse many of them."""
import struct


def varint(x):
    x &= (1 << 64) - 1
    out = b""
    while x >= 0x80:
        out += bytes([x & 0x7F | 0x80])
        x >>= 7
    return out + bytes([x])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogateescape")
    return varint(number << 3 | 2) + varint(len(value)) + value


QONNX = "qonnx.custom_op.general"
FLOAT, UINT8, INT64, STRING, BOOL = 1, 2, 7, 8, 9


def tensor(name, dims, elem, values=None, raw=None):
    if raw is None:
        raw = struct.pack("<%d%s" % (len(values), {FLOAT: "f", INT64: "q", UINT8: "B", BOOL: "B"}[elem]), *values)
    return b"".join(field(1, d) for d in dims) + field(2, elem) + field(8, name) + field(9, raw)


def external(name, dims, location):
    entry = field(13, field(1, "location") + field(2, location))
    return b"".join(field(1, d) for d in dims) + field(2, FLOAT) + field(8, name) + entry + field(14, 1)


def value(name, dims, elem=FLOAT):
    shape = b"".join(field(1, field(1, d)) for d in dims)
    return field(1, name) + field(2, field(1, field(1, elem) + field(2, shape)))


def attr(name, x):
    head = field(1, name)
    if isinstance(x, list):
        return head + b"".join(field(8, i) for i in x) + field(20, 7)
    if isinstance(x, int):
        return head + field(3, x) + field(20, 2)
    if isinstance(x, float):
        return head + field(2, x) + field(20, 1)
    return head + field(4, x) + field(20, 3)


def node(op, inputs, outputs, domain="", **attrs):
    return (b"".join(field(1, i) for i in inputs) + b"".join(field(2, o) for o in outputs) + field(4, op)
            + b"".join(field(5, attr(k, v)) for k, v in attrs.items()) + (field(7, domain) if domain else b""))


def model(nodes, inputs, outputs, constants=(), functions=(), opsets=(("", 17),), extra=b""):
    graph = (b"".join(field(1, n) for n in nodes) + field(2, "g") + b"".join(field(5, t) for t in constants)
             + b"".join(field(11, v) for v in inputs) + b"".join(field(12, v) for v in outputs) + extra)
    return (field(1, 9) + field(7, graph) + b"".join(field(8, field(1, d) + field(2, v)) for d, v in opsets)
            + b"".join(field(25, f) for f in functions))


X, Y = value("x", [1]), value("y", [1])


def reduced(nodes, constants):
    """A constant part of any size, reduced to one number that is added to the input."""
    return model([*nodes, node("Cast", ["t"], ["f"], to=FLOAT), node("ReduceMax", ["f"], ["r"], keepdims=0),
                  node("Add", ["x", "r"], ["y"])], [X], [Y], constants)


def one(op, inputs, constants, declared, x=(4,), elem=FLOAT, **attrs):
    return model([node(op, inputs, ["y"], **attrs)], [value("x", list(x), elem)], [value("y", list(declared), elem)],
                 constants)


def given(op, others, declared, x=(4,), **attrs):
    """Parameters that come with the data: the size of the result is known only then."""
    names = [f"p{i}" for i in range(len(others))]
    inputs = [value("x", list(x))] + [value(n, d, e) for n, (d, e) in zip(names, others)]
    return model([node(op, ["x", *names], ["y"], **attrs)], inputs, [value("y", list(declared))])


def calls(depth, width):
    """Functions that call the next one `width` times each."""
    functions = []
    for i in range(depth):
        body, last = [], "a"
        for k in range(width):
            nxt = "b" if k == width - 1 else f"t{k}"
            body.append(node(f"f{i + 1}" if i + 1 < depth else "Relu", [last], [nxt], "loc" if i + 1 < depth else ""))
            last = nxt
        functions.append(field(1, f"f{i}") + field(4, "a") + field(5, "b") + b"".join(field(7, n) for n in body)
                         + field(9, field(1, "") + field(2, 17)) + field(10, "loc"))
    return model([node("f0", ["x"], ["y"], "loc")], [X], [Y], functions=functions, opsets=(("", 17), ("loc", 1)))


def nested(depth):
    graph = field(2, "g")
    for _ in range(depth):
        graph = field(1, field(4, "If") + field(5, field(1, "then_branch") + field(6, graph) + field(20, 5)))
    return model([node("Relu", ["x"], ["y"]), field(4, "If") + field(1, "x") + field(2, "z")
                  + field(5, field(1, "then_branch") + field(6, graph) + field(20, 5))], [X], [Y])


def bad_name(name):
    return model([field(1, "x") + field(2, "y") + field(3, name) + field(4, "Nope")], [X], [Y])


def models():
    i64 = lambda name, *v: tensor(name, [len(v)], INT64, v)
    f32 = lambda name, dims, *v: tensor(name, dims, FLOAT, v)
    ones = [1.0] * 200
    big, huge, nan = 1 << 30, 1 << 61, float("nan")
    return {
        # results of another size than declared: by constants, and by data
        "compress": one("Compress", ["x", "c"], [tensor("c", [4], BOOL, [1, 0, 1, 1])], [2], axis=0),
        "expand": one("Expand", ["x", "s"], [i64("s", 3, 4)], [4]),
        "tile": one("Tile", ["x", "s"], [i64("s", 1000)], [4]),
        "slice": one("Slice", ["x", "a", "b"], [i64("a", 0), i64("b", 2)], [4]),
        "pad": one("Pad", ["x", "p"], [i64("p", 100, 100)], [4]),
        "gather": one("Gather", ["x", "i"], [i64("i", *range(4), *range(4))], [4]),
        "where": one("Where", ["c", "x", "x"], [tensor("c", [3, 4], BOOL, [1] * 12)], [4]),
        "trilu": one("Trilu", ["x"], [], [1, 1], x=(4, 4)),
        "reverse": one("ReverseSequence", ["x", "l"], [i64("l", 1, 1)], [1, 1], x=(2, 2)),
        "scatter": one("ScatterElements", ["x", "i", "u"], [i64("i", 0), f32("u", [1], 1)], [2]),
        "gather-elements": one("GatherElements", ["x", "i"], [i64("i", 0, 1, 2, 3, 0, 1)], [4]),
        "reshape": one("Reshape", ["x", "s"], [i64("s", 4, 1)], [2, 2]),
        "resize": one("Resize", ["x", "", "s"], [f32("s", [4], 1, 1, 50, 50)], [1, 1, 2, 2], x=(1, 1, 2, 2)),
        # a region of Resize without bounds, and one beyond the image, filled with a number, behind scales of channels
        "resize-region": one("Resize", ["x", "r", "", "s"], [f32("r", [8], 0, 0, nan, 0, 1, 1, nan, 1), i64("s", 1, 1, 3, 3)],
                             [1, 1, 3, 3], x=(1, 1, 2, 2), coordinate_transformation_mode="tf_crop_and_resize"),
        "resize-fill": model([node("Quant", ["x", "k", "z", "b"], ["q"], QONNX),
                              node("Resize", ["q", "r", "", "s"], ["y"], coordinate_transformation_mode="tf_crop_and_resize",
                                   mode="nearest", extrapolation_value=1e9)],
                             [value("x", [1, 2, 2, 2])], [value("y", [1, 2, 3, 3])],
                             [f32("k", [1, 2, 1, 1], 1, 0.5), f32("z", [], 0), f32("b", [], 4),
                              f32("r", [8], 0, 0, -1, -1, 1, 1, 2, 2), i64("s", 1, 2, 3, 3)], opsets=(("", 17), (QONNX, 1))),
        "compress-data": given("Compress", [([4], BOOL)], [2], axis=0),
        "expand-data": given("Expand", [([1], INT64)], [4], x=(1,)),
        "tile-data": given("Tile", [([1], INT64)], [4], x=(1,)),
        "pad-data": given("Pad", [([2], INT64)], [4], x=(2,)),
        "slice-data": given("Slice", [([1], INT64), ([1], INT64)], [4], x=(8,)),
        "reshape-data": given("Reshape", [([2], INT64)], [2, 2]),
        "one-hot-fraction": model([node("OneHot", ["i", "d", "v"], ["t"], axis=0), node("ReduceMax", ["t"], ["r"], keepdims=0),
                                   node("Add", ["x", "r"], ["y"])], [X], [Y],
                                  [i64("i", *[2] * 64), f32("d", [], 2.5), f32("v", [2], 0, 1)]),
        # sizes
        "huge-dims": model([node("Reshape", ["x", "s"], ["y"])], [value("x", [huge])], [value("y", [huge // 2, 2])],
                           [i64("s", huge // 2, 2)]),
        "many-elements": model([node("Relu", ["x"], ["y"])], [value("x", [1 << 20, 1 << 20])], [value("y", [1 << 20, 1 << 20])]),
        "constant-of-shape": reduced([node("ConstantOfShape", ["s"], ["t"])], [i64("s", big)]),
        "range": reduced([node("Range", ["a", "b", "c"], ["t"])],
                         [tensor("a", [], INT64, [0]), tensor("b", [], INT64, [big]), tensor("c", [], INT64, [1])]),
        "expand-far": reduced([node("Expand", ["c", "s"], ["t"])], [f32("c", [1], 1), i64("s", 1 << 20, 1 << 20)]),
        "tile-far": reduced([node("Tile", ["c", "s"], ["t"])], [f32("c", [1], 1), i64("s", big)]),
        "pad-far": reduced([node("Pad", ["c", "s"], ["t"])], [f32("c", [1], 1), i64("s", big, big)]),
        "resize-far": reduced([node("Resize", ["c", "", "", "s"], ["t"], mode="cubic")],
                              [f32("c", [1, 1, 2, 2], 1, 1, 1, 1), i64("s", 1, 1, 16384, 16384)]),
        "resize-axis": reduced([node("Resize", ["c", "", "", "s"], ["t"])],
                               [tensor("c", [1, 1, 2, 2], UINT8, [1] * 4), i64("s", 1, 1, 1, 1 << 28)]),
        "einsum": reduced([node("Einsum", ["c"] * 6, ["t"], equation="a,b,c,d,e,f->")], [f32("c", [200], *ones)]),
        "matmul": reduced([node("Expand", ["c", "s"], ["e"]), node("MatMul", ["e", "e"], ["t"])],
                          [f32("c", [1], 1), i64("s", 4000, 4000)]),
        "average-pool": reduced([node("AveragePool", ["c"], ["t"], kernel_shape=[30000, 30000], pads=[29999] * 4)],
                                [f32("c", [1, 1, 2, 2], 1, 1, 1, 1)]),
        "one-hot-deep": reduced([node("OneHot", ["i", "d", "v"], ["t"])],
                                [i64("i", 0), tensor("d", [], INT64, [big]), f32("v", [2], 0, 1)]),
        "functions": calls(8, 10),
        "functions-deep": calls(100, 1),
        "subgraphs": nested(500),
        "subgraphs-deep": nested(20000),
        "opsets": model([node("Relu", ["x"], ["y"])], [X], [Y], opsets=[("", 17)] + [(f"d{i}", 1) for i in range(5000)]),
        "annotations": model([node("Relu", ["x"], ["y"])], [X], [Y], extra=b"".join(
            field(14, field(1, "x") + field(2, field(1, f"k{i}") + field(2, "v"))) for i in range(5000))),
        # parameters
        "batch-norm": model([node("BatchNormalization", ["x", "p", "p", "p", "p"], ["y"])], [value("x", [1, 4, 2, 2])],
                            [value("y", [1, 4, 2, 2])], [f32("p", [2], 1, 1)]),
        "training": model([node("BatchNormalization", ["x", "p", "p", "p", "p"], ["y", "m", "v"], training_mode=1)],
                          [value("x", [2, 2, 2, 2])], [value("y", [2, 2, 2, 2]), value("m", [2]), value("v", [2])],
                          [f32("p", [2], 1, 1)]),
        "stride": one("MaxPool", ["x"], [], [1, 1, 1, 1], x=(1, 1, 4, 4), kernel_shape=[2, 2], strides=[1 << 62, 1]),
        "group": one("Conv", ["x", "w"], [f32("w", [1, 1, 1, 1], 1)], [1, 1, 4, 4], x=(1, 1, 4, 4), group=1 << 62),
        "output-padding": one("ConvTranspose", ["x", "w"], [f32("w", [1, 1, 1, 1], 1)], [1, 1, 4, 4], x=(1, 1, 4, 4),
                              output_padding=[(1 << 63) - 1, 0]),
        "float-axis": one("Softmax", ["x"], [], [4], axis=float("-inf")),
        "one-level": model([node("Quant", ["x", "s", "z", "b"], ["y"], "qonnx.custom_op.general", signed=0, narrow=0,
                                 rounding_mode="ROUND")], [X], [Y],
                           [f32("s", [], 1), f32("z", [], 0), f32("b", [], 0)], opsets=(("", 17), ("qonnx.custom_op.general", 2))),
        "infinite-scale": model([node("Quant", ["x", "s", "z", "b"], ["y"], "qonnx.custom_op.general", signed=1, narrow=0,
                                      rounding_mode="ROUND")], [X], [Y],
                                [f32("s", [], float("inf")), f32("z", [], float("nan")), f32("b", [], 8)],
                                opsets=(("", 17), ("qonnx.custom_op.general", 2))),
        "empty": model([], [], []),
        "empty-tensor": one("Mul", ["x", "c"], [f32("c", [0])], [0], x=(0,)),
        "shape-of-strings": model([node("Shape", ["x"], ["y"])], [value("x", [3], STRING)], [value("y", [1], INT64)]),
        "equal-strings": model([node("Equal", ["x", "x"], ["y"])], [value("x", [3], STRING)], [value("y", [3], BOOL)]),
        # files and names
        "outside": model([node("Add", ["x", "w"], ["y"])], [X], [Y], [external("w", [1], "/etc/hostname")]),
        "above": model([node("Add", ["x", "w"], ["y"])], [X], [Y], [external("w", [1], "../w")]),
        "link": model([node("Add", ["x", "w"], ["y"])], [X], [Y], [external("w", [1], "link")]),
        "pipe": model([node("Add", ["x", "w"], ["y"])], [X], [Y], [external("w", [1], "pipe")]),
        "device": model([node("Add", ["x", "w"], ["y"])], [X], [Y], [external("w", [1], "null")]),
        "name": bad_name("a\x1b[2J\n\u202e*/\\\n'\"$(touch x)%n\udcff"),
        "long-name": bad_name("n" * 1000000),
    }


SCRIPTS = {
    "finaliser": "local m = qcc.load(qcc.args[1]) setmetatable({}, {__gc = function() m:count() end})",
    "loop": "while true do end",
    "memory": "local s = 'x' while true do s = s .. s end",
    "table": "local t = {} while true do t[#t + 1] = {} end",
    "coroutine": "coroutine.wrap(function() while true do end end)()",
    "caught": "while true do pcall(function() while true do end end) end",
    "error": "error(setmetatable({}, {__tostring = function() error('again') end}))",
    "bytecode": "load(string.dump(function() end))()",
    "recursion": "local function f() return f() + 1 end f()",
}
