#!/usr/bin/env python3
"""ONNX's node tests as generated C: of the cases that `qcc run` passes, how many pass in the styles reference and packed.

    c_nodes.py              every seventh case, for the tests that run at each change
    c_nodes.py --all        all of them
    c_nodes.py -v [PATTERN] all cases whose name holds the pattern, and a line for each that does not pass
    c_nodes.py --table      the table of docs/eight_bits.md

Inputs that only parameters may be (shapes, axes, indices that decide shapes) become constants: the first of these forms
of a case that has generated code counts: all inputs given at run time; all but those of integers behind the first;
the first alone. The cases of a piece are compiled together, with the warnings that generated code must not cause, and
called through ctypes.
"""
import collections
import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SRC = Path(os.environ.get("QCC_SRC", Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(SRC / "tests" / "ops"))
import onnx_nodes  # noqa: E402  (skips where the package onnx is not there)
import numpy as np  # noqa: E402
import onnx  # noqa: E402
from onnx import numpy_helper  # noqa: E402

EMITTER = os.environ.get("QCC_EMIT_CASES") or os.path.join(
    os.path.dirname(os.environ.get("QCC", "./qcc")), "tests", "backends", "emit_cases")
CC = os.environ.get("CC", "cc").split()
FLAGS = "-std=c11 -Wall -Wextra -Wconversion -pedantic -Werror -O0 -DQCC_TARGETS=0 -shared -fPIC".split()
STYLES = {"reference": "c", "packed": "c-packed"}
LEAST = 0.9     # of the cases that `qcc run` passes
PIECE = 40      # cases compiled together


def forms(case):
    """Numbers of the inputs that become constants, a form each, without repetition."""
    values = [numpy_helper.to_array(v) if isinstance(v, onnx.TensorProto) else np.asarray(v) for v in case.data_sets[0][0]]
    integers = [i for i, v in enumerate(values) if i and v.dtype.kind in "iu"]
    seen = []
    for form in ([], integers, list(range(1, len(values)))):
        if form not in seen and len(form) < max(len(values), 1):
            seen.append(form)
    return values, seen


def with_constants(case, values, which):
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    given = list(model.graph.input)
    del model.graph.input[:]
    for i, info in enumerate(given):
        if i in which:
            model.graph.initializer.append(numpy_helper.from_array(values[i], info.name))
        else:
            model.graph.input.append(info)
    return model


def emit(cases, first, root):
    """Writes C of both styles; {number: (inputs given at run time, None) or (None, why there is none)}."""
    results, values, tried = {}, {}, {}
    lines = []
    for number, case in enumerate(cases, first):
        values[number], tried[number] = forms(case)
        for k, form in enumerate(tried[number]):
            file = root / f"n{number}_{k}.onnx"
            file.write_bytes(with_constants(case, values[number], form).SerializeToString())
            lines.append(f"{file}\tn{number}\t{root / f'n{number}_{k}'}\n")
    p = subprocess.run([EMITTER], input="".join(lines), capture_output=True, text=True, check=False)
    verdicts = [line.split("\t", 1)[1] for line in p.stdout.splitlines()]
    verdicts += [f"ended with status {p.returncode}: {p.stderr[-500:]}"] * (len(lines) - len(verdicts))
    for number in tried:
        of_forms, verdicts = verdicts[:len(tried[number])], verdicts[len(tried[number]):]
        results[number] = None, "; ".join(dict.fromkeys(of_forms)) or "no input is given at run time"
        for k, verdict in enumerate(of_forms):
            if verdict == "ok":
                (root / f"n{number}_{k}").rename(root / f"n{number}")
                results[number] = [i for i in range(len(values[number])) if i not in tried[number][k]], None
                break
    return results


TYPES = {"int8_t": np.int8, "uint8_t": np.uint8, "int16_t": np.int16, "uint16_t": np.uint16, "int32_t": np.int32,
         "uint32_t": np.uint32, "int64_t": np.int64, "uint64_t": np.uint64, "float": np.float32, "double": np.float64}


def call(library, number, header, inputs, outputs):
    """Runs one case; None where its outputs are those expected, else why not."""
    import ctypes
    types = {name: TYPES[kind] for kind, name in re.findall(r"typedef (\w+) n\d+_(\w+);", header)}
    macro = dict(re.findall(r"#define N\d+_(\w+) (\d+)", header))
    given = [np.ascontiguousarray(np.asarray(v).astype(types[f"input{i}"])) for i, v in enumerate(inputs)]
    made = [np.zeros(int(macro[f"OUTPUT{i}_COUNT"]) + 64, types[f"output{i}"]) for i in range(len(outputs))]
    scratch = np.zeros(int(macro["SCRATCH_BYTES"]) + 128, np.uint8)
    at = (scratch.ctypes.data + 63) // 64 * 64
    pointers = [ctypes.c_void_p(a.ctypes.data) for a in given + made] + [ctypes.c_void_p(at)]
    getattr(library, f"n{number}_run")(*pointers)
    for got, want in zip(made, outputs):
        want = np.asarray(want)
        if got.size - 64 != want.size:
            return "the number of elements differs"
        got = got[:want.size].reshape(want.shape)
        if want.dtype.kind == "f" or want.dtype.name == "bfloat16":
            if not np.allclose(got.astype(np.float64), want.astype(np.float64), rtol=1e-3, atol=1e-6, equal_nan=True):
                return f"outputs differ: {got.flatten()[:4]} for {want.flatten()[:4]}"
        elif not np.array_equal(got.astype(np.int64), want.astype(np.int64)):
            return f"outputs differ: {got.flatten()[:4]} for {want.flatten()[:4]}"
    return None


def run_piece(root, style):
    """In a process of its own: the cases of a piece, a line of JSON each."""
    import ctypes
    library = ctypes.CDLL(str(root / f"{style}.so"))
    for number in json.loads((root / "cases.json").read_text()):
        data = np.load(root / f"n{number}.npz", allow_pickle=False)
        inputs = [data[f"i{i}"] for i in range(len([k for k in data.files if k[0] == "i"]))]
        outputs = [data[f"o{i}"] for i in range(len([k for k in data.files if k[0] == "o"]))]
        header = (root / f"n{number}" / STYLES[style] / f"n{number}.h").read_text()
        print(json.dumps([number, call(library, number, header, inputs, outputs)]), flush=True)


def compile_piece(root, style, numbers):
    """None, or what the compiler says."""
    text = "".join(f'#include "n{n}/{STYLES[style]}/n{n}_weights.c"\n#include "n{n}/{STYLES[style]}/n{n}.c"\n' for n in numbers)
    (root / f"{style}.c").write_text(text)
    p = subprocess.run([*CC, *FLAGS, "-o", str(root / f"{style}.so"), str(root / f"{style}.c"), "-lm"], capture_output=True, text=True, check=False)
    return p.stderr.strip()[:3000] if p.returncode else None


def piece_results(root, style, numbers):
    """{number: None or why}: those that the compiler refuses are found one by one."""
    why = compile_piece(root, style, numbers)
    if why and len(numbers) > 1:
        half = len(numbers) // 2
        return {**piece_results(root, style, numbers[:half]), **piece_results(root, style, numbers[half:])}
    if why:
        return {numbers[0]: "does not compile: " + why}
    results, left = {}, list(numbers)
    while left:     # a case that ends the process counts as failed, the others go on
        (root / "cases.json").write_text(json.dumps(left))
        p = subprocess.run([sys.executable, __file__, "--piece", str(root), style], capture_output=True, text=True, check=False)
        for line in p.stdout.splitlines():
            number, why = json.loads(line)
            results[number] = why
        left = [n for n in left if n not in results]
        if left:
            results[left.pop(0)] = f"ended with status {p.returncode}: {p.stderr[-300:]}"
    return results


def as_array(value):
    array = numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else np.asarray(value)
    if array.dtype.name in ("int4", "uint4", "int2", "uint2"):
        return array.astype(np.int8 if array.dtype.name[0] == "i" else np.uint8)
    known = array.dtype.kind in "biu" or array.dtype.name in ("float32", "float64")
    return array if known else array.astype(np.float32)


def piece(cases, first):
    """{case name: {style: None or why}}"""
    verdicts = {}
    with tempfile.TemporaryDirectory(prefix="qcc-nodes-") as folder:
        root, emitted = Path(folder), {}
        written = emit(cases, first, root)
        for number, case in enumerate(cases, first):
            given, why = written[number]
            if given is None:
                verdicts[case.name] = dict.fromkeys(STYLES, why)
                continue
            emitted[number] = case.name
            inputs, outputs = case.data_sets[0]
            np.savez(root / f"n{number}.npz", **{f"i{k}": as_array(inputs[i]) for k, i in enumerate(given)},
                     **{f"o{k}": as_array(v) for k, v in enumerate(outputs)})
        for style in STYLES:
            results = piece_results(root, style, sorted(emitted)) if emitted else {}
            for number, name in emitted.items():
                verdicts.setdefault(name, {})[style] = results[number]
    return verdicts


def chosen_cases(pattern, quick):
    known = onnx_nodes.table()
    cases = [c for c in onnx_nodes.collect_testcases(None) if pattern in c.name]
    cases = [c for c in cases if onnx_nodes.operators(c) <= known and onnx_nodes.plain(c)]
    if quick:
        cases = cases[::7]
    passed = onnx_nodes.run(cases)
    return [c for c in cases if passed[c.name][0] == "pass"]


def operator_of(case):
    return case.model.graph.node[0].op_type if len(case.model.graph.node) == 1 else "(several)"


def main():
    options = {a for a in sys.argv[1:] if a.startswith("-")}
    pattern = next((a for a in sys.argv[1:] if not a.startswith("-")), "")
    cases = chosen_cases(pattern, not options)
    verdicts = {}
    with ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        for some in pool.map(lambda i: piece(cases[i:i + PIECE], i), range(0, len(cases), PIECE)):
            verdicts.update(some)
    rows = collections.defaultdict(list)
    for case in cases:
        rows[operator_of(case)].append(case.name)
    passes = {style: sum(verdicts[c.name][style] is None for c in cases) for style in STYLES}
    if "--table" in options:
        print("| operator | `qcc run` | reference | packed |\n| --- | ---: | ---: | ---: |")
        for name, of in sorted(rows.items()):
            print(f"| {name} | {len(of)} | " + " | ".join(str(sum(verdicts[c][s] is None for c in of)) for s in STYLES) + " |")
        print(f"| **all** | {len(cases)} | " + " | ".join(str(passes[s]) for s in STYLES) + " |")
        return 0
    if "-v" in options or not options:
        for case in cases:
            for style, why in verdicts[case.name].items():
                if why:
                    print(f"# {case.name} [{style}]: " + " ".join(why.split())[:700])
    for number, (style, count) in enumerate(passes.items(), 1):
        enough = pattern or count >= LEAST * len(cases)
        print(f"{'ok' if enough else 'not ok'} {number} - {style}: {count} of {len(cases)} cases that qcc run passes")
    print(f"1..{len(passes)}")
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--piece"]:
        run_piece(Path(sys.argv[2]), sys.argv[3])
    else:
        sys.exit(main())
