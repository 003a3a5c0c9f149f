#!/usr/bin/env python3
"""What the Verilog backend's designs take after synthesis, and how many cycles a frame they take in simulation.

    bench_hw.py [--output FILE.json] [--seeds N] [--seconds N] [NETWORK ...]

Each network is folded for a number of cycles, simulated (verilator), synthesised with yosys for Xilinx 7 series (LUT6, no
DSP, no SRL) and for iCE40 (LUT4), and, where it fits, placed and routed for an iCE40 HX8K with nextpnr, of which the
best of some seeds counts; a seed that takes longer than the time limit is given up. Needs verilator, yosys, nextpnr-ice40.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SRC = Path(os.environ.get("QCC_SRC", Path(__file__).resolve().parents[2]))
QCC = os.environ.get("QCC", str(SRC / "build" / "qcc"))
SHARED = Path(os.environ.get("QCC_SHARED", SRC / ".." / "shared"))
HX8K_LUTS, HX8K_RAMS = 7680, 32
NETWORKS = {
    "cybsec-mlp": (SHARED / "models/cybsec-mlp/model.onnx", "set-datatype(input=BIPOLAR),", 256),
    "mlp_2w2a": (SRC / "models/mlp_2w2a/model.onnx", "", 1024),
}


def run(command, folder, seconds):
    """Output of a command, None where it failed or took too long."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return None
    return done.stdout + done.stderr if done.returncode == 0 else None


def cells(path):
    """How many of each cell yosys' last `stat` in a file counts."""
    text = path.read_text().rsplit("Number of cells", 1)[-1]
    return {name: int(count) for name, count in re.findall(r"^\s+(\$?\w+)\s+(\d+)$", text, re.M)}


def simulate(folder, seconds):
    text = run(["make", "-s", "sim"], folder, seconds) or ""
    found = re.search(r"equal bit for bit, (\d+) cycles a frame, as scheduled: (\d+)", text)
    return {"cycles": int(found[1]), "scheduled": int(found[2])} if found else {}


def xilinx(folder, seconds):
    if run(["make", "-s", "synth", "TARGET=xilinx"], folder, seconds) is None:
        return {}
    count = cells(folder / "xilinx.stat")
    logic = sum(count.get(f"LUT{i}", 0) for i in range(1, 7))
    memory = 4 * count.get("RAM32M", 0) + 4 * count.get("RAM64M", 0) + 2 * count.get("RAM32X1D", 0)
    registers = sum(n for name, n in count.items() if name.startswith("FD"))
    ramb18 = count.get("RAMB18E1", 0) + 2 * count.get("RAMB36E1", 0)
    return {"lut": logic, "lut_as_memory": memory, "ff": registers, "ramb18": ramb18}


def ice40(folder, seeds, seconds):
    if run(["make", "-s", "synth", "TARGET=ice40"], folder, seconds) is None:
        return {}
    count = cells(folder / "ice40.stat")
    result = {"lut4": count.get("SB_LUT4", 0), "rams": count.get("SB_RAM40_4K", 0)}
    if result["lut4"] > HX8K_LUTS or result["rams"] > HX8K_RAMS:
        return result
    for seed in range(1, seeds + 1):
        text = run(["make", "-s", "place", f"SEED={seed}"], folder, seconds) or ""
        speeds = re.findall(r"Max frequency for clock[^:]*: ([\d.]+) MHz", text)
        used = re.search(r"ICESTORM_LC:\s*(\d+)", text)
        if speeds and float(speeds[-1]) > result.get("mhz", 0):
            result.update(mhz=float(speeds[-1]), seed=seed, cells=int(used[1]) if used else None)
    return result


def measure(name, seeds, seconds):
    model, first, cycles = NETWORKS[name]
    with tempfile.TemporaryDirectory() as work:
        command = [QCC, str(model), "-q", "-p", f"{first}streamline,fold(target_cycles={cycles})", "-b", "verilog", "-o", "out"]
        if run(command, work, seconds) is None:
            return None
        folder = Path(work) / "out" / "verilog"
        return {
            "target_cycles": cycles,
            "simulation": simulate(folder, seconds),
            "xilinx": xilinx(folder, seconds),
            "ice40": ice40(folder, seeds, seconds),
        }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--output")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=600, help="time limit of each step")
    parser.add_argument("networks", nargs="*", default=list(NETWORKS))
    options = parser.parse_args()
    missing = [tool for tool in ("verilator", "yosys", "nextpnr-ice40") if not shutil.which(tool)]
    if missing:
        sys.exit(f"bench_hw.py: needs {', '.join(missing)}")
    results = {}
    print("| network | cycles (scheduled) | LUT6 (as memory) | FF | RAMB18 | iCE40 LUT4 | RAM | HX8K cells | MHz | frames/s |")
    print("|" + " --- |" * 10)
    for name in options.networks:
        r = results[name] = measure(name, options.seeds, options.seconds)
        if not r:
            print(f"| {name} | no design |")
            continue
        s, x, i = r["simulation"], r["xilinx"], r["ice40"]
        rate = i["mhz"] * 1e6 / s["cycles"] if "mhz" in i and "cycles" in s else None
        print(
            f"| {name} | {s.get('cycles')} ({s.get('scheduled')}) | {x.get('lut')} ({x.get('lut_as_memory')}) | {x.get('ff')} "
            f"| {x.get('ramb18')} | {i.get('lut4')} | {i.get('rams')} | {i.get('cells')} | {i.get('mhz')} "
            f"| {f'{rate:,.0f}' if rate else None} |",
            flush=True,
        )
    if options.output:
        Path(options.output).write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
