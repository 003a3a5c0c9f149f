#!/usr/bin/env python3
"""Proves of the streaming modules, at small sizes, that no pause at any port drops, repeats, changes or reorders a word.

    prove.py [MODULE ...]

prove_ports.v says how: two instances with the same words and independent pauses must give the same words. yosys makes a circuit of
both, and ABC (yosys-abc) proves by property-directed reachability, an induction that finds its own invariant, that no state after
reset violates it, whatever the pauses. That the proof is not empty is seen from a run in which two words pass. What the words are
without pauses is what `make sim` compares. Needs yosys with yosys-abc (or berkeley-abc), and Python's own library only.
"""

import os
import shutil
import subprocess
import sys
import time

FOLDER = os.path.dirname(os.path.abspath(__file__))
WORK = os.path.join(FOLDER, "obj", "prove")
YOSYS = os.environ.get("YOSYS", "yosys")
ABC = os.environ.get("YOSYS_ABC") or shutil.which("yosys-abc") or shutil.which("berkeley-abc") or "yosys-abc"
MEMORIES = {"bits.hex": "1\n0\n", "weights.hex": "1\n2\n3\n1\n", "steps.hex": "2\n1\n"}

# name: module, bits of its inputs, bits of its outputs, parameters
IMAGE = "WIDTH=1 FOLD=1"
MODULES = {
    "pair": ("qcc_fifo", [2], [2], "WIDTH=2 DEPTH=2"),
    "queue": ("qcc_fifo", [1], [1], "WIDTH=1 DEPTH=3"),
    "fork": ("qcc_fork", [1], [1, 1], "WIDTH=1 N=2"),
    "eltwise": ("qcc_eltwise", [1, 1], [2], "A_BITS=1 B_BITS=1 OUT_BITS=2"),
    "eltwise-held": ("qcc_eltwise", [1, 1], [2], "A_BITS=1 B_BITS=1 OUT_BITS=2 WORDS=2 HELD=1 WORDS_BITS=2 HELD_BITS=1"),
    "threshold": ("qcc_threshold", [2], [1], "FOLD=2 PE=1 X_BITS=2 X_KIND=1 BITS=3 STEPS=1 FOLD_BITS=1 THRESHOLDS=steps.hex"),
    "channelwise": ("qcc_channelwise", [1], [2], "PE=1 FOLD=2 A_BITS=1 B_BITS=1 OUT_BITS=2 FOLD_BITS=1 CONSTANTS=bits.hex"),
    "lookup": ("qcc_lookup", [1], [1], "ROWS=2 X_BITS=1 ROW_BITS=1 OUT_WIDTH=1 TABLE=bits.hex"),
    "width-up": ("qcc_width", [1], [2], "IN=1 OUT=2 WORDS=2 WORDS_BITS=2 HELD_BITS=3"),
    "width-down": ("qcc_width", [2], [1], "IN=2 OUT=1 WORDS=1 WORDS_BITS=1 HELD_BITS=3"),
    "width-mixed": ("qcc_width", [3], [2], "IN=3 OUT=2 WORDS=2 WORDS_BITS=2 HELD_BITS=3"),
    "mvau": ("qcc_mvau", [1], [1], "SF=2 NF=2 PE=1 SIMD=1 X_BITS=1 W_BITS=2 W_KIND=1 BITS=4 STEPS=1 OUT_BITS=1 SF_BITS=1 "
             "NF_BITS=1 ADDRESS_BITS=2 WEIGHTS=weights.hex THRESHOLDS=steps.hex IN_WIDTH=1"),
    "label": ("qcc_label", [1], [1], "FOLD=2 PE=1 K=1 X_BITS=1 OUT_BITS=1 STEP_BITS=2"),
    "pool": ("qcc_pool", [1], [1], "KERNEL=2 PE=1 X_BITS=1 SUM_BITS=2 OUT_BITS=1 BITS=1"),
    "max-pool": ("qcc_max_pool", [1], [1], "N=1 FOLD=1 H=2 W=2 KH=2 KW=2 X_BITS=1 BITS=2 LINE_BITS=1"),
    "global-sum": ("qcc_global_sum", [1], [2], "WORDS=2 FOLD=1 PE=1 X_BITS=1 OUT_BITS=2 OUT_KIND=0 BITS=2 FOLD_BITS=1"),
    "crop": ("qcc_crop", [1], [1], f"{IMAGE} H=1 W=2 TOP=1 RIGHT=1 BITS=2"),
    "sample": ("qcc_sample", [1], [1], f"{IMAGE} H=2 W=2 STRIDE_H=2 STRIDE_W=2 BITS=2"),
    "pad": ("qcc_pad", [1], [1], f"{IMAGE} H=1 W=2 TOP=1 LEFT=1 BITS=2"),
    "enlarge": ("qcc_enlarge", [1], [1], "WIDTH=1 H=1 W=2 FACTOR_H=2 FACTOR_W=2 BITS=3 X_BITS=1"),
    "window": ("qcc_window", [1], [1], f"{IMAGE} KH=1 KW=2 H=2 W=2 SH=1 SW=1 DH=1 DW=1 OH=2 OW=1 LINES=2 BITS=3 ADDRESS_BITS=2"),
    "window-parallel": ("qcc_window_parallel", [1], [2], "WIDTH=1 KH=1 KW=2 H=1 W=3 SH=1 SW=1 DH=1 DW=1 BITS=2 X_BITS=2"),
    "bytes": ("board_bytes", [9], [8], "WIDTH=9 BYTES=2 BITS=2"),
}


