#!/usr/bin/env python3
"""Runs the node tests of ONNX's backend test suite, as the installed onnx package makes them, through run_case.

    onnx_nodes.py                   all cases whose operators are in qcc's table; a TAP line an operator
    onnx_nodes.py -v [PATTERN]      a line a case that does not pass; cases whose name holds the pattern

Operators that ONNX defines by a function are also tested as calls of that function, local to the model, which
the pass inline-functions replaces ("local functions").

The package's recorded models of one or a few operators (converted from PyTorch, opset 6) run too ("recorded").

Cases that work on sequences, optionals, maps or subgraphs are left out. Fails where fewer cases pass than the
floor below says: raise it when more do. Known not to pass: Dropout in training (random numbers of NumPy's
generator) and a few expansions of Attention in half precision, whose reference rounds every partial sum.
"""
import collections
import dataclasses
import glob
import os
import shutil
import subprocess
import sys
import tempfile
import warnings

FLOOR = 1610

try:
    import numpy as np
    import onnx
    from onnx import numpy_helper
    from onnx.backend.test.case.node import collect_testcases
except ImportError as error:
    print("1..0 # SKIP the Python package onnx is not installed (%s)" % error)
    sys.exit(0)

warnings.simplefilter("ignore")  # the cases divide by zero on purpose
RUNNER = os.environ.get("QCC_RUN_CASE") or os.path.join(
    os.path.dirname(os.environ.get("QCC", "./qcc")), "tests", "ops", "run_case")


def table():
    """(domain, operator) of all that qcc executes."""
    lines = subprocess.run([RUNNER, "--ops"], capture_output=True, text=True, check=True).stdout.split("\n")
    rows = [line.split(" ") for line in lines if line]
    return {("" if domain == "ai.onnx" else domain, name) for domain, name in rows}


def plain(case):
    """Whether all inputs and outputs are tensors that are there."""
    values = [v for data in case.data_sets for side in data for v in side]
    infos = list(case.model.graph.input) + list(case.model.graph.output)
    return all(isinstance(v, (np.ndarray, np.generic, onnx.TensorProto)) for v in values) and \
        all(info.type.HasField("tensor_type") for info in infos)


def operators(case):
    return {(n.domain, n.op_type) for n in case.model.graph.node}


def as_local_function(case):
    """The case as a call of a model-local function with the operator's body; None where it has none."""
    model = case.model
    version = {o.domain: o.version for o in model.opset_import}
    node = model.graph.node[0]
    if len(model.graph.node) > 1 or node.domain not in version:
        return None
    try:
        schema = onnx.defs.get_schema(node.op_type, version[node.domain], node.domain)
    except onnx.defs.SchemaError:
        return None
    if not schema.has_function:
        return None
    function = onnx.FunctionProto()
    function.CopyFrom(schema.function_body)
    function.domain, function.name = "local", node.op_type + "Body"
    del function.attribute[:], function.attribute_proto[:]
    for name, attribute in schema.attributes.items():
        if attribute.default_value.type:
            function.attribute_proto.append(attribute.default_value)
        else:
            function.attribute.append(name)
    if not function.opset_import:
        function.opset_import.extend(model.opset_import)
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    copy.graph.node[0].domain, copy.graph.node[0].op_type = function.domain, function.name
    copy.opset_import.append(onnx.helper.make_opsetid("local", 1))
    copy.functions.append(function)
    return dataclasses.replace(case, name=case.name + "_local", model=copy)


@dataclasses.dataclass
class Recorded:
    """A folder of the package's data, as far as the code below asks a case."""
    name: str
    folder: str
    model: onnx.ModelProto


def recorded_cases():
    root = os.path.join(os.path.dirname(onnx.__file__), "backend", "test", "data")
    for kind in ("light", "pytorch-converted", "pytorch-operator", "simple"):
        for folder in sorted(glob.glob(os.path.join(root, kind, "*", ""))):
            model = os.path.join(folder, "model.onnx")
            if os.path.exists(model) and os.path.exists(os.path.join(folder, "test_data_set_0", "input_0.pb")):
                yield Recorded(kind + "-" + os.path.basename(folder[:-1]), folder, onnx.load(model))


