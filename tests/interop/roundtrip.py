#!/usr/bin/env python3
"""Reads and writes ONNX models with qcc and compares the two files field by field.

    roundtrip.py                    odd models of our own, the project's, and those in $QCC_SHARED
    roundtrip.py MODEL...           these; each through $QCC_ROUNDTRIP IN OUT, which is by default
                                    the unit test's --roundtrip in the build folder
    roundtrip.py --compare A B      two files that exist

What counts: everything the format says, whatever the order of initializers, value_info and annotations; a
tensor may move from typed fields to raw_data. The result must pass onnx.checker where the original does.
"""
import glob
import os
import subprocess
import sys
import tempfile

try:
    import onnx
    from onnx import numpy_helper

    import odd_models
except ImportError as missing:
    print(f"1..0 # SKIP {missing.name} is not installed")
    sys.exit(0)


def tensor_key(tensor):
    elements = numpy_helper.to_array(tensor)
    content = elements.tolist() if elements.dtype == object else elements.tobytes()
    return (tensor.name, tensor.data_type, tuple(tensor.dims), content, tensor.doc_string,
            props(tensor.metadata_props))


def props(entries):
    return tuple((e.key, e.value) for e in entries)


def attr_key(attr):
    kind = attr.type
    if kind == onnx.AttributeProto.TENSOR and not attr.ref_attr_name:
        return (attr.name, kind, attr.doc_string, tensor_key(attr.t))
    return (attr.name, kind, attr.SerializeToString(deterministic=True))


def node_key(node):
    return (tuple(node.input), tuple(node.output), node.name, node.op_type, node.domain, node.overload,
            node.doc_string, props(node.metadata_props), tuple(attr_key(a) for a in node.attribute),
            tuple(d.SerializeToString() for d in node.device_configurations))


def info_key(info):
    return (info.name, info.type.SerializeToString(), info.doc_string, props(info.metadata_props))


def annotations(graph):
    found = {}
    for a in graph.quantization_annotation:
        for e in a.quant_parameter_tensor_names:
            found.setdefault(a.tensor_name, set()).add((e.key, e.value))
    return found


def parts(model):
    """Name of a part -> its content in a comparable form."""
    graph = model.graph
    interface = {v.name for v in graph.input} | {v.name for v in graph.output}
    result = {
        "header": (model.ir_version, model.producer_name, model.producer_version, model.domain,
                   model.model_version, model.doc_string),
        "opset_import": sorted((o.domain, o.version) for o in model.opset_import),
        "metadata_props": props(model.metadata_props),
        "functions": [f.SerializeToString() for f in model.functions],
        "training_info": [t.SerializeToString() for t in model.training_info],
        "configuration": [c.SerializeToString() for c in model.configuration],
        "graph": (graph.name, graph.doc_string, props(graph.metadata_props)),
        "input": [info_key(v) for v in graph.input],
        "output": [info_key(v) for v in graph.output],
        "value_info": sorted(info_key(v) for v in graph.value_info if v.name not in interface),
        "quantization_annotation": annotations(graph),
        "sparse_initializer": [s.SerializeToString() for s in graph.sparse_initializer],
        "node": sorted(node_key(n) for n in graph.node),
    }
    for tensor in graph.initializer:
        result["initializer " + tensor.name] = tensor_key(tensor)
    return result


def accepted(path):
    try:
        onnx.checker.check_model(path)
        return True
    except Exception as error:        # the checker raises several kinds
        return str(error)


def compare(before, after):
    """What differs, as strings."""
    a, b = parts(onnx.load(before)), parts(onnx.load(after))
    wrong = [f"{part} differs" for part in sorted(a.keys() | b.keys()) if a.get(part) != b.get(part)]
    if accepted(before) is True and accepted(after) is not True:
        wrong.append(f"onnx.checker: {accepted(after)}")
    return wrong


def order_kept(before, after):
    """Nodes that were in topological order stay as they were."""
    names = [[tuple(n.output) for n in onnx.load(p).graph.node] for p in (before, after)]
    return names[0] == names[1]


def command():
    beside = os.path.join(os.path.dirname(os.environ.get("QCC", "./qcc")), "tests/unit/test_onnx")
    return os.environ.get("QCC_ROUNDTRIP", f"{beside} --roundtrip").split()


def roundtrip(path, folder):
    out = os.path.join(folder, "out.onnx")
    done = subprocess.run(command() + [path, out], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        return [f"exit code {done.returncode}: {done.stdout.strip()}"]
    kept = "unsorted" in path or order_kept(path, out)
    return compare(path, out) + ([] if kept else ["the order of nodes changed"])


def networks():
    source = os.environ.get("QCC_SRC", ".")
    shared = os.environ.get("QCC_SHARED", os.path.join(source, "../shared"))
    folders = [f"{source}/models/*", f"{shared}/models/*", f"{shared}/finn/*", f"{shared}/conformance/qonnx/*"]
    return [p for folder in folders for p in sorted(glob.glob(folder + "/*.onnx"))]


def main(argv):
    if len(argv) == 4 and argv[1] == "--compare":
        wrong = compare(argv[2], argv[3])
        print("\n".join(wrong) or "equal")
        return bool(wrong)
    if not os.access(command()[0], os.X_OK):
        print(f"1..0 # SKIP {command()[0]} is not built")
        return 0
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        paths = argv[1:] or odd_models.write_all(folder) + networks()
        print(f"1..{len(paths)}")
        for number, path in enumerate(paths, 1):
            wrong = roundtrip(path, folder)
            failed += bool(wrong)
            name = "/".join(path.split(os.sep)[-3:])
            print(f"{'not ok' if wrong else 'ok'} {number} - {name}")
            for line in wrong:
                print(f"# {line}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
