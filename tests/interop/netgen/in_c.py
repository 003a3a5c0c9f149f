"""A network as C in every style, in one program: one compilation a network."""

import os
import shutil
from collections import namedtuple
from pathlib import Path

import numpy as np

from .check import run

CC = os.environ.get("CC", "cc").split()
WARNINGS = "-std=c11 -Wall -Wextra -Werror".split()
STYLES = ["reference", "packed", "tiny"]
Build = namedtuple("Build", "name command styles")
BUILDS = {
    0: Build("cc with sanitizers", [*CC, *WARNINGS, *"-O1 -fsanitize=undefined -fno-sanitize-recover=undefined".split()], STYLES),
    1: Build("cc for this machine", [*CC, *WARNINGS, *"-O3 -march=native".split()], STYLES),
}
QUICK = Build("tcc", ["tcc"], ["reference", "tiny"]) if shutil.which("tcc") else Build("cc", [*CC, *WARNINGS, "-O0"], STYLES)

PROGRAM = """\
/* Runs the network in each style: samples are read from the first file; for each style, outputs go to the second, as double. */
#include <stdio.h>
%(include)s
static float x[%(inputs)d];
static long long scratch[%(scratch)s];

int main(int argc, char **argv)
{
	FILE *out = fopen(argv[argc - 1], "wb");
%(calls)s
	return !out || fclose(out);
}
"""

# A style's input and output have types of their own; the converted sample lies in an array of exactly its length.
CALLS = """\
	FILE *in_%(s)s = fopen(argv[1], "rb");
	while (fread(x, sizeof *x, %(S)s_INPUT0_COUNT, in_%(s)s) == %(S)s_INPUT0_COUNT) {
		static %(s)s_input0 in[%(S)s_INPUT0_COUNT];
		static %(s)s_output0 result[%(S)s_OUTPUT0_COUNT];
		for (int i = 0; i < %(S)s_INPUT0_COUNT; i++)
			in[i] = (%(s)s_input0)x[i];
		%(s)s_run(in, result, (char *)scratch + (%(S)s_SCRATCH_ALIGN - (size_t)scratch %% %(S)s_SCRATCH_ALIGN) %% %(S)s_SCRATCH_ALIGN);
		for (int i = 0; i < %(S)s_OUTPUT0_COUNT; i++) {
			double wide = (double)result[i];
			fwrite(&wide, sizeof wide, 1, out);
		}
	}
	fclose(in_%(s)s);
"""


def emit(qcc, model, passes, folder, styles):
    """C of each style, with names of its own; None, or what qcc said."""
    for style in styles:
        code, text = run([qcc, str(model), "-q", "-p", passes, "-b", f"c({style},name={style})", "-o", str(folder / style)])
        if code:
            return f"C in style {style}, {passes}: status {code}: {text}"
    return None


def program(folder, styles, inputs):
    includes, calls, scratch = [], [], []
    for style in styles:
        where = folder / style / "c"
        includes += [f'#include "{where / style}.c"', f'#include "{where / style}_weights.c"', "#undef ALIGNED"]
        calls.append(CALLS % {"s": style, "S": style.upper()})
        scratch.append(f"{style.upper()}_SCRATCH_BYTES + {style.upper()}_SCRATCH_ALIGN")
    return PROGRAM % {"include": "\n".join(includes), "inputs": inputs, "scratch": "(" + " + ".join(scratch) + ") / 8 + 1",
                      "calls": "".join(calls)}


def outputs(folder, x, build):
    """({style: outputs of all samples}, None), or (None, what failed)."""
    source, binary = folder / "program.c", folder / "program"
    source.write_text(program(folder, build.styles, x[0].size))
    np.concatenate([np.ravel(one) for one in x]).astype(np.float32).tofile(folder / "x.bin")
    code, text = run([*build.command, "-o", str(binary), str(source), "-lm"])
    if code:
        return None, f"C does not build: {text}"
    code, text = run([str(binary), str(folder / "x.bin"), str(folder / "y.bin")])
    if code:
        return None, f"C fails with status {code}: {text}"
    parts = np.split(np.fromfile(folder / "y.bin"), len(build.styles))
    return dict(zip(build.styles, parts)), None


def check(qcc, folder, passes, x, want, build):
    """None or how the C of folder/model.onnx, built in that way, differs; and whether the backend refuses it."""
    target = Path(folder) / "in_c"
    shutil.rmtree(target, ignore_errors=True)
    wrong = emit(qcc, Path(folder) / "model.onnx", passes, target, build.styles)
    if wrong and "no form for" in wrong:
        return None, True
    got, wrong = ({}, wrong) if wrong else outputs(target, x, build)
    if wrong:
        return f"{passes}, {build.name}: {wrong}", False
    for style, values in got.items():
        if not np.array_equal(values, want.astype(np.float64).ravel()):
            off = np.abs(values - want.ravel())
            return (f"{passes}, {build.name}: C in style {style}: {int((off > 0).sum())} of {off.size} differ, "
                    f"by up to {off.max():g}"), False
    return None, False