def write_case(case, folder):
    if isinstance(case, Recorded):
        shutil.copytree(os.path.join(case.folder, "test_data_set_0"), folder)
        shutil.copy(os.path.join(case.folder, "model.onnx"), folder)
        return
    os.makedirs(folder)
    onnx.save(case.model, os.path.join(folder, "model.onnx"))
    for stem, infos, values in (("input", case.model.graph.input, case.data_sets[0][0]),
                                ("output", case.model.graph.output, case.data_sets[0][1])):
        for i, (info, value) in enumerate(zip(infos, values)):
            if not isinstance(value, onnx.TensorProto):
                value = numpy_helper.from_array(np.asarray(value), info.name)
            with open(os.path.join(folder, "%s_%d.pb" % (stem, i)), "wb") as file:
                file.write(value.SerializeToString())


def run(cases):
    """{case name: (verdict, why)}; a case that ends the runner counts as failed, the others go on."""
    results = {}
    with tempfile.TemporaryDirectory() as root:
        for case in cases:
            write_case(case, os.path.join(root, case.name))
        left = [case.name for case in cases]
        while left:
            process = subprocess.run([RUNNER] + [os.path.join(root, name) for name in left],
                                     capture_output=True, text=True, errors="replace")
            for line in process.stdout.split("\n"):
                if line.count("\t") == 2:
                    name, verdict, why = line.split("\t")
                    results[name] = (verdict, why)
            left = [name for name in left if name not in results]
            why = "the runner ended with status %d: %s" % (process.returncode, process.stderr[-2000:])
            if left:
                results[left.pop(0)] = ("fail", why)
            elif process.returncode:  # a sanitizer found leaks
                sys.exit("Bail out! " + why)
    return results


def main():
    verbose = "-v" in sys.argv
    pattern = next((a for a in sys.argv[1:] if a != "-v"), "")
    known = table()
    cases = [case for case in collect_testcases(None) if pattern in case.name]
    chosen = [case for case in cases if operators(case) <= known and plain(case)]
    local = [as_local_function(case) for case in cases if plain(case)]
    local = [case for case in local if case and {(n.domain, n.op_type) for n in case.model.functions[0].node} <= known]
    recorded = [case for case in recorded_cases() if pattern in case.name and operators(case) <= known]
    chosen += local + recorded
    results = run(chosen)
    by_operator = collections.defaultdict(lambda: [0, 0, []])
    uninferred = 0
    for case in chosen:
        verdict, why = results[case.name]
        uninferred += why == "shape not inferred"
        # the expansion of a function goes under the operator it expands
        name = case.model.graph.node[0].op_type if len(case.model.graph.node) == 1 else "(several)"
        name = "(local functions)" if case.model.functions else name
        name = "(recorded)" if isinstance(case, Recorded) else name
        row = by_operator[name]
        row[verdict != "pass"] += 1
        if verdict != "pass":
            row[2].append("%s: %s" % (case.name, why))
    for number, (name, (passed, failed, whys)) in enumerate(sorted(by_operator.items()), 1):
        print("%sok %d - %s: %d of %d%s" % ("not " if failed else "", number, name, passed,
                                            passed + failed, " # TODO" if failed else ""))
        for why in whys:
            print("# " + why.replace("\n", "\n#   "))
    passed = sum(row[0] for row in by_operator.values())
    print("%sok %d - %d of %d chosen cases pass, floor %d" % (
        "" if passed >= FLOOR or pattern else "not ", len(by_operator) + 1, passed, len(chosen), FLOOR))
    print("# %d node cases, %d of them left out; %d made with local functions, %d recorded; shapes not inferred in %d" %
          (len(cases), len(cases) + len(local) + len(recorded) - len(chosen), len(local), len(recorded), uninferred))
    if verbose:
        missing = collections.Counter(op for case in cases for op in operators(case) - known)
        print("# operators not in the table: " + ", ".join("%s%s (%d)" % (d and d + ".", n, count)
                                                          for (d, n), count in missing.most_common()))
    print("1..%d" % (len(by_operator) + 1))
    return 0 if passed >= FLOOR or pattern else 1


if __name__ == "__main__":
    sys.exit(main())
