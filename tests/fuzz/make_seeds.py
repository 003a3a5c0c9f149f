#!/usr/bin/env python3
"""Seeds for the fuzz targets: tests/fuzz/make_seeds.py FOLDER [BUILD], BUILD being where qcc and tests/fuzz/driver are.

FOLDER/models holds the project's own models, as they are and after each step of compilation, and the node tests of the onnx
package where it is installed, each with its inputs and, a second time, with all but the first of them as constants.
FOLDER/TARGET holds what the driver has for that target, and the project's own Lua scripts."""
import pathlib
import subprocess
import sys

SRC = pathlib.Path(__file__).resolve().parents[2]
LARGEST = 60000


def own_models(folder, qcc):
    for model in sorted((SRC / "models").glob("*/model.onnx")):
        for passes in ("", "cleanup", "streamline", "streamline,to-hw", "quant-to-qcdq"):
            out = folder / "work"
            name = f"{model.parent.name}-{passes.replace(',', '-') or 'plain'}.onnx"
            done = subprocess.run([qcc, str(model), "-p", passes, "-b", "finn", "-q", "-o", str(out)], capture_output=True)
            for written in out.rglob("*.onnx") if done.returncode == 0 else ():
                written.rename(folder / name)


def stored_inputs(onnx, numpy_helper, case):
    folder = pathlib.Path(case.model_dir) / "test_data_set_0"
    files = sorted(folder.glob("input_*.pb"), key=lambda p: int(p.stem[6:]))
    try:
        return [numpy_helper.to_array(onnx.TensorProto.FromString(f.read_bytes())) for f in files]
    except (TypeError, ValueError):
        return []


def node_tests(folder):
    try:
        import numpy
        import onnx
        from onnx import numpy_helper
        from onnx.backend.test.loader import load_model_tests
    except ImportError:
        print("the onnx package is missing: no node tests", file=sys.stderr)
        return
    for case in load_model_tests(kind="node"):
        model = case.model or onnx.load(pathlib.Path(case.model_dir) / "model.onnx")
        inputs = case.data_sets[0][0] if case.data_sets else stored_inputs(onnx, numpy_helper, case)
        if model.ByteSize() < LARGEST:
            (folder / f"{case.name}.onnx").write_bytes(model.SerializeToString())
        names = set()
        for value, data in list(zip(model.graph.input, inputs))[1:]:
            if isinstance(data, numpy.ndarray):
                model.graph.initializer.append(numpy_helper.from_array(data, value.name))
                names.add(value.name)
        if names and model.ByteSize() < LARGEST:
            rest = [v for v in model.graph.input if v.name not in names]
            del model.graph.input[:]
            model.graph.input.extend(rest)
            (folder / f"{case.name}-constant.onnx").write_bytes(model.SerializeToString())


def built_in(folder, driver):
    usage = subprocess.run([driver], capture_output=True, text=True).stderr
    for target in usage.split("targets:")[1].split():
        into = folder / ("models" if target in ("onnx", "chain", "passes") else target)
        into.mkdir(exist_ok=True)
        subprocess.run([driver, target, "seeds", str(into)], check=True, capture_output=True)


def own_scripts(folder):
    for script in (SRC / "scripts" / "flows").glob("*.lua"):
        (folder / "lua" / script.name).write_bytes(script.read_bytes())


def main():
    folder = pathlib.Path(sys.argv[1])
    build = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else SRC / "build").resolve()
    models = folder / "models"
    models.mkdir(parents=True, exist_ok=True)
    own_models(models, str(build / "qcc"))
    node_tests(models)
    built_in(folder, str(build / "tests" / "fuzz" / "driver"))
    own_scripts(folder)
    print(len(list(folder.rglob("*.*"))), "seeds")


main()
