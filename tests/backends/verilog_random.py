#!/usr/bin/env python3
"""Random networks (tests/interop/netgen) as Verilog designs in simulation: the words at every border are those that the executor
computes, without pauses (then a frame takes the scheduled cycles) and with random ones at every port; none hangs.
Queues are tight: one that is deeper than two words and made one word shallower costs the design its rate, or hangs it.

QCC_VERILOG_RANDOM=COUNT sets how many networks with a design are wanted (6), QCC_VERILOG_FIRST=SEED where they begin (0),
QCC_VERILOG_VERILATOR=COUNT how many of them verilator simulates as well as iverilog (0): both must count the same cycles.
Networks without a design are passed over with the compiler's reason.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "interop")]
QCC = os.environ.get("QCC", "./qcc")
WANTED = int(os.environ.get("QCC_VERILOG_RANDOM", "6"))
FIRST = int(os.environ.get("QCC_VERILOG_FIRST", "0"))
VERILATED = int(os.environ.get("QCC_VERILOG_VERILATOR", "0"))
TARGETS = (60, 500, 4000)
QUICK = ("CXXFLAGS=-O0", "OPT_FAST=-O1", "OPT_SLOW=-O0", "OPT_GLOBAL=-O0")


def missing():
    """Why this cannot run here, or None."""
    for package in ("numpy", "onnx", "onnxruntime", "qonnx"):
        if not importlib.util.find_spec(package):
            return f"Python package {package} is missing"
    for tool in ("iverilog", "vvp", "verilator") if VERILATED else ("iverilog", "vvp"):
        if not shutil.which(tool):
            return f"no {tool}"
    return None


def run(command):
    """Standard output and error; RuntimeError where the command fails."""
    own = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=600, env=own)
    if done.returncode != 0:
        raise RuntimeError((done.stderr + done.stdout).strip()[-600:] or f"exit status {done.returncode}")
    return done.stdout + done.stderr


def design(seed, where):
    """Writes a network's design below a folder; None, or why there is none."""
    from netgen import build, check, spec

    network = spec.draw_network(seed)
    network["batch"] = 1  # a stream carries one sample at a time
    model, _ = build.build(network, 1)
    check.save(model, network, where / "net.onnx")
    passes = f"streamline,fold(target_cycles={TARGETS[seed % len(TARGETS)]},max_stream_bits=2048)"
    try:
        run([QCC, where / "net.onnx", "-q", "-p", passes, "-b", "verilog(samples=2)", "-o", where / "out"])
    except RuntimeError as e:
        if "error:" not in str(e):
            raise
        return str(e).split("error: ")[-1]
    most = max(map(int, re.findall(r"\.STEPS\((\d+)\)", (where / "out/verilog/network.v").read_text())), default=0)
    return f"{most} thresholds a neuron take minutes to simulate" if most > 4095 else None


def simulate(seed, where, verilated):
    """Cycles a frame, and what was compared. RuntimeError where anything differs."""
    folder = where / "out/verilog"
    cycles = [re.search(r", (\d+) cycles a frame", run(["make", "-s", "-C", folder, "isim"]))[1]]
    run(["make", "-s", "-C", folder, "isim", f"STALLS={seed + 1}"])
    if verilated:
        cycles.append(re.search(r", (\d+) cycles a frame", run(["make", "-s", "-C", folder, "sim", *QUICK]))[1])
        run(["make", "-s", "-C", folder, "sim", f"STALLS={seed + 1}", *QUICK])
    if len(set(cycles)) > 1:
        raise RuntimeError(f"iverilog counts {cycles[0]} cycles a frame, verilator {cycles[1]}")
    return f"{cycles[0]} cycles a frame{', verilator too' if verilated else ''}"


def shallower(where):
    """A line for each queue of more than two words: what happens where it is one word shallower. RuntimeError: nothing does."""
    folder = where / "out/verilog"
    text = (folder / "network.v").read_text()
    for depth, queue in re.findall(r"\.DEPTH\((\d+)\)\) (queue\d+) ", text):
        if int(depth) <= 2:
            continue
        (folder / "network.v").write_text(text.replace(f".DEPTH({depth})) {queue} ", f".DEPTH({int(depth) - 1})) {queue} "))
        try:
            run(["make", "-s", "-C", folder, "isim"])
        except RuntimeError as e:
            if not re.search("NOT as scheduled|HANGS", str(e)) or "DIFFERENT" in str(e):
                raise
            yield f"{queue} needs its {depth} words: without one it {'hangs' if 'HANGS' in str(e) else 'is late'}"
        else:
            raise RuntimeError(f"{queue} could be shallower than {depth} words")
    (folder / "network.v").write_text(text)


def main():
    reason = missing()
    if reason:
        print(f"1..0 # SKIP {reason}")
        return
    seed, count, queues, reasons = FIRST, 0, 0, Counter()
    while count < WANTED and seed < FIRST + 20 * WANTED:
        with tempfile.TemporaryDirectory(prefix="qcc-verilog-") as folder:
            try:
                why = design(seed, Path(folder))
                result = None if why else simulate(seed, Path(folder), count < VERILATED)
                tight = [] if why else list(shallower(Path(folder)))
            except (RuntimeError, OSError, TypeError, subprocess.TimeoutExpired) as e:
                why, result = None, e
            count += why is None
            if why:
                reasons[why.split("): ")[-1].split(", pass")[-1][:90]] += 1
            elif isinstance(result, str):
                print(f"ok {count} - seed {seed}: {'; '.join([result] + tight)}", flush=True)
                queues += len(tight)
            else:
                print(f"not ok {count} - seed {seed}", flush=True)
                for line in str(result).splitlines():
                    print("#", line)
        seed += 1
    for why, times in reasons.most_common(12):
        print(f"# {times} times without a design: {why}")
    print(f"# {queues} queues were made shallower")
    print(f"1..{max(count, WANTED)}")


if __name__ == "__main__":
    main()
