#!/usr/bin/env python3
"""FINN-plus's own builder takes over from qcc: its steps create_dataflow_partition, specialize_layers and
generate_estimate_reports on the folded networks that qcc writes. All hardware layers must come to lie in one partition, with
the host's nodes before and behind it, and the builder's estimate of cycles must be qcc's.
Skipped where finn-plus is not there (tests/interop/finn_cycles.py says how to install it)."""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from finnplus import PART, stop_unless_installed

QCC = os.environ.get("QCC", "./qcc")
SHARED = os.environ.get("QCC_SHARED", os.path.join(os.environ.get("QCC_SRC", "."), "..", "shared"))
NETWORKS = ("cnv_1w1a", "cnv_2w2a_legacy", "mobilenet_mini_w4a4", "mobilenet_gap_w4a4", "resnet_mini_w3a3", "concat_w4a2",
            "conv1d_radio_w4a4", "deconv_w4a4")
PASSES = "streamline,to-hw(for=finn-plus),fold(target_cycles=100000)"
HOST = {"MultiThreshold", "Transpose", "Unsqueeze", "Squeeze", "Mul", "Add", "Reshape", "Flatten"}


def configuration(folder):
    from finn.builder.build_dataflow_config import DataflowBuildConfig, DataflowOutputType

    for name in ("intermediate_models", "report"):
        (folder / name).mkdir(parents=True)
    return DataflowBuildConfig(output_dir=str(folder), synth_clk_period_ns=10.0, fpga_part=PART, board=None,
                               generate_outputs=[DataflowOutputType.ESTIMATE_REPORTS])


def build(model, folder):
    """The dataflow partition after the three steps, and the parent's nodes."""
    from finn.builder import build_dataflow_steps as steps
    from qonnx.core.modelwrapper import ModelWrapper

    cfg = configuration(folder)
    model = steps.step_create_dataflow_partition(ModelWrapper(str(model)), cfg)
    parent = ModelWrapper(str(folder / "intermediate_models/dataflow_parent.onnx"))
    model = steps.step_specialize_layers(model, cfg)
    return steps.step_generate_estimate_reports(model, cfg), [n.op_type for n in parent.graph.node]


def check(name, path, folder):
    """What is done, and a list of what is wrong."""
    subprocess.run([QCC, path, "-q", "-p", PASSES, "-b", "finn", "-o", folder / "qcc"], check=True, stdout=subprocess.DEVNULL)
    passes = json.loads((folder / "qcc/report.json").read_text())["passes"]
    report = next(p for p in passes if p["pass"] == "fold")
    model, parent = build(folder / "qcc/model.finn.onnx", folder / "finn")
    performance = json.loads((folder / "finn/report/estimate_network_performance.json").read_text())
    ours = max(layer["cycles"] for layer in report["layers"])
    wrong = []
    if parent.count("StreamingDataflowPartition") != 1 or not set(parent) <= HOST | {"StreamingDataflowPartition"}:
        wrong.append(f"the parent holds {parent}")
    if len(model.graph.node) != len(report["layers"]):
        wrong.append(f"{len(model.graph.node)} layers in the partition, not {len(report['layers'])}")
    if performance["max_cycles"] != ours:
        wrong.append(f"FINN estimates {performance['max_cycles']} cycles a frame, not {ours}")
    return f"{name}: one partition of {len(model.graph.node)} layers, specialised, {ours} cycles a frame by FINN's estimate", wrong


def main():
    stop_unless_installed("FINN's builder takes over")
    names = sys.argv[1:] or NETWORKS
    for count, name in enumerate(names, 1):
        path = os.path.join(SHARED, "models", name, "model.onnx")
        if not os.path.exists(path):
            print(f"ok {count} - {name} # SKIP not there")
            continue
        with tempfile.TemporaryDirectory() as folder:
            os.environ["FINN_BUILD_DIR"] = folder
            try:
                text, wrong = check(name, path, Path(folder))
            except Exception as error:  # FINN raises many kinds; each is a failure of this network
                text, wrong = name, [f"{type(error).__name__}: {str(error)[:300]}"]
        print(f"{'not ' if wrong else ''}ok {count} - {text}" + "".join(f"\n# {w}" for w in wrong), flush=True)
    print(f"1..{len(names)}")


main()
