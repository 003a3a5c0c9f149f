#!/usr/bin/env python3
"""FINN itself (finn-plus from PyPI) takes over from qcc, for each network in two ways. What qcc writes after streamline and
lower-convs is executed by qonnx to the goldens, passes through FINN's own conversion to hardware layers and its
specialisation, FINN applies the folding_config.json that qcc writes, and counts the same cycles for every layer as
report.json. And FINN specialises the hardware layers that qcc writes, and counts the same for each of them, and
the same LUTs and RAMs for units and windows. Layers that FINN has no conversion for are named.
Skipped where finn-plus is not there. Little of what it asks for is needed (finnplus.py stands in for the rest):
    pip install -r tests/requirements.txt rich==13.9.4 click jinja2 'mashumaro[yaml]' pydantic termcolor scipy
    pip install --no-deps finn-plus==1.6.1"""
import collections
import json
import os
import subprocess
import sys
import tempfile

from finnplus import PART, stop_unless_installed

QCC = os.environ.get("QCC", "./qcc")
SOURCE = os.environ.get("QCC_SRC", ".")
SHARED = os.environ.get("QCC_SHARED", os.path.join(SOURCE, "..", "shared"))
PLUS = "to-hw(keep_shape,for=finn-plus)"
# network: passes before fold, target cycles
NETWORKS = {
    "cybsec-mlp": ("set-datatype(input=BIPOLAR),", 100),
    "tfc_1w1a": ("", 64),
    "tfc_2w2a": ("", 64),
    "mlp_ternary": ("", 32),
    "cnv_1w1a": ("", 100000),
    "resnet_mini_w3a3": ("", 100000),
    "mobilenet_gap_w4a4": ("", 50000),
    "concat_w4a2": ("", 20000),
    "conv1d_radio_w4a4": ("", 20000),
    "deconv_w4a4": ("", 20000),
    "espcn_nn_resize": ("", 2000000),
    "bipolar padding": ("", 2000),
}
# of them, those that prune-dead shrinks
SHRUNK = ("cybsec-mlp", "cnv_1w1a")
# the one has none; in the other, goldens in float32 step over thresholds that lie within their noise
WITHOUT_GOLDENS = ("bipolar padding", "espcn_nn_resize")


def model_of(name, folder):
    """The network's file: of ../shared, or made here; None where it is not there."""
    if name == "bipolar padding":
        path = os.path.join(folder, "bipolar.onnxtxt")
        script = os.path.join(SOURCE, "tests", "backends", "bipolar_net.py")
        with open(path, "w") as f:
            subprocess.run([sys.executable, script, "2"], check=True, stdout=f)
        return path
    path = os.path.join(SHARED, "models", name, "model.onnx")
    return path if os.path.exists(path) else None


def compile_network(model, passes, folder):
    subprocess.run([QCC, model, "-q", "-p", passes, "-b", "finn", "-o", folder], check=True, stdout=subprocess.DEVNULL)
    return os.path.join(folder, "model.finn.onnx")


def fold_report(folder):
    with open(os.path.join(folder, "report.json")) as f:
        passes = json.load(f)["passes"]
    return next(p for p in passes if p["pass"] == "fold")["layers"]


def unique(model):
    from qonnx.transformation.general import GiveUniqueNodeNames

    return model.transform(GiveUniqueNodeNames())


def specialise(model):
    from finn.transformation.fpgadataflow.specialize_layers import SpecializeLayers

    return unique(model.transform(SpecializeLayers(PART)))


# ---- what the host does stays out of FINN's hands ----

def in_integers(model, node):
    """All that is computed from is annotated with integer datatypes; only the data of nodes that move it."""
    inputs = list(node.input) if node.op_type in ("Add", "Sub", "Mul", "MultiThreshold", "MatMul", "Concat") else node.input[:1]
    return all(model.get_tensor_datatype(x).is_integer() for x in inputs)


