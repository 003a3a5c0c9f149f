"""A network: load, compile, execute, look at, write."""

from __future__ import annotations

import ctypes
import html
import json
import os
import shutil
import tempfile
import threading
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from .errors import Error, Warning, log, raise_all, warn
from .graph import Graph, Node, Value, node_at, value_at
from .library import ERROR, TYPES, WARNING, Array, Message, Progress, array_of, lib, numpy_of, raw, text
from .report import Report

Arrays = Union[np.ndarray, Tuple[np.ndarray, ...]]


def version() -> str:
    """The compiler's version."""
    return text(lib.qcc_version())


class _Handle:
    """A struct qcc_model, freed when nothing refers to it."""

    def __init__(self, pointer: int):
        self.pointer = pointer
        weakref.finalize(self, lib.qcc_free, pointer)

    def messages(self) -> List[Message]:
        """What qcc said since the last time. Notes go to the log, warnings to Python's; the errors are returned."""
        errors, warnings, message, i = [], [], Message(), 0
        while lib.qcc_message(self.pointer, i, ctypes.byref(message)):
            told = {name: text(getattr(message, name)) for name in ("file", "node", "op", "pass_name", "cause", "remedy")}
            if message.severity == ERROR:
                errors.append(Error(**told))
            elif message.severity == WARNING:
                warnings.append(Warning(**told))
            else:
                log.info("%s", Warning(**told))
            i += 1
        everything = text(lib.qcc_messages(self.pointer))
        lib.qcc_clear_messages(self.pointer)
        for warning in warnings:
            try:
                warn(warning)
            except Warning:
                if not errors:  # the user's filter makes it an error, and there is none worse
                    raise
        return errors or ([Error("out of memory")] if "out of memory" in everything else [])


def _options(words: str, options: Mapping[str, Any]) -> str:
    """The list with keyword arguments as options of its last item: "a,b" and target_fps=1e6 give "a,b(target_fps=1e6)"."""
    given = []
    for name, value in options.items():
        if value is True:
            given.append(name)
        elif value is not None and value is not False:
            value = os.fspath(value) if isinstance(value, os.PathLike) else value
            given.append(f"{name}={value!r}" if isinstance(value, float) else f"{name}={value}")
    if not given:
        return words
    words = words.rstrip()
    if not words.endswith(")"):
        return f"{words}({','.join(given)})"
    inside = words[:-1].rstrip()
    return f"{inside}{'' if inside.endswith('(') else ','}{','.join(given)})"


@dataclass(frozen=True)
class Verification:
    """What `Model.verify` compared: rows, and the largest difference of an output element to the network as it was loaded.
    True where they are equal: integers exactly, others to rounding."""

    equal: bool
    samples: int
    max_difference: float

    def __bool__(self) -> bool:
        return self.equal


def _close(was: np.ndarray, now: np.ndarray) -> bool:
    """Equal: integers exactly, others to the rounding of float32 sums."""
    if was.shape != now.shape:
        return False
    if was.dtype.kind != "f" or (np.isfinite(was).all() and (was == np.rint(was)).all()):
        return np.array_equal(was, now)
    slack = 1e-6 * float(np.max(np.abs(was[np.isfinite(was)]), initial=0))
    return np.allclose(now.astype(np.float64), was.astype(np.float64), rtol=1e-5, atol=slack, equal_nan=True)


