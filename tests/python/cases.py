#!/usr/bin/env python3
"""Uses the installed package, in a folder with model.onnx, input.npy and flows.csv: a case each, in the TAP protocol.

    cases.py CASES-BEFORE
"""

import contextlib
import importlib.util
import io
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import traceback
import types
import warnings
from pathlib import Path

import numpy as np

import qcc

SRC = Path(os.environ["QCC_SRC"])
SHARED = Path(os.environ["QCC_SHARED"])
CASES = []


def case(needs=(), file=None):
    """A case by the function's docstring; skipped where a Python package or a file in ../shared is missing."""

    def add(function):
        CASES.append((function, needs, file))
        return function

    return add


def refused(function, *args, **options):
    """The qcc.Error that the call raises."""
    try:
        function(*args, **options)
    except qcc.Error as e:
        return e
    raise AssertionError("no qcc.Error")


def compiled_model(passes="set-datatype(input=BINARY),streamline"):
    return qcc.load("model.onnx").run(passes)


X = np.load("input.npy")
BUILT = subprocess.run([os.environ["QCC"], "--version"], capture_output=True, text=True, check=True).stdout


@case()
def ten_lines():
    """from a file to a compiled C function"""
    m = qcc.load("model.onnx")
    m.run("set-datatype(input=BINARY),streamline,fold", target_fps=1e6)
    y = m(X)
    assert m.verify(X)
    f = qcc.compile_c(m)
    assert np.array_equal(f(X), y)
    assert (m.emit("c", "out") / "c" / "model.h").exists()
    assert m.report["totals"]["folding"]["fps"] >= 1e6


@case(file="models/cybsec-mlp")
def cybsec():
    """the same on cybsec-mlp"""
    path = next((SHARED / "models/cybsec-mlp").glob("*.onnx"))
    m = qcc.load(path)
    x = np.where(np.random.default_rng(1).random((32, *m.inputs[0].shape[1:])) < 0.5, -1, 1).astype(np.float32)
    y = m(x)
    m.run("streamline,fold", target_fps=1e6)
    assert m.verify(x)
    assert np.allclose(qcc.compile_c(m)(x), y)


@case()
def like_the_command():
    """executes as qcc run does, before and after passes"""
    m = qcc.load("model.onnx")
    for path in ("model.onnx", "streamlined.onnx"):
        subprocess.run([os.environ["QCC"], "run", path, "input.npy", "-q", "-o", "command.npy"], check=True)
        assert np.array_equal(m(X), np.load("command.npy"))
        assert np.array_equal(m(input=X), np.load("command.npy"))
        m.run("streamline").save("streamlined.onnx")


