"""Small models with the rarer parts of ONNX, each a valid one: what roundtrip.py feeds qcc beside real networks."""
import os

import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper, parser

OPSETS = [h.make_opsetid("", 23), h.make_opsetid("local", 1), h.make_opsetid("com.acme", 3)]


def model(nodes, inputs=None, outputs=None, initializers=(), **more):
    inputs = inputs or [h.make_tensor_value_info("x", T.FLOAT, [2])]
    outputs = outputs or [h.make_tensor_value_info("y", T.FLOAT, [2])]
    graph = h.make_graph(nodes, "g", inputs, outputs, list(initializers), **more)
    return h.make_model(graph, opset_imports=OPSETS, ir_version=10)


def relu():
    return h.make_node("Relu", ["x"], ["y"])


def every_tensor_type():
    """Each element type as raw_data and in its typed field, odd counts for the packed ones."""
    tensors = []
    for name, number in T.DataType.items():
        if name in ("UNDEFINED", "FLOAT6E2M3", "FLOAT6E3M2"):
            continue
        if name == "STRING":
            tensors.append(h.make_tensor("STRING_typed", number, [3], [b"a", b"", "\u00e9".encode()]))
            continue
        if name in ("UINT2", "INT2") and not hasattr(ml_dtypes, "int2"):
            continue
        values = np.array([1, 0, 1, -2 if name.startswith("INT") else 1, 1]).astype(h.tensor_dtype_to_np_dtype(number))
        tensors.append(numpy_helper.from_array(values, name + "_raw"))
        typed = h.make_tensor(name + "_typed", number, [5], values.tolist() if name != "BOOL" else [1, 0, 1, 1, 1])
        tensors.append(typed)
    tensors.append(h.make_tensor("empty", T.FLOAT, [0, 3], []))
    tensors.append(h.make_tensor("scalar", T.INT64, [], [-5]))
    return model([relu()], initializers=tensors)


def subgraphs():
    """If inside If; the branches take names from outside, at both depths."""
    m = parser.parse_model("""
        <ir_version: 9, opset_import: ["" : 20]>
        g (float[2] x, bool c) => (float[2] y) <float[2] w = {1, 2}> {
            t = Mul(x, w)
            y = If(c) <
                then_branch = a () => (float[2] r) {
                    r = If(c) <
                        then_branch = aa () => (float[2] s) { s = Add(t, x) },
                        else_branch = ab () => (float[2] s) { u = Add(w, w)  s = Neg(u) }>
                },
                else_branch = b () => (float[2] r) <float[2] w2 = {3, 4}> { r = Sub(t, w2) }>
        }""")
    return m


def functions():
    return parser.parse_model("""
        <ir_version: 10, opset_import: ["" : 20, "local" : 1]>
        g (float[2] x) => (float[2] y) { t = local.Twice<alpha = 2.0>(x)  y = local.Relu(t) }
        <domain: "local", opset_import: ["" : 20]>
        Twice <alpha, beta: float = 1.0> (a) => (b) { c = Constant<value_float: float = @alpha>()  b = Mul(a, c) }
        <domain: "local", opset_import: ["" : 20]>
        Relu (a) => (b) { b = Max(a) }
        """)


def attributes():
    """Every kind; zeros and empty lists must not be taken for absent ones."""
    node = h.make_node("Odd", ["x", "", "x"], ["y", "", "unused"], name="odd node", domain="com.acme", overload="o",
                       i=0, f=0.0, s=b"", bytes=b"\0\xff\0", ints=[0, -1], floats=[0.0, -0.0], strings=["", "b"],
                       big=-2**63, nan=float("nan"), inf=float("-inf"), doc_string="doc",
                       tensor=numpy_helper.from_array(np.arange(6, dtype=np.int8).reshape(2, 3), "t"),
                       sub=h.make_graph([h.make_node("Neg", ["x"], ["z"])], "sub", [],
                                        [h.make_tensor_value_info("z", T.FLOAT, [2])]),
                       type=h.make_tensor_type_proto(T.FLOAT, [1, "N"]))
    for name, kind in (("no_ints", "INTS"), ("no_floats", "FLOATS"), ("no_strings", "STRINGS")):
        node.attribute.append(onnx.AttributeProto(name=name, type=kind, doc_string="empty"))
    sparse = node.attribute.add(name="sparse", type="SPARSE_TENSOR")
    sparse.sparse_tensor.CopyFrom(sparse_tensor(""))
    tensors = node.attribute.add(name="tensors", type="TENSORS")
    tensors.tensors.append(h.make_tensor("a", T.FLOAT, [1], [1.0]))
    node.metadata_props.add(key="k", value="v")
    device = node.device_configurations.add(configuration_id="c", pipeline_stage=1)
    device.sharding_spec.add(tensor_name="x", device=[0, 1])
    m = model([node])
    m.configuration.add(name="c", num_devices=2, device=["a", "b"])
    return m