def without_host(model):
    """The part of the graph that computes with integers, as FINN's CreateDataflowPartition would leave it."""
    graph = model.graph
    for node in [n for n in graph.node if not in_integers(model, n)]:
        graph.node.remove(node)
    constant = {i.name for i in graph.initializer}
    for node in reversed(list(graph.node)):     # constants added behind the last layer are the host's
        if node.op_type in ("Add", "Mul") and node.input[1] in constant and not model.find_consumers(node.output[0]):
            graph.node.remove(node)
    made = {x for n in graph.node for x in n.output}
    read = {x for n in graph.node for x in n.input if x}
    infos = {v.name: v for v in list(graph.value_info) + list(graph.input) + list(graph.output)}
    del graph.value_info[:]
    graph.value_info.extend(infos[x] for x in sorted(made & read))
    for group, names in ((graph.input, read - made - constant), (graph.output, made - read)):
        del group[:]
        group.extend(infos[x] for x in sorted(names) if x in infos)
    return model


def convert(model):
    """FINN's own conversions, in an order that suits them: pools become windows first."""
    import finn.transformation.fpgadataflow.convert_to_hw as to_hw
    from importlib import import_module

    for module, name in (("pool", "InferPool"), ("upsample", "InferUpsample"), ("conv_inp_gen", "InferConvInpGen"),
                         ("vector_vector_activation", "InferVectorVectorActivation"),
                         ("quantized_matrix_vector_activation", "InferQuantizedMatrixVectorActivation"),
                         ("thresholding", "InferThresholdingLayer"),
                         ("elementwise_binary_operation", "InferElementwiseBinaryOperation"),
                         ("concat", "InferConcatLayer"), ("label_select", "InferLabelSelectLayer"),
                         ("duplicate_streams", "InferDuplicateStreamsLayer")):
        model = model.transform(getattr(import_module(f"{to_hw.__name__}.{module}"), name)())
    return unique(model)


# ---- comparing ----

def plain_kind(name):
    kind = name.split("_hls")[0].split("_rtl")[0]
    return kind.rstrip("0123456789").rstrip("_")


def by_kind(pairs):
    kinds = collections.defaultdict(list)
    for kind, number in pairs:
        kinds[kind].append(number)
    return dict(kinds)


ELEMENTWISE = {"AddStreams": "ElementwiseAdd", "StreamingEltwise": "ElementwiseAdd", "ChannelwiseOp": "ElementwiseAdd"}


def ours(report, column="cycles"):
    """By kind of layer, in order; kinds of FINN-plus, its arithmetic all under one."""
    return by_kind((ELEMENTWISE.get(e["op"], e["op"]), e[column]) for e in report)


def identities(model):
    """Thresholdings that give what they read, for every number of their input's datatype: qcc leaves them out."""
    import numpy as np
    from qonnx.core.datatype import DataType
    from qonnx.custom_op.registry import getCustomOp

    found = set()
    for n in model.graph.node:
        if plain_kind(n.name) != "Thresholding":
            continue
        t, op = model.get_initializer(n.input[1]), getCustomOp(n)
        read = DataType[op.get_nodeattr("inputDataType")]
        if read.bitwidth() > 12:
            continue
        x = np.arange(read.min(), read.max() + 1)
        counts = (x[:, None, None] >= t).sum(axis=-1) + op.get_nodeattr("ActVal")
        if (counts == x[:, None]).all():
            found.add(n.name)
    return found


def theirs(model):
    from finn.analysis.fpgadataflow.exp_cycles_per_layer import exp_cycles_per_layer

    cycles, without = model.analysis(exp_cycles_per_layer), identities(model)
    kinds = ((plain_kind(name), int(n)) for name, n in cycles.items() if name not in without)
    return by_kind(("ElementwiseAdd" if k.startswith("Elementwise") else k, n) for k, n in kinds)


def differences(found, wanted):
    return [f"{kind}: {found.get(kind)}, not {wanted.get(kind)}" for kind in sorted(set(found) | set(wanted))
            if found.get(kind) != wanted.get(kind)]


def leftovers(model):
    """What FINN did not turn into hardware, but for nodes that only move data, and choose inputs (prune-dead's Gather)."""
    moves = ("Gather", "Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze")
    return [n.op_type for n in model.graph.node if not n.domain.startswith("finn.") and n.op_type not in moves]


# FINN converts a GlobalAveragePool, but no sum over all pixels, and no zeros between pixels
NO_CONVERSION = {"ReduceSum": "GlobalAccPool"}