@case()
def every_style():
    """compiles every style of C; several threads use one function"""
    m = compiled_model()
    y = m(X)
    for style in ("reference", "packed", "tiny"):
        f = qcc.compile_c(m, style, cflags="-O1")
        results = [None] * 4
        threads = [threading.Thread(target=lambda i=i, f=f, r=results: r.__setitem__(i, f(X))) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(np.array_equal(r, y) for r in results), style
    assert "(64, 5)" in str(refused(f, X[:, :5]))
    assert "uint8" in str(refused(f, X + 0.5))
    assert "CC" in refused(qcc.compile_c, m, cc="no-such-compiler").remedy
    assert "no-such" in str(refused(qcc.compile_c, m, cflags="--no-such-option"))


@case()
def images():
    """a convolutional network, one array of images"""
    folder = SRC / "models/cnn_4w4a"
    m, x = qcc.load(folder / "model.onnx"), np.load(folder / "input.npy")
    assert m.run("streamline").verify(x).samples == len(x)
    assert np.allclose(qcc.compile_c(m)(x), np.load(folder / "output.npy"), atol=1e-5)


@case()
def from_bytes():
    """reads bytes"""
    raw = Path("model.onnx").read_bytes()
    assert np.array_equal(qcc.load(raw)(X), qcc.load("model.onnx")(X))
    assert refused(qcc.load, b"nonsense", name="mine.onnx").file == "mine.onnx"


@case(needs=["onnx"])
def from_proto():
    """reads an onnx.ModelProto"""
    import onnx

    assert qcc.load(onnx.load("model.onnx")).count() == qcc.load("model.onnx").count()


@case()
def errors():
    """errors tell file, node, cause and remedy, and leave the model as it was"""
    e = refused(qcc.load, "missing.onnx")
    assert (e.file, e.node, e.cause) == ("missing.onnx", None, "cannot open: No such file or directory")
    m = qcc.load("model.onnx")
    e = refused(m.run, "stremline")
    assert "did you mean 'streamline'?" in e.remedy and str(e).startswith("model.onnx: there is no pass 'stremline'; ")
    before = [n.name for n in m.nodes]
    refused(m.run, "streamline,fold", target_fps=1e15)
    assert [n.name for n in m.nodes] == before
    assert "'colour'" in refused(m.run, "cleanup", colour=3).cause
    assert "[64,5]" in refused(m, X[:, :5]).cause
    assert "'nosuch'" in refused(m, nosuch=X).cause
    assert "1 inputs" in refused(m, X, X).cause
    assert "type" in refused(m, np.array(["a"])).cause
    assert m.run("streamline").verify(X)


@case()
def node_of_error():
    """an error of a node names it and its operator"""
    text = '<ir_version: 10, opset_import: ["" : 20]> g (float[1,2] x) => (float[1,2] y) { [here] y = NoSuch(x) }'
    m = qcc.load(text.encode(), name="bad.onnxtxt")
    e = refused(m, np.zeros((1, 2), np.float32))
    assert (e.node, e.op, e.file) == ("here", "NoSuch", "bad.onnxtxt"), vars(e)


@case()
def warned():
    """warnings are Python's, told where the package was called; as errors they are raised"""
    m = qcc.load("model.onnx")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        m.run("streamline")
    assert any(isinstance(w.message, qcc.Warning) and w.message.remedy is None or w.message.node for w in told)
    assert told and all(w.filename == __file__ for w in told)
    with warnings.catch_warnings():
        warnings.simplefilter("error", qcc.Warning)
        try:
            qcc.load("model.onnx").run("streamline")
        except qcc.Warning as w:
            assert w.op == "MatMul"
        else:
            raise AssertionError("not raised")


@case()
def several_models():
    """several models in several threads"""
    y, wrong = compiled_model()(X), []

    def work():
        for _ in range(3):
            if not np.array_equal(compiled_model()(X), y):
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@case()
def one_model():
    """one model in several threads: calls wait for each other"""
    m, results = compiled_model(), []
    threads = [threading.Thread(target=lambda: results.append(m(X))) for _ in range(4)]
    threads.append(threading.Thread(target=lambda: m.run("cleanup")))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4 and all(np.array_equal(r, results[0]) for r in results)


@case()
def lock_released():
    """other threads run while the library works"""
    m, ticks, done = qcc.load("model.onnx"), [], threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    start = time.perf_counter()
    m(np.tile(X, (800, 1)))
    end = time.perf_counter()
    done.set()
    thread.join()
    assert sum(start < t < end for t in ticks) > 1, (end - start, len(ticks))


@case()
def progress():
    """progress is told; what the callback raises ends the run and leaves the model as it was"""
    m, seen = qcc.load("model.onnx"), []
    m.run("cleanup", progress=lambda what, done: seen.append((what, done)))
    assert "cleanup" in [what for what, _ in seen] and all(0 <= done <= 1 for _, done in seen)

    def interrupt(what, _done):
        if what == "streamline":
            raise KeyboardInterrupt

    count = m.count()
    try:
        m.run("streamline", progress=interrupt)
    except KeyboardInterrupt:
        assert m.count() == count
    else:
        raise AssertionError("went on")


@case()
def cancelled():
    """cancel ends what runs in another thread"""
    m, started = qcc.load("model.onnx"), threading.Event()

    def wait(_what, _done):
        started.set()
        time.sleep(0.05)

    raised = []
    thread = threading.Thread(target=lambda: raised.append(refused(m.run, "cleanup,streamline", progress=wait)))
    thread.start()
    started.wait()
    m.cancel()
    thread.join()
    assert len(raised) == 1, raised


@case()
def looking():
    """nodes, values, inputs, outputs, constants"""
    m = qcc.load("model.onnx")
    (x,), (y,) = m.inputs, m.outputs
    assert (x.name, x.shape, x.dtype, x.producer) == ("input", (1, 593), np.float32, None) and y.name == "output"
    m = compiled_model()
    assert m.count("MatMul") == sum(n.op_type == "MatMul" for n in m.nodes) == 4
    constants = {v.name: v for v in m.values if v.constant is not None}
    product = next(n for n in m.nodes if n.op_type == "MatMul")
    weights = constants[product.inputs[1]]
    assert weights.datatype == "INT2" and weights.constant.shape == weights.shape and set(np.unique(weights.constant)) <= {-1, 0, 1}
    m.run("cleanup")
    assert "Model.values" in refused(lambda: weights.constant).remedy


@case()
def pictures():
    """DOT, ONNX's text, and in Jupyter a picture or the reason why there is none"""
    m = qcc.load("model.onnx")
    assert m.graph.dot().startswith("digraph") and "Gemm" in m.graph.text()
    shown = m._repr_html_()
    assert "model.onnx" in shown
    if "<svg" in shown:
        assert m.graph._repr_svg_() == m.graph.svg()
    else:
        assert "Graphviz" in shown, shown


@case()
def copies():
    """a clone goes its own way and is verified against the same network"""
    m = qcc.load("model.onnx")
    other = m.clone().run("streamline")
    assert m.count("Quant") == 7 and other.count("Quant") == 0 and other.verify(X)
    other.run("set-datatype(input=BINARY),insert-topk(k=1)")
    assert not other.verify(X, check=False) and "loaded" in refused(other.verify, X).cause


@case()
def proofs():
    """verification and certificates are in the report"""
    m = qcc.load("model.onnx").run("set-datatype(input=BINARY),streamline", verify=4, certify=True)
    assert m.report["verification"]["samples"] == 4 and all(c["points"] > 0 for c in m.report["certificates"])
    assert m.report["certificates"] and qcc.load("model.onnx").run("streamline").report["verification"] is None


@case()
def page():
    """the page of a network, with its stages where they were kept"""
    stages = lambda file: re.findall(r'^{"name":"([^"]*)"', file.read_text(), re.M)
    m = qcc.load("model.onnx", stages=True).run("set-datatype(input=BINARY),streamline")
    found = stages(m.page("page.html", samples=2))
    assert found[0] == "as read" and "streamline" in found, found
    assert stages(qcc.load("model.onnx").run("streamline").page("plain.html")) == ["result"]


@case(needs=["pandas"])
def frame():
    """the report as a DataFrame, and tables from one"""
    import pandas

    m = compiled_model()
    table = m.report.to_pandas()
    assert table["macs"].sum() == m.report["totals"]["macs"]
    rows = pandas.read_csv("flows.csv").head(50)
    assert len(qcc.encode(rows, ignore=["id", "attack_cat"]).bits) == 50


@case(needs=["+zip"])
def trains():
    """encodes, trains and evaluates"""
    rows = qcc.encode("flows.csv", ignore=["id", "attack_cat"])
    assert rows.bits.dtype == np.uint8 and rows.bits.shape == (600, len(rows.bits[0])) and set(rows.label) == {0, 1}
    again = qcc.encode(["flows.csv"], rows.encoding)
    assert np.array_equal(again.bits, rows.bits)
    lines = []
    result = qcc.train(f"mlp({rows.bits.shape[1]},16,1)", rows, epochs=8, batch=50, lr=0.01, val=0.2, progress=lines.append)
    assert len(result.history) == len(lines) == 8 and result["val_accuracy"] > 0.6
    assert qcc.evaluate(result.model, (rows.bits, rows.label))["accuracy"] > 0.6
    forms = qcc.evaluate(result.model, rows, all_forms=True)
    assert forms["generated_c"]["decided_otherwise"] == 0
    kept = qcc.train(f"mlp({rows.bits.shape[1]},8,1)", rows, "kept.onnx", epochs=1)
    assert kept["model"] == "kept.onnx" and kept.model.name == "kept.onnx" and Path("kept.train/history.csv").exists()


@case(needs=["+zip"])
def misused_program():
    """errors of encode, train and evaluate are qcc.Error too"""
    assert refused(qcc.encode, "missing.csv").file == "missing.csv"
    rows = (np.eye(4, dtype=np.uint8), [0, 1, 0, 1])
    assert "100 inputs" in refused(qcc.train, "mlp(100,4,1)", rows).cause
    assert "--epohcs" in str(refused(qcc.train, "mlp(4,4,1)", rows, epohcs=3))
    assert refused(qcc.evaluate, "missing.onnx", rows).file == "missing.onnx"
    assert "255" in refused(qcc.train, "mlp(4,4,1)", (np.full((4, 4), 300), [0, 1, 0, 1])).cause


@case()
def brevitas():
    """from_brevitas uses Brevitas' exporter, and says where it is missing"""

    class Module:
        training = True

        def eval(self):
            self.training = False

        def train(self, on):
            self.training = on

    if importlib.util.find_spec("brevitas") is None:
        assert "pip install brevitas" in refused(qcc.from_brevitas, Module(), (1, 593)).remedy

    def export_qonnx(module, args, export_path):
        assert args == (1, 593) and not module.training
        Path(export_path).write_bytes(Path("model.onnx").read_bytes())

    stand_ins = {name: types.ModuleType(name) for name in ("torch", "brevitas", "brevitas.export")}
    stand_ins["torch"].zeros = lambda shape: shape
    stand_ins["brevitas.export"].export_qonnx = export_qonnx
    before = {name: sys.modules.get(name) for name in stand_ins}
    sys.modules.update(stand_ins)
    try:
        module = Module()
        assert np.array_equal(qcc.from_brevitas(module, (1, 593))(X), qcc.load("model.onnx")(X)) and module.training
    finally:
        for name, old in before.items():
            if old is None:
                del sys.modules[name]
            else:
                sys.modules[name] = old


@case(needs=["optuna", "+zip"])
def tuned():
    """tune searches accuracy and LUTs, keeps the study, and goes on with it"""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    rows = qcc.encode("flows.csv", ignore=["id", "attack_cat"])
    few = dict(trials=2, layers=(1, 2), widths=(4, 8), fan_in=(None,), epochs=(2, 3), batch=50, seed=1,
               storage="sqlite:///study.db", folder="tuned")
    qcc.tune(rows, **few)
    study = qcc.tune(rows, **few)
    assert len(study.trials) == 4 and study.best_trials
    for trial in study.trials:
        accuracy, luts = trial.values
        assert 0 <= accuracy <= 1 and luts > 0 and Path(f"tuned/trial-{trial.number}.onnx").exists()


@case(needs=["nbconvert", "ipykernel", "+zip"])
def notebook():
    """the notebook in examples/ runs"""
    folder = Path("notebook/examples")
    folder.mkdir(parents=True)
    (folder.parent / "models").symlink_to(SRC / "models")
    shutil.copy(SRC / "examples/cybersecurity.ipynb", folder)
    done = subprocess.run([sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--output", "done.ipynb",
                           str(folder / "cybersecurity.ipynb")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    cells = json.loads((folder / "done.ipynb").read_text())["cells"]
    shown = [out["data"] for cell in cells for out in cell.get("outputs", []) if "data" in out]
    assert any("&lt;qcc.Model" in "".join(data.get("text/html", "")) for data in shown)


def run_quietly(block, session):
    """What examples print must not pass for TAP."""
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(block, "docs/python.md", "exec"), session)


def documented():
    """The examples of docs/python.md in one session, a case each."""
    blocks = re.findall(r"^```python\n(.*?)^```", (SRC / "docs/python.md").read_text(encoding="utf-8"), re.M | re.S)
    blocks += re.findall(r"^```python\n(.*?)^```", (SRC / "README.md").read_text(encoding="utf-8"), re.M | re.S)
    session = {}
    for block in blocks:
        needs = [name for name in ("optuna", "brevitas", "pandas", "onnx") if re.search(rf"# needs .*\b{name}\b", block)]
        if re.search(r"\brows\b", block):
            needs.append("+zip")
        yield (lambda block=block: run_quietly(block, session)), block.splitlines()[0], needs


def missing(needs, file):
    for name in needs:
        if name.startswith("+"):
            if re.search(rf"without.* {name[1:]}", BUILT):
                return f"this qcc was built without {name[1:]}"
        elif importlib.util.find_spec(name) is None:
            return f"no {name}"
    return f"no {file} in ../shared" if file and not (SHARED / file).exists() else None


def main():
    number = int(sys.argv[1])
    warnings.filterwarnings("ignore", category=qcc.Warning, message=".*stays floating-point")
    rows = [(function, function.__doc__, needs, file) for function, needs, file in CASES]
    rows += [(function, f"documented: {name}", needs, None) for function, name, needs in documented()]
    for function, name, needs, file in rows:
        number += 1
        why = missing(needs, file)
        if why:
            print(f"ok {number} - {name} # SKIP {why}", flush=True)
            continue
        try:
            function()
            print(f"ok {number} - {name}", flush=True)
        except Exception:
            print(f"not ok {number} - {name}")
            print("".join(f"# {line}\n" for line in traceback.format_exc().splitlines()), end="", flush=True)
    print(f"1..{number}")


if __name__ == "__main__":
    main()