def sparse_tensor(name):
    values = h.make_tensor(name, T.FLOAT, [2], [1.0, 2.0])
    return h.make_sparse_tensor(values, h.make_tensor("", T.INT64, [2], [0, 3]), [4])


def sparse_initializer():
    m = model([h.make_node("Gather", ["w", "k"], ["y"])], [h.make_tensor_value_info("k", T.INT64, [2])],
              sparse_initializer=[sparse_tensor("w")])
    return m


def types():
    """Symbolic, unknown and denoted dimensions, unknown rank, sequences, maps, optionals, an output that is an
    input, one that is a constant, documentation and metadata wherever they may stand."""
    denoted = h.make_tensor_value_info("d", T.FLOAT, ["N", None, 3], "doc", ["DATA_BATCH", "", "DATA_CHANNEL"])
    denoted.type.denotation = "IMAGE"
    denoted.metadata_props.add(key="a", value="b")
    sequence = h.make_value_info("s", h.make_sequence_type_proto(h.make_tensor_type_proto(T.FLOAT, [2])))
    mapping = h.make_value_info("m", h.make_map_type_proto(T.INT64, h.make_tensor_type_proto(T.FLOAT, [])))
    option = h.make_value_info("o", h.make_optional_type_proto(sequence.type))
    constant = h.make_tensor("k", T.FLOAT, [1], [1.0])
    constant.doc_string = "of the tensor"
    constant.metadata_props.add(key="t", value="u")
    m = model([h.make_node("SequenceAt", ["s", "zero"], ["t"]), h.make_node("Relu", ["t"], ["y"])],
              [denoted, sequence, mapping, option, h.make_tensor_value_info("k2", T.FLOAT, [1])],
              [h.make_tensor_value_info("y", T.FLOAT, [2]), h.make_tensor_value_info("k", T.FLOAT, [1])],
              [constant, h.make_tensor("zero", T.INT64, [], [0]), h.make_tensor("k2", T.FLOAT, [1], [2.0])],
              value_info=[h.make_tensor_value_info("t", T.FLOAT, ["batch size"])], doc_string="of the graph")
    m.graph.metadata_props.add(key="g", value="")
    m.doc_string, m.domain, m.model_version = "of the model", "org.example", 7
    m.producer_name, m.producer_version = "p", "1"
    h.set_model_props(m, {"author": "x", "empty": ""})
    return m


def annotations():
    """Datatypes and layouts, known and unknown; several annotations of one tensor."""
    m = model([relu()])
    for name, key, value in (("x", "finn_datatype", "SCALEDINT<8>"), ("x", "tensor_layout", "['N', 'C']"),
                             ("x", "other", "kept"), ("y", "finn_datatype", "NOT_A_TYPE"),
                             ("y", "tensor_layout", "['N', 'C', 'x']"), ("nowhere", "finn_datatype", "INT2")):
        annotation = m.graph.quantization_annotation.add(tensor_name=name)
        annotation.quant_parameter_tensor_names.add(key=key, value=value)
    return m


def training():
    m = model([relu()])
    info = m.training_info.add()
    info.algorithm.CopyFrom(h.make_graph([h.make_node("Neg", ["x"], ["n"])], "step", [], []))
    info.update_binding.add(key="w", value="n")
    return m


def unsorted_nodes():
    return model([h.make_node("Neg", ["b"], ["y"]), h.make_node("Abs", ["a"], ["b"]), h.make_node("Relu", ["x"], ["a"])])


def write_all(folder):
    """Saves every model; the paths, and that of one with external data."""
    paths = []
    for make in (every_tensor_type, subgraphs, functions, attributes, sparse_initializer, types, annotations, training,
                 unsorted_nodes):
        path = os.path.join(folder, make.__name__ + ".onnx")
        onnx.save(make(), path)
        paths.append(path)
    tensors = [numpy_helper.from_array(np.arange(n, dtype=np.float32), f"w{n}") for n in (3, 1000, 7)]
    m = model([relu()], initializers=tensors)
    path = os.path.join(folder, "external.onnx")
    onnx.save(m, path, save_as_external_data=True, all_tensors_to_one_file=True, location="weights.bin",
              size_threshold=0)
    return paths + [path]
