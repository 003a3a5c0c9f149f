#!/usr/bin/env python3
"""Names of a model never become code: every backend's files of networks with hostile names compile, and stay data.

Node, value, input and output names and names of files that end comments, splice lines, are keywords or headers, are no
UTF-8, or clash with each other as identifiers. C is compiled in each style with warnings as errors and run, HLS compiled
where its headers are, JSON parsed, DOT read by graphviz where it is there, run_hls.tcl and makefiles searched.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper
except ImportError:
    print("1..0 # SKIP no onnx")
    sys.exit(0)

SRC = Path(os.environ.get("QCC_SRC", Path(__file__).resolve().parents[2]))
QCC = os.environ.get("QCC", str(SRC / "build" / "qcc"))
STYLES = {"reference": "c", "packed": "c-packed", "tiny": "c-tiny"}
FLAGS = "-std=c11 -O0 -Wall -Wextra -Wconversion -pedantic -Werror"
CODE = "int injected = 1;"
NAMES = {
    "ends a comment": [f"*/ {CODE} /*", f"/* {CODE} */", "*/"],
    "splices lines": [f"*\\\n/ {CODE} /*", f"*??/\n/ {CODE} /*", "back\\"],
    "trigraphs": ["??/", "??=define x y", "????/"],
    "ends a string": [f'"; {CODE} //', '\\"', "\\"],
    "starts a directive": [f"\n{CODE}\n", f"\r{CODE}\r", "\n#error injected\n"],
    "control characters": ["\x01\x02\x1b[31m", "\x7f", "a\tb"],
    "no UTF-8": [b"\xff\xfe", b"\xc3", b"\xe2\x28\xa1"],
    "writes backwards": ["\u202e; }", "\u2066", "\u2028" + CODE],
    "formats": ["%s%s%s%n", "%1$s", "{}"],
    "shells and makefiles": ["$(shell touch injected)", "`touch injected`", "[exec touch injected]"],
    "keywords": ["int", "class", "default"],
    "macros and headers": ["NULL", "INT8_MAX", "stdin"],
    "entries": ["run", "run_batch", "load"],
    "names of the design": ["in0", "s0", "network"],
    "names that are made of names": ["a", "a_w", "a_weights"],
    "equal as identifiers": ["a.b", "a_b", "a/b"],
    "digits and nothing": ["9", "", "0x"],
    "long": ["n" * 3000, "n" * 3001, "/" * 500],
}
FILES = ["main", "tiny", "kernels", "stdio", "math", "string", "stdint", "int", "check", "clean", "Makefile", "qcc", "__x", "9", "immintrin",
         "a b", "m\u00fcll", "x" * 120]


def place(i):
    """What stands for name i until the model is bytes; unique, and as long as what comes in its place."""
    return f"@NAME{i}@"


def network(integers):
    """x -> MatMul -> activation -> MatMul -> y: nodes have names 0..2, three values the same with a space behind."""
    rng = np.random.default_rng(1)
    a, b = rng.integers(-3, 4, (8, 6)).astype(np.float32), rng.integers(-3, 4, (6, 5)).astype(np.float32)
    q = [numpy_helper.from_array(np.array(v, np.float32), n) for n, v in (("one", 1), ("half", 0.5), ("nought", 0), ("four", 4))]
    quant = lambda n, x, y, s: helper.make_node("Quant", [x, s, "nought", "four"], [y], n, domain="qonnx.custom_op.general",
                                                narrow=0, signed=1, rounding_mode="ROUND")
    names, values = [place(i) for i in range(3)], [place(i) for i in range(3, 6)]
    if integers:
        nodes = [quant("q0", values[0], "xq", "one"), helper.make_node("MatMul", ["xq", "wa"], [values[1]], names[0]),
                 quant(names[1], values[1], "t", "half"), helper.make_node("MatMul", ["t", "wb"], [values[2]], names[2])]
    else:
        nodes = [helper.make_node("MatMul", [values[0], "wa"], [values[1]], names[0]),
                 helper.make_node("Relu", [values[1]], ["t"], names[1]),
                 helper.make_node("MatMul", ["t", "wb"], [values[2]], names[2])]
    graph = helper.make_graph(nodes, "net", [helper.make_tensor_value_info(values[0], TensorProto.FLOAT, [1, 8])],
                              [helper.make_tensor_value_info(values[2], TensorProto.FLOAT, [1, 5])],
                              [numpy_helper.from_array(a, "wa"), numpy_helper.from_array(b, "wb"), *q])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13), helper.make_opsetid("qonnx.custom_op.general", 1)],
                             ir_version=8)


def varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def renamed(message, names):
    """The message's bytes with the names in place of what stands for them; strings may be no UTF-8, as in files of others."""
    out = b""
    for field, value in message.ListFields():
        values = value if field.is_repeated else [value]
        for v in values:
            if field.type == field.TYPE_MESSAGE:
                body = renamed(v, names)
            elif field.type == field.TYPE_STRING:
                body = next((n for i, n in enumerate(names) if v == place(i)), v.encode())
            elif field.type == field.TYPE_BYTES:
                body = v
            elif field.type == field.TYPE_FLOAT:
                out += varint(field.number << 3 | 5) + np.float32(v).tobytes()
                continue
            else:
                out += varint(field.number << 3) + varint(v & (1 << 64) - 1)
                continue
            out += varint(field.number << 3 | 2) + varint(len(body)) + body
    return out