def check_streamlined(name, path, config, report):
    from finn.transformation.general import ApplyConfig
    from qonnx.core.modelwrapper import ModelWrapper

    model = specialise(convert(without_host(ModelWrapper(path)))).transform(ApplyConfig(config))
    left = leftovers(model)
    wanted = ours(report)
    for op in left:
        wanted.pop(NO_CONVERSION.get(op), None)
    wrong = differences(theirs(model), wanted) + [f"{op} is left over" for op in left if op not in NO_CONVERSION]
    layers = sum(map(len, wanted.values()))
    lacks = f" (FINN lacks {', '.join(sorted(set(left)))})" if left else ""
    return f"{name}: FINN converts{lacks}, applies our folding and counts our cycles in {layers} layers", wrong


ESTIMATED = ("MVAU", "VVAU", "ConvolutionInputGenerator")     # the others' formulas FINN-plus changed, or they have none


def resources(model, what):
    from qonnx.custom_op.registry import getCustomOp

    nodes = [n for n in model.graph.node if plain_kind(n.name) in ESTIMATED]
    return by_kind((plain_kind(n.name), int(getCustomOp(n).node_res_estimation(PART)[what])) for n in nodes)


def check_hardware(name, path, report):
    from qonnx.core.modelwrapper import ModelWrapper

    model = specialise(ModelWrapper(path))
    wrong = differences(theirs(model), ours(report))
    for what in ("LUT", "BRAM_18K"):
        wanted = {k: v for k, v in ours(report, what).items() if k in ESTIMATED}
        wrong += [f"{what} of {w}" for w in differences(resources(model, what), wanted)]
    return f"{name}: FINN specialises our layers and counts our cycles in all {len(report)}, and our LUTs and RAMs", wrong


def check_outputs(name, title, path):
    """qonnx executes the file to the goldens: a few samples, it is slow."""
    import numpy as np
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx

    folder = os.path.join(SHARED, "models", name)
    model = ModelWrapper(path)
    x, y = (np.load(os.path.join(folder, f)).astype(np.float32) for f in ("input.npy", "output.npy"))
    feed, result = model.graph.input[0].name, model.graph.output[0].name
    rows = model.get_tensor_shape(feed)[0]
    count = rows * (2 if x[0].size > 1000 else min(16, len(x) // rows))
    got = np.concatenate([execute_onnx(model, {feed: x[i:i + rows]})[result] for i in range(0, count, rows)])
    worst = float(np.abs(got - y[:count].reshape(got.shape)).max())
    wrong = [] if worst <= 1e-5 * max(1, float(np.abs(y).max())) else [f"differs by {worst:g}"]
    exact = "bit for bit" if worst == 0 else f"largest difference {worst:.1e}"
    return f"{title}: qonnx executes what FINN takes over to {count} goldens ({exact})", wrong


def check(name, model, folder, pruned):
    """Lines of TAP descriptions with what is wrong. Matrices must have the same shape for FINN's conversion: no padding."""
    first, target = NETWORKS[name]
    first += "streamline," + ("prune-dead," if pruned else "")
    title = name + (" without dead hardware" if pruned else "")
    streamlined = compile_network(model, first + "lower-convs", os.path.join(folder, "s"))
    folded = os.path.join(folder, "f")
    hardware = compile_network(model, f"{first}{PLUS},fold(keep_shape,target_cycles={target})", folded)
    report = fold_report(folded)
    if name not in WITHOUT_GOLDENS:
        yield check_outputs(name, title, streamlined)
    yield check_hardware(title, hardware, report)
    yield check_streamlined(title, streamlined, os.path.join(folded, "folding_config.json"), report)


def check_all(name, model, folder):
    yield from check(name, model, os.path.join(folder, "whole"), False)
    if name in SHRUNK:
        yield from check(name, model, os.path.join(folder, "shrunk"), True)


def main():
    stop_unless_installed("FINN takes over")
    count = 0
    for name in sys.argv[1:] or NETWORKS:
        with tempfile.TemporaryDirectory() as folder:
            model = model_of(name, folder)
            if model is None:
                count += 1
                print(f"ok {count} - {name} # SKIP not there")
                continue
            try:
                for text, wrong in check_all(name, model, folder):
                    count += 1
                    print(f"{'not ' if wrong else ''}ok {count} - {text}" + "".join(f"\n# {w}" for w in wrong))
            except Exception as error:  # FINN raises many kinds; each is a failure of this network
                count += 1
                print(f"not ok {count} - {name}\n# {type(error).__name__}: {str(error)[:300]}")
    print(f"1..{count}")


main()
