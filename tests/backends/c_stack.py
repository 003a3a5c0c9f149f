#!/usr/bin/env python3
"""stack_bytes of the report against gcc -fstack-usage: not less than any function takes, and not many times more.

Plain loops are compared at -O2, the packed style at -O3 for SSE2, AVX2 and this machine: its estimate is for whichever
takes most. Functions are kept apart so that each has a figure; then the network as it is compiled as a rule, where
all layers are part of NAME_run.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SRC = Path(os.environ.get("QCC_SRC", Path(__file__).resolve().parents[2]))
SHARED = Path(os.environ.get("QCC_SHARED", SRC.parent / "shared"))
QCC = os.environ.get("QCC", str(SRC / "build" / "qcc"))
APART = ["-fno-inline-functions-called-once", "-fno-inline-small-functions", "-fno-inline-functions", "-fno-ipa-cp"]
FLAGS = {"reference": [["-O2"]], "tiny": [["-O2"]], "packed": [["-O3"], ["-O3", "-mavx2", "-mfma"], ["-O3", "-march=native"]]}
FOLDER = {"reference": "c", "packed": "c-packed", "tiny": "c-tiny"}
NETWORKS = ["tfc_2w2a", "cnv_2w2a_legacy", "mobilenet_mini_w4a4", "resnet_mini_w3a3", "qkeras_jettagging", "concat_w4a2"]
TIMES, MORE = 4, 512		# an estimate may be so many times what is measured, and that many bytes


def usage(folder, flags):
    """Bytes of each function."""
    subprocess.run(["gcc", "-std=c11", "-DQCC_TARGETS=0", *flags, "-fstack-usage", f"-I{folder}", "-c", folder / "model.c", "-o", "model.o"], check=True)
    lines = [line.split("\t") for line in Path("model.su").read_text().splitlines()]
    return {a[0].split(":")[-1]: int(a[1]) for a in lines}


def layers_of(folder, style, flags, said):
    """(layer, estimate, measured) of the layers that have a function; kernels that tiny's layers share are added up."""
    most = {}
    for f in flags:
        for name, n in usage(folder, [*f, *APART]).items():
            most[name] = max(n, most.get(name, 0))
    shared = sum(n for name, n in most.items() if name.startswith("qcc_tiny"))
    for l in said["layers"]:
        name = "model_" + "".join(c if c.isalnum() else "_" for c in l["name"])
        if name in most or (style == "tiny" and l["kernel"] == "tiny"):
            yield l["name"], l["stack_bytes"], most.get(name, shared)


def compare(style, said):
    folder, bad = Path("out") / FOLDER[style], []
    n = 0
    for name, estimate, measured in layers_of(folder, style, FLAGS[style], said):
        n += 1
        if not measured <= estimate <= TIMES * measured + MORE:
            bad.append(f"{name}: estimated {estimate}, measured {measured}")
    run = max(usage(folder, f)["model_run"] for f in FLAGS[style])
    if run > said["stack_bytes"]:
        bad.append(f"model_run: estimated {said['stack_bytes']}, measured {run}")
    if not n:
        bad.append("no layer has a function of its own")
    return bad


def main():
    if not shutil.which("gcc") or os.uname().machine != "x86_64":
        print("1..0 # SKIP no gcc for x86-64")
        return
    if not (SHARED / "models").is_dir():
        print("1..0 # SKIP no networks of ../shared/models")
        return
    n = 0
    os.chdir(tempfile.mkdtemp(prefix="qcc-stack-"))
    for network in NETWORKS:
        subprocess.run([QCC, SHARED / "models" / network / "model.onnx", "-q", "-p", "streamline", "-b", "c(reference,packed,tiny)",
                        "-o", "out"], check=True)
        report = json.loads(Path("out/report.json").read_text())
        for style, said in report["backends"]["c"].items() if "backends" in report else report["c"].items():
            n += 1
            bad = compare(style, said)
            print(f"{'not ok' if bad else 'ok'} {n} - {network}: {style}", flush=True)
            for line in bad:
                print("#", line)
    print(f"1..{n}")


if __name__ == "__main__":
    sys.exit(main())