def bench(module, inputs, outputs, parameters):
    """The circuit of two instances."""
    settings = ", ".join(f'.{k}("{v}")' if v.endswith(".hex") else f".{k}({v})" for k, v in (p.split("=") for p in parameters.split()))
    free, wires, parts, ports = ["input wire clock"], [], [], {"a": [], "b": []}
    sides = [("in", k, bits, len(inputs)) for k, bits in enumerate(inputs)] + [("out", k, bits, len(outputs)) for k, bits in enumerate(outputs)]
    joined = len(outputs) > 1  # of forks: one port for all copies
    for side, k, bits, count in sides:
        name = f"{side}{k}"
        words = [f"{name}_a", f"{name}_b"] if side == "out" else [name]
        free += [f"input wire [{bits - 1}:0] {name}_fresh"] * (side == "in") + [f"input wire {name}_a_free, {name}_b_free"]
        wires += [f"wire [{bits - 1}:0] {', '.join(words)};", f"wire {name}_a_valid, {name}_b_valid, {name}_a_ready, {name}_b_ready;"]
        ends = f".a_valid({name}_a_valid), .b_valid({name}_b_valid), .a_ready({name}_a_ready), .b_ready({name}_b_ready)"
        if side == "in":
            parts.append(f"prove_source #(.WIDTH({bits})) {name}_source (.clock(clock), .reset(reset), .fresh({name}_fresh), "
                         f".a_gives({name}_a_free), .b_gives({name}_b_free), .data({name}), {ends});")
        else:
            parts.append(f"prove_sink #(.WIDTH({bits})) {name}_sink (.clock(clock), .reset(reset), .a_takes({name}_a_free), "
                         f".b_takes({name}_b_free), .a_data({name}_a), .b_data({name}_b), {ends});")
        for x in "ab":
            if side == "out" and joined:
                continue
            port = name if count > 1 else side
            ports[x] += [f".{port}_data({name if side == 'in' else f'{name}_{x}'})", f".{port}_valid({name}_{x}_valid)",
                         f".{port}_ready({name}_{x}_ready)"]
    clock = "" if module == "qcc_fork" else ".clock(clock), .reset(reset), "
    for x in "ab":
        if joined:
            for signal, suffix in (("data", ""), ("valid", "_valid"), ("ready", "_ready")):
                ports[x].append(f".out_{signal}({{{', '.join(f'out{k}_{x}{suffix}' for k in reversed(range(len(outputs))))}}})")
        parts.append(f"{module} #({settings}) {x} ({clock}{', '.join(ports[x])});")
    lines = ["module prove (", ",\n".join(free), ");", "reg reset;", "initial reset = 1'b1;", "always @(posedge clock) reset <= 1'b0;"]
    return "\n".join(lines + wires + parts + ["endmodule", ""])


def run(command):
    """Output of a command; ends the program where it fails."""
    try:
        done = subprocess.run(command, cwd=WORK, capture_output=True, text=True, check=False)
    except OSError as error:
        sys.exit(f"prove.py: {command[0]}: {error.strerror}")
    if done.returncode:
        sys.exit(f"prove.py: {command[0]}: {(done.stdout + done.stderr).strip()[-500:]}")
    return done.stdout


def check(name, define):
    """What ABC says of the assertions: proved, or violated."""
    script = [
        f"read_verilog -formal {define} {name}.v {FOLDER}/prove_ports.v",
        f"read_verilog -defer {FOLDER}/{MODULES[name][0]}.v {' '.join(parts())}",
        "prep -flatten -top prove; memory_map; async2sync; setundef -undriven -zero; opt -full; techmap; opt -full",
        f"dffunmap; simplemap; abc -g AND -fast; opt_clean; write_aiger -zinit {name}.aig",
    ]
    with open(os.path.join(WORK, f"{name}.ys"), "w", encoding="utf-8") as f:
        f.write("\n".join(script) + "\n")
    run([YOSYS, "-q", "-s", f"{name}.ys"])
    said = run([ABC, "-c", f"read_aiger {name}.aig; fold; pdr"])
    return "proved" if "Property proved" in said else "violated" if "asserted" in said else said.strip()[-200:]


def parts():
    """What modules are made of."""
    used = {m[0] for m in MODULES.values()}
    files = [f for f in sorted(os.listdir(FOLDER)) if f.startswith("qcc_") and f.endswith(".v") and f[:-2] not in used]
    return [os.path.join(FOLDER, f) for f in files]


def main():
    names = sys.argv[1:] or list(MODULES)
    for name in names:
        if name not in MODULES:
            sys.exit(f"prove.py: no module '{name}'; there are {', '.join(MODULES)}")
    os.makedirs(WORK, exist_ok=True)
    for name, text in MEMORIES.items():
        with open(os.path.join(WORK, name), "w", encoding="utf-8") as f:
            f.write(text)
    failed = 0
    for name in names:
        start = time.time()
        with open(os.path.join(WORK, f"{name}.v"), "w", encoding="utf-8") as f:
            f.write(bench(*MODULES[name]))
        result, witness = check(name, ""), check(name, "-DWITNESS")
        good = result == "proved" and witness == "violated"
        failed += not good
        print(f"{name} ({MODULES[name][0]}): {result}{'' if witness == 'violated' else ', but no two words pass'}, "
              f"{time.time() - start:.1f} s", flush=True)
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