class Model:
    """A network. `load` makes one. Passes change it in place; `clone` makes a copy that goes its own way.

    Several threads may use it: calls on one model wait for each other, calls on several run at the same time."""

    def __init__(self, handle: _Handle, name: str):
        self.name = name
        self._handle = handle
        self._lock = threading.RLock()
        self._generation = 0
        errors = handle.messages()
        if errors:
            raise_all(errors)
        self._original = _Handle(lib.qcc_clone(handle.pointer))

    # ---- compiling

    def run(self, passes: str, *, verify: int = 0, certify: bool = False,
            progress: Optional[Callable[[str, float], Any]] = None, **options: Any) -> "Model":
        """Runs passes in order, as `qcc -p` does, and returns the model. Keyword arguments are options of the last pass:
        `m.run("streamline,fold", target_fps=1e6)`; those of others stand in the list: `"set-datatype(input=UINT8),streamline"`.

        verify=N executes the network before and after each pass on N generated samples and fails at the first pass that
        changes an output; certify compares generated thresholds with the operators that they replace. progress(what, done)
        is called before each pass, done from 0 to 1. After an error the model is as it was before."""
        with self._lock:
            before = _Handle(lib.qcc_clone(self._handle.pointer))
            lib.qcc_set_verify(self._handle.pointer, int(verify))
            lib.qcc_set_certify(self._handle.pointer, int(certify))
            self._generation += 1
            try:
                self._long(lambda: lib.qcc_run(self._handle.pointer, raw(_options(passes, options))), progress)
            except BaseException as e:
                if not isinstance(e, Warning):  # a warning that the user's filter made an error comes after success
                    self._handle = before
                raise
        return self

    def emit(self, backends: Optional[str] = None, folder: Union[str, os.PathLike] = "out", **options: Any) -> Path:
        """Writes through backends, as `qcc -b` does (None: all that the graph allows), below the folder, which is returned.
        Keyword arguments are options of the last backend: `m.emit("c", "out", packed=True)`."""
        if options and not backends:
            raise Error(f"option '{next(iter(options))}' is for no backend", remedy="name the backend that it is for")
        with self._lock:
            words = raw(_options(backends, options)) if backends else None
            self._check(lib.qcc_emit(self._handle.pointer, words, raw(folder)))
        return Path(folder)

    def page(self, file: Union[str, os.PathLike] = "page.html", **options: Any) -> Path:
        """Writes the page of the backend html, one file to look at in a browser, and returns its path. It shows the graph at
        every stage where the model was loaded with `stages=True`, else as it is. Keyword arguments are the backend's options:
        `m.page("page.html", input="rows.npy")`."""
        with tempfile.TemporaryDirectory() as folder:
            self.emit("html", folder, **options)
            shutil.copyfile(Path(folder) / "html" / "index.html", file)
        return Path(file)

    def save(self, path: Union[str, os.PathLike]) -> Path:
        """Writes the network as it is now to an ONNX file."""
        with self._lock:
            self._check(lib.qcc_write(self._handle.pointer, raw(path)))
        return Path(path)

    def clone(self) -> "Model":
        """A copy that goes its own way."""
        with self._lock:
            copy = Model(_Handle(lib.qcc_clone(self._handle.pointer)), self.name)
            copy._original = self._original
        return copy

    def cancel(self) -> None:
        """Gives up what another thread runs on this model: its call raises an Error."""
        lib.qcc_cancel(self._handle.pointer)

    # ---- executing

    def __call__(self, *inputs: Any, **named: Any) -> Arrays:
        """Executes the network on arrays: in the order of `inputs`, or by name. The first axis may have any multiple of the
        model's samples. An array, or a tuple where the network has several outputs."""
        with self._lock:
            return self._execute(self._handle, self._in_order(inputs, named))

    def verify(self, *inputs: Any, check: bool = True, **named: Any) -> Verification:
        """Executes the network as it is now and as it was loaded, and compares. Outputs that differ are an Error; with
        check=False the result tells."""
        with self._lock:
            arrays = self._in_order(inputs, named)
            was, now = (self._execute(handle, arrays) for handle in (self._original, self._handle))
        was, now = (x if isinstance(x, tuple) else (x,) for x in (was, now))
        equal = len(was) == len(now) and all(_close(a, b) for a, b in zip(was, now))
        samples = int(arrays[0].shape[0]) if arrays and arrays[0].ndim else 1
        differences = [float(np.max(np.abs(a.astype(np.float64) - b.astype(np.float64)), initial=0)) if a.shape == b.shape
                       else float("inf") for a, b in zip(was, now)]
        result = Verification(equal, samples, max(differences, default=0.0))
        if check and not equal:
            raise Error(f"the network does not give what it gave when it was loaded: an output differs by "
                        f"{result.max_difference:g}", file=self.name, remedy="run the passes with verify=16 to see which did it")
        return result

    def _in_order(self, inputs: Sequence[Any], named: Mapping[str, Any]) -> List[np.ndarray]:
        names = [value.name for value in self.inputs]
        unknown = [name for name in named if name not in names]
        if unknown:
            raise Error(f"the network has no input '{unknown[0]}'", file=self.name, remedy=f"its inputs are {', '.join(names)}")
        if named and inputs:
            raise Error("inputs are given both in order and by name", file=self.name)
        if named:
            inputs = [named[name] for name in names if name in named]
        if len(inputs) != len(names):
            raise Error(f"the network has {len(names)} inputs ({', '.join(names)}); arrays were given for {len(inputs)}",
                        file=self.name)
        return [self._usable(name, x) for name, x in zip(names, inputs)]

    def _usable(self, name: str, x: Any) -> np.ndarray:
        a = np.ascontiguousarray(x)
        if np.ndim(x) == 0:
            a = a.reshape(())
        if a.dtype == np.float16:
            a = a.astype(np.float32)
        a = np.ascontiguousarray(a, a.dtype.newbyteorder("="))
        if a.dtype not in TYPES:
            raise Error(f"the array for input '{name}' is of type {a.dtype}", file=self.name, remedy="give numbers")
        return a

    def _execute(self, handle: _Handle, arrays: Sequence[np.ndarray]) -> Arrays:
        count = 0
        while lib.qcc_output(handle.pointer, count):
            count += 1
        given = (Array * max(len(arrays), 1))(*(array_of(a) for a in arrays))
        out = (Array * max(count, 1))()
        if lib.qcc_execute(handle.pointer, given, len(arrays), out, count) != 0:
            raise_all(handle.messages() or [Error("the network could not be executed", file=self.name)])
        results = tuple(numpy_of(out[i]) for i in range(count))
        handle.messages()
        return results[0] if count == 1 else results

    # ---- looking at it

    @property
    def inputs(self) -> List[Value]:
        """The network's inputs, constants left out."""
        return self._values(lambda i: lib.qcc_input(self._handle.pointer, i), lambda i: None)

    @property
    def outputs(self) -> List[Value]:
        """The network's outputs, with the names of its interface."""
        return self._values(lambda i: lib.qcc_output(self._handle.pointer, i),
                            lambda i: text(lib.qcc_output_name(self._handle.pointer, i)))

    def _values(self, at: Callable[[int], Optional[int]], name: Callable[[int], Optional[str]]) -> List[Value]:
        with self._lock:
            result: List[Value] = []
            while (pointer := at(len(result))) is not None:
                result.append(value_at(self, pointer, name(len(result))))
            return result

    @property
    def nodes(self) -> List[Node]:
        """The operators in the order of execution."""
        with self._lock:
            result, pointer = [], lib.qcc_first_node(self._handle.pointer)
            while pointer:
                result.append(node_at(pointer))
                pointer = lib.qcc_next_node(pointer)
            return result

    @property
    def values(self) -> List[Value]:
        """All values, constants too."""
        with self._lock:
            result, pointer = [], lib.qcc_first_value(self._handle.pointer)
            while pointer:
                result.append(value_at(self, pointer))
                pointer = lib.qcc_next_value(pointer)
            return result

    def count(self, op_type: Optional[str] = None) -> int:
        """How many nodes of that operator; all without one."""
        with self._lock:
            return lib.qcc_count(self._handle.pointer, None if op_type is None else raw(op_type))

    @property
    def graph(self) -> Graph:
        """Pictures of the graph."""
        return Graph(self)

    @property
    def report(self) -> Report:
        """What was done and what came out (docs/report.md)."""
        return Report(json.loads(self._text(lib.qcc_report)))

    def __repr__(self) -> str:
        return f"<qcc.Model {self.name!r}, {self.count()} nodes>"

    def _repr_html_(self) -> str:
        title = html.escape(repr(self))
        try:
            picture = self.graph.svg()
        except Error as e:
            return f"<p>{title}</p><p>{html.escape(str(e))}</p>"
        return f'<p>{title}</p><div style="overflow:auto;max-height:40em">{picture[picture.find("<svg"):]}</div>'

    # ---- calls into the library

    def _check(self, status: int) -> None:
        errors = self._handle.messages()
        if status != 0:
            raise_all(errors or [Error("the call failed", file=self.name)])

    def _text(self, function: Callable[[int], Optional[bytes]]) -> str:
        with self._lock:
            result = function(self._handle.pointer)
            self._check(-1 if result is None else 0)
            return result.decode("utf-8", "replace")

    def _long(self, call: Callable[[], int], progress: Optional[Callable[[str, float], Any]]) -> None:
        """A call that tells its progress. What the callback raises, and Ctrl-C, ends the call and is raised from here."""
        raised: List[BaseException] = []

        def tell(_user, what, done):
            try:
                if progress is not None:
                    progress(text(what), done)
            except BaseException as e:  # pylint: disable=broad-except
                raised.append(e)
            return 1 if raised else 0

        callback = Progress(tell)
        handle = self._handle
        lib.qcc_set_progress(handle.pointer, ctypes.cast(callback, ctypes.c_void_p), None)
        try:
            status = call()
        finally:
            lib.qcc_set_progress(handle.pointer, None, None)
        if raised:
            handle.messages()
            raise raised[0]
        self._check(status)


def load(source: Any, name: Optional[str] = None, *, stages: bool = False) -> Model:
    """Reads a network: a path (.onnx, or .onnxtxt for ONNX's text form), bytes, or an `onnx.ModelProto`. name is what
    messages call one that has no path, and beside it files with weights are looked for. With stages=True what the graph is
    like after each pass is kept, for `Model.page`."""
    model = _load(source, name)
    if stages:
        lib.qcc_keep_stages(model._handle.pointer)
    return model


def _load(source: Any, name: Optional[str]) -> Model:
    """As load."""
    if hasattr(source, "SerializeToString"):
        source = source.SerializeToString()
    if isinstance(source, (bytes, bytearray, memoryview)):
        data, name = bytes(source), name or "model.onnx"
        return Model(_Handle(lib.qcc_load_memory(data, len(data), raw(name))), name)
    if not isinstance(source, (str, os.PathLike)):
        raise TypeError(f"a path, bytes or an onnx.ModelProto is needed, not {type(source).__name__}")
    return Model(_Handle(lib.qcc_load(raw(source))), os.fspath(source))
