"""Data and training: these run the program qcc, which the wheel holds beside the library, as processes of their own."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from .errors import Error, Warning, log, raise_all, warn
from .library import NATIVE
from .model import Model, load

PathLike = Union[str, os.PathLike]
Data = Union[PathLike, "Encoded", Tuple[Any, Any]]
_MESSAGE = re.compile(r"qcc: (?:(?P<file>.*?): )?(?P<severity>note|warning|error): (?:node '(?P<node>.*?)' \((?P<op>\w*)\)(?:, |: ))?"
                      r"(?:pass (?P<pass_name>[\w-]+): )?(?P<cause>.*?)(?:; (?P<remedy>.*))?$")


class Encoded(NamedTuple):
    """Rows of bits (uint8, 0 and 1), their labels (None where there are none), and the encoding, which fits other rows."""

    bits: np.ndarray
    label: Optional[np.ndarray]
    encoding: Dict[str, Any]


class Training(Dict[str, Any]):
    """What `qcc train` tells at the end (`val_accuracy`, `best_epoch`, `luts_estimated`, `test`, ...), with the trained
    network as `model` and a dictionary for each epoch in `history`."""

    model: Model
    history: List[Dict[str, float]]


def _program() -> str:
    inside = NATIVE / "qcc"
    found = os.environ.get("QCC_PROGRAM") or (str(inside) if inside.exists() else shutil.which("qcc"))
    if not found:
        raise Error("the program qcc is not installed", remedy="install the package from the folder python/ of qcc's "
                    "sources, or set QCC_PROGRAM")
    return found


def _arguments(options: Mapping[str, Any]) -> List[str]:
    """max_memory="1G", strict=True: --max-memory 1G --strict"""
    words: List[str] = []
    for name, value in options.items():
        if value is None or value is False:
            continue
        words.append("--" + name.replace("_", "-"))
        if value is not True:
            words[-1] += "=" + (",".join(map(str, value)) if isinstance(value, (list, tuple)) else
                                os.fspath(value) if isinstance(value, os.PathLike) else str(value))
    return words


def _listen(lines, progress: Optional[Callable[[str], Any]]) -> Tuple[List[Error], str]:
    """Messages from standard error. Errors are returned, and the last line."""
    errors, line = [], ""
    for line in lines:
        line = line.rstrip("\n")
        told = _MESSAGE.match(line)
        if told is None:
            if progress is not None:
                progress(line)
            log.info("%s", line)
            continue
        parts = told.groupdict()
        severity = parts.pop("severity")
        if severity == "error":
            errors.append(Error(**parts))
        elif severity == "warning":
            warn(Warning(**parts))
        else:
            log.info("%s", line)
    return errors, line


def _call(command: str, words: Sequence[str], progress: Optional[Callable[[str], Any]] = None) -> str:
    """Runs `qcc COMMAND`; its standard output. Ctrl-C, and what progress raises, interrupts it as Ctrl-C would and is raised
    when it has ended."""
    line = [_program(), command, *words]
    with tempfile.TemporaryFile("w+") as out:
        try:
            process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE, text=True,
                                       errors="surrogateescape")
        except OSError as e:
            raise Error(f"cannot run {line[0]}: {e.strerror}") from e
        with process:
            try:
                errors, last = _listen(process.stderr, progress)
            except BaseException:
                process.send_signal(signal.SIGINT)
                process.stderr.read()
                process.wait()
                raise
        if process.returncode != 0:
            raise_all(errors or [Error(last or f"qcc {command} ended with status {process.returncode}")])
        out.seek(0)
        return out.read()


def _data(data: Data, folder: Path, name: str) -> str:
    """A file with these rows and labels."""
    if isinstance(data, (str, os.PathLike)):
        return os.fspath(data)
    rows, label = np.asarray(data[0]), data[1]
    arrays = {"x" if rows.dtype.kind == "f" else "bits": rows}
    if rows.dtype == np.float64:
        arrays = {"x": rows.astype(np.float32)}
    elif rows.dtype.kind != "f":
        arrays = {"bits": rows.astype(np.uint8)}
        if not np.array_equal(arrays["bits"], rows):
            raise Error("rows of integers have elements beyond 0 to 255", remedy="give them as floats")
    if label is not None:
        arrays["label"] = np.asarray(label)
    path = folder / f"{name}.npz"
    np.savez(path, **arrays)
    return str(path)


def _tables(tables: Any, folder: Path) -> List[str]:
    """Files with these tables; pandas DataFrames are written."""
    paths = []
    for i, table in enumerate(tables if isinstance(tables, (list, tuple)) else [tables]):
        if hasattr(table, "to_csv"):
            path = folder / f"table{i}.csv"
            table.to_csv(path, index=False)
            table = path
        paths.append(os.fspath(table))
    return paths


def encode(tables: Any, encoding: Union[PathLike, Mapping[str, Any], None] = None, **options: Any) -> Encoded:
    """Encodes rows of tables (a CSV file, a pandas DataFrame, or a list of these) as bits and labels.

    encoding says how columns become bits: a JSON file or what `Encoded.encoding` was for other rows; None finds it from
    these rows. Keyword arguments are the options of `qcc encode` with underscores: label="class", ignore=["id"], strict=True,
    threads=2."""
    with tempfile.TemporaryDirectory(prefix="qcc-") as name:
        folder = Path(name)
        spec = folder / "encoding.json"
        if isinstance(encoding, Mapping):
            spec.write_text(json.dumps(encoding))
        elif encoding is not None:
            spec = Path(encoding)
        words = [*_tables(tables, folder), "--fit" if encoding is None else "--spec", str(spec), "-o", str(folder / "out.npz")]
        _call("encode", words + _arguments(options))
        with np.load(folder / "out.npz") as arrays:
            bits, label = arrays["bits"], arrays["label"] if "label" in arrays.files else None
        return Encoded(bits, label, json.loads(spec.read_text()))


def _number(field: str) -> Any:
    try:
        return float(field)
    except ValueError:
        return field


def train(arch: str, data: Data, output: Optional[PathLike] = None, *, val: Union[float, Data, None] = None,
          test: Optional[Data] = None, progress: Optional[Callable[[str], Any]] = None, **options: Any) -> Training:
    """Trains a quantised network: arch as `qcc train --arch` has it ("mlp(593,64,64,1)"), data a .npz file, a pair of rows and
    labels, or what `encode` returned. val is a share of the rows or rows of their own; test rows are judged once at the end.

    The network goes to output, with history and checkpoint in a folder beside it; without output it is in the result alone.
    Keyword arguments are the options of `qcc train` with underscores: weights=2, acts=2, epochs=10, batch=1000, lr=1e-3,
    fan_in=8, lut_budget=5000, seed=1. progress is called with a line of text for each epoch."""
    with tempfile.TemporaryDirectory(prefix="qcc-") as name:
        folder = Path(name)
        path = Path(output) if output is not None else folder / "net.onnx"
        told = Path(options.get("log") or path.with_suffix(".train"))
        words = ["--arch", arch, "--data", _data(data, folder, "data"), "-o", str(path)]
        if val is not None:
            words += ["--val", str(val) if isinstance(val, (int, float)) else _data(val, folder, "val")]
        if test is not None:
            words += ["--test", _data(test, folder, "test")]
        result = Training(json.loads(_call("train", words + _arguments(options), progress).splitlines()[-1]))
        result.model = load(path)
        if output is None:
            del result["model"]  # the file's name, which goes
        with open(told / "history.csv", newline="", encoding="utf-8") as f:
            result.history = [{key: _number(field) for key, field in row.items()} for row in csv.DictReader(f)]
        return result


def evaluate(model: Union[Model, PathLike], data: Data, *, all_forms: bool = False, **options: Any) -> Dict[str, Any]:
    """How well a network decides about rows with labels: accuracy, precision, recall, f1, auc, confusion. With all_forms a
    dictionary of these for the network as it is, streamlined, and as generated C. Keyword arguments are the options of
    `qcc eval`."""
    with tempfile.TemporaryDirectory(prefix="qcc-") as name:
        folder = Path(name)
        path = model.save(folder / "net.onnx") if isinstance(model, Model) else Path(model)
        words = [str(path), _data(data, folder, "data"), "--json", *(["--all"] if all_forms else [])]
        forms = json.loads(_call("eval", words + _arguments(options)))
        return forms if all_forms else forms["original"]
