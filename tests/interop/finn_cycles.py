#!/usr/bin/env python3
"""FINN itself (finn-plus from PyPI) takes over from qcc: what qcc writes after streamline passes through FINN's conversion to
hardware layers and its specialisation, FINN applies the folding_config.json that qcc writes, and counts the same cycles for
each layer as report.json. And FINN specialises the hardware layers that qcc writes. Skipped where finn-plus is not there."""
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import warnings
from unittest.mock import MagicMock

warnings.filterwarnings("ignore")
QCC = os.environ.get("QCC", "./qcc")
SHARED = os.environ.get("QCC_SHARED", os.path.join(os.environ.get("QCC_SRC", "."), "..", "shared"))
PART = "xc7z020clg400-1"
# network: passes before fold, target cycles
NETWORKS = {
    "cybsec-mlp": ("set-datatype(input=BIPOLAR),", 100),
    "tfc_1w1a": ("", 64),
    "tfc_2w2a": ("", 64),
    "mlp_ternary": ("", 32),
    "cnv_1w1a": ("", 100000),
    "resnet_mini_w3a3": ("", 100000),
    "mobilenet_gap_w4a4": ("", 50000),
}
# of them, those that prune-dead shrinks
SHRUNK = ("cybsec-mlp", "cnv_1w1a")


class Absent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Stands in for torch and brevitas, which finn-plus imports but what is tested here does not use."""

    def find_spec(self, name, path, target=None):
        if name.split(".")[0] in ("torch", "torchvision", "brevitas"):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        module = MagicMock(name=spec.name)
        module.__path__, module.__spec__, module.__name__ = [], spec, spec.name
        return module

    def exec_module(self, module):
        pass


def stop_unless_installed():
    if importlib.util.find_spec("finn") is None or importlib.util.find_spec("qonnx") is None:
        print("ok 1 - FINN takes over # SKIP finn-plus is not installed (pip install finn-plus)")
        print("1..1")
        sys.exit(0)
    if importlib.util.find_spec("torch") is None:
        sys.meta_path.insert(0, Absent())


def compile_network(name, passes, folder):
    model = os.path.join(SHARED, "models", name, "model.onnx")
    subprocess.run([QCC, model, "-q", "-p", passes, "-b", "finn", "-o", folder], check=True, stdout=subprocess.DEVNULL)
    return os.path.join(folder, "model.finn.onnx")


def fold_report(folder):
    with open(os.path.join(folder, "report.json")) as f:
        passes = json.load(f)["passes"]
    return next(p for p in passes if p["pass"] == "fold")["layers"]


def cycles_of(model):
    from finn.analysis.fpgadataflow.exp_cycles_per_layer import exp_cycles_per_layer
    from qonnx.transformation.general import GiveUniqueNodeNames

    return model.transform(GiveUniqueNodeNames()).analysis(exp_cycles_per_layer)


def specialise(model):
    from finn.transformation.fpgadataflow.specialize_layers import SpecializeLayers
    from qonnx.transformation.general import GiveUniqueNodeNames

    return model.transform(SpecializeLayers(PART)).transform(GiveUniqueNodeNames())


def finn_from_streamlined(path, config):
    """FINN's own conversion of MatMul and MultiThreshold, then qcc's folding."""
    from finn.transformation.fpgadataflow.convert_to_hw.quantized_matrix_vector_activation import (
        InferQuantizedMatrixVectorActivation,
    )
    from finn.transformation.fpgadataflow.convert_to_hw.conv_inp_gen import InferConvInpGen
    from finn.transformation.fpgadataflow.convert_to_hw.vector_vector_activation import InferVectorVectorActivation
    from finn.transformation.general import ApplyConfig
    from qonnx.core.modelwrapper import ModelWrapper

    model = ModelWrapper(path).transform(InferConvInpGen()).transform(InferVectorVectorActivation())
    model = model.transform(InferQuantizedMatrixVectorActivation())
    return cycles_of(specialise(model).transform(ApplyConfig(config)))


def finn_from_hardware(path):
    from qonnx.core.modelwrapper import ModelWrapper

    return cycles_of(specialise(ModelWrapper(path)))


KINDS = ("MVAU", "VVAU", "ConvolutionInputGenerator", "FMPadding")


def ours(report):
    """Cycles by kind of layer, in order."""
    return {kind: [entry["cycles"] for entry in report if entry["op"] == kind] for kind in KINDS}


def by_kind(cycles):
    return {kind: [int(n) for name, n in cycles.items() if name.startswith(kind + "_")] for kind in KINDS}


def known_to_finn(path):
    """finn-plus renamed or dropped some layers that FINN has (AddStreams, StreamingMaxPool)."""
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.custom_op.registry import getCustomOp

    try:
        for node in ModelWrapper(path).graph.node:
            if node.domain.startswith("finn."):
                getCustomOp(node)
    except KeyError:
        return False
    return True


def difference(found, wanted):
    return None if found == wanted else f"{found}, not {wanted}"


def specialised(name, passes, target):
    """FINN takes over behind fold."""
    with tempfile.TemporaryDirectory() as folder:
        hardware = compile_network(name, f"{passes}fold(target_cycles={target})", folder)
        if known_to_finn(hardware):
            found, wanted = by_kind(finn_from_hardware(hardware)), ours(fold_report(folder))
            yield f"{name}: FINN specialises our layers and counts our cycles", difference(found, wanted)


def converted(name, passes, target):
    """FINN takes over behind streamline (and prune-dead): matrices must have the same shape, so nothing is padded."""
    with tempfile.TemporaryDirectory() as folder:
        streamlined = compile_network(name, passes + "lower-convs", os.path.join(folder, "s"))
        folded = os.path.join(folder, "f")
        compile_network(name, f"{passes}fold(keep_shape,target_cycles={target})", folded)
        found = by_kind(finn_from_streamlined(streamlined, os.path.join(folded, "folding_config.json")))
        what = "without dead hardware" if "prune-dead" in passes else "as it is"
        yield f"{name} {what}: FINN converts, applies our folding and counts our cycles", difference(found, ours(fold_report(folded)))


def check(name):
    """Lines of TAP descriptions with what is wrong, or None."""
    first, target = NETWORKS[name]
    yield from specialised(name, first + "streamline,", target)
    yield from converted(name, first + "streamline,", target)
    if name in SHRUNK:
        yield from converted(name, first + "streamline,prune-dead,", target)


def main():
    stop_unless_installed()
    count = 0
    for name in NETWORKS:
        if not os.path.isdir(os.path.join(SHARED, "models", name)):
            count += 1
            print(f"ok {count} - {name} # SKIP not there")
            continue
        try:
            for text, wrong in check(name):
                count += 1
                print(f"{'not ' if wrong else ''}ok {count} - {text}" + (f"\n# {wrong}" if wrong else ""))
        except Exception as error:  # FINN raises many kinds; each is a failure of this network
            count += 1
            print(f"not ok {count} - {name}\n# {type(error).__name__}: {str(error)[:300]}")
    print(f"1..{count}")


main()