def model_bytes(integers, names):
    names = [n if isinstance(n, bytes) else n.encode() for n in names]
    return renamed(network(integers), [*names, *(n + b" " for n in names)])


def run(command, **more):
    p = subprocess.run([str(c) for c in command], capture_output=True, **more)
    if p.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))[:200]}: {(p.stderr or p.stdout).decode(errors='replace')[:1500]}")
    return p.stdout


def run_c(folder):
    """What make builds from the folder defines nothing that a name says, and gives zeros for zeros."""
    run(["make", "-s", "-C", folder, f"CFLAGS={FLAGS}"])
    for f in folder.glob("*.o"):
        if any(line.split()[-1] == b"injected" for line in run(["nm", f]).splitlines()):
            raise RuntimeError(f"{f.name} defines what a name says")
    program, = [f for f in folder.iterdir() if f.is_file() and os.access(f, os.X_OK)]
    np.save(folder / "x.npy", np.zeros((1, 8), np.float32))
    run([program, folder / "x.npy", folder / "y.npy"])
    if np.load(folder / "y.npy").any():
        raise RuntimeError("zeros do not give zeros")


def check_json(folder):
    for f in folder.rglob("*.json"):
        json.loads(f.read_bytes().decode("utf-8"))


def hls_headers():
    try:
        import importlib.util
        spec = importlib.util.find_spec("hls4ml")
        where = Path(spec.submodule_search_locations[0]) / "templates/vivado/ap_types" if spec else None
        return where if where and (where / "ap_int.h").exists() else None
    except (ImportError, ValueError):
        return None


def names_in_c(where, names):
    (where / "net.onnx").write_bytes(model_bytes(False, names))
    run([QCC, "net.onnx", "-q", "-p", "infer", "-b", "c(reference,packed,tiny),dot", "-o", "out"], cwd=where)
    for folder in STYLES.values():
        run_c(where / "out" / folder)


def names_in_the_rest(where, names):
    (where / "net.onnx").write_bytes(model_bytes(True, names))
    run([QCC, "net.onnx", "-q", "-p", "streamline,fold", "-b", "c(packed),hls,finn,dot", "-o", "out"], cwd=where)
    run_c(where / "out/c")
    check_json(where / "out")
    onnx.load(where / "out/model.finn.onnx") if all(isinstance(n, str) for n in names) else None
    for dot in (where / "out/dot").glob("*.dot") if shutil.which("dot") else []:
        run(["dot", "-Tsvg", "-o", dot.with_suffix(".svg"), dot])
    headers, folder = hls_headers(), where / "out/hls"
    for text in ("run_hls.tcl", "Makefile"):
        if b"injected" in (folder / text).read_bytes():
            raise RuntimeError(f"a name is in {text}")
    run(["gcc", "-std=c99", "-c", "-o", folder / "host.o", folder / "host.c", f"-I{folder}"])
    if headers and shutil.which("g++"):
        run(["g++", "-std=c++14", "-Wno-unknown-pragmas", f"-I{folder}", f"-I{folder}/sim", f"-I{headers}", "-c", "-o",
             folder / "top.o", folder / "top.cpp"])


def file_name(where, name):
    (where / f"{name}.onnx").write_bytes(model_bytes(True, ["x", "m", "y"]))
    for i, options in enumerate(["", "(packed,dispatch,testbench)"] if name in ("main", "stdio") else [""]):
        run([QCC, f"{name}.onnx", "-q", "-p", "streamline", "-b", f"c{options}", "-o", f"out{i}"], cwd=where)
        run_c(where / f"out{i}/c")


def main():
    cases = [(f"{k}: C", names_in_c, v) for k, v in NAMES.items()] + [(f"{k}: the rest", names_in_the_rest, v) for k, v in NAMES.items()]
    cases += [(f"a file named {f[:20]}.onnx", file_name, f) for f in FILES]
    for count, (title, test, argument) in enumerate(cases, 1):
        with tempfile.TemporaryDirectory(prefix="qcc-names-") as folder:
            try:
                test(Path(folder), argument)
                error = None
                if any("injected" in f for _, _, files in os.walk(folder) for f in files):
                    error = "a name was executed"
            except (RuntimeError, OSError, ValueError) as e:
                error = str(e)
        print(f"{'not ok' if error else 'ok'} {count} - {title}", flush=True)
        for line in (error or "").splitlines():
            print("#", line)
    print(f"1..{len(cases)}")


if __name__ == "__main__":
    main()
