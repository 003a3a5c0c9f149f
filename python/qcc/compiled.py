"""Generated C as a callable: emitted, compiled and loaded."""

from __future__ import annotations

import ctypes
import os
import re
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import Any, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from .errors import Error
from .model import Arrays, Model

_DTYPES = {"float": np.float32, "double": np.float64, "bool": np.bool_, "_Bool": np.bool_,
           **{f"{kind}{bits}_t": np.dtype(f"{kind}{bits}") for kind in ("int", "uint") for bits in (8, 16, 32, 64)}}


class Port(NamedTuple):
    """An input or output of the generated function: type and shape of one sample's array."""

    dtype: np.dtype
    shape: Tuple[int, ...]


class CompiledModel:
    """The generated C as a function on numpy arrays. Calls allocate their own scratch memory, so that several threads may
    use it at the same time; the interpreter's lock is released while the C runs."""

    def __init__(self, library: Path, header: str, keep: Any):
        self._keep = keep  # the folder with the library
        self.inputs = _ports(header, "INPUT")
        self.outputs = _ports(header, "OUTPUT")
        self.rom_bytes = _number(header, "ROM_BYTES")
        self.scratch_bytes = _number(header, "SCRATCH_BYTES")
        self._align = _number(header, "SCRATCH_ALIGN")
        self._run = ctypes.CDLL(str(library)).model_run_batch
        self._run.restype = None
        self._run.argtypes = [ctypes.c_void_p] * (len(self.inputs) + len(self.outputs)) + [ctypes.c_size_t, ctypes.c_void_p]

    def __call__(self, *inputs: Any) -> Arrays:
        """The outputs for these inputs, in order. The first axis may have any multiple of the network's samples. An array, or
        a tuple where there are several outputs."""
        if len(inputs) != len(self.inputs):
            raise Error(f"the function has {len(self.inputs)} inputs; arrays were given for {len(inputs)}")
        arrays = [_fitting(x, port, i) for i, (x, port) in enumerate(zip(inputs, self.inputs))]
        counts = [a.shape[0] // port.shape[0] if port.shape else 1 for a, port in zip(arrays, self.inputs)]
        count = counts[0] if counts else 1
        if any(n != count for n in counts):
            raise Error(f"the inputs have different numbers of samples: {', '.join(map(str, counts))}")
        results = [np.empty((count * p.shape[0], *p.shape[1:]) if p.shape else (), p.dtype) for p in self.outputs]
        scratch = np.empty(self.scratch_bytes + self._align, np.uint8)
        aligned = -(-scratch.ctypes.data // self._align) * self._align
        self._run(*(a.ctypes.data for a in arrays), *(r.ctypes.data for r in results), count, aligned)
        return results[0] if len(results) == 1 else tuple(results)


def _number(header: str, name: str) -> int:
    return int(re.search(rf"#define MODEL_{name} (\d+)", header).group(1))


def _ports(header: str, what: str) -> List[Port]:
    ports = []
    for i in range(_number(header, what + "S")):
        kind = re.search(rf"typedef (\w+) model_{what.lower()}{i};", header).group(1)
        if kind not in _DTYPES:
            raise Error(f"{what.lower()} {i} of the generated function is of type {kind}, which numpy does not have")
        dims = re.search(rf"#define MODEL_{what}{i}_DIMS \{{([^}}]*)\}}", header)
        rank = _number(header, f"{what}{i}_RANK")
        ports.append(Port(np.dtype(_DTYPES[kind]), tuple(int(d) for d in dims.group(1).split(","))[:rank] if rank else ()))
    return ports


def _fitting(x: Any, port: Port, i: int) -> np.ndarray:
    """As the function reads it. Numbers that its type does not hold are refused."""
    a = np.asarray(x)
    shape = port.shape
    if a.ndim != len(shape) or a.shape[1:] != shape[1:] or (shape and (not shape[0] or a.shape[0] % shape[0])):
        raise Error(f"the array for input {i} has the shape {a.shape}; the function takes {shape}, or a multiple along "
                    "the first axis")
    if a.dtype == port.dtype:
        return np.ascontiguousarray(a).reshape(a.shape)
    if a.dtype.kind not in "biuf":
        raise Error(f"the array for input {i} is of type {a.dtype}", remedy="give numbers")
    with np.errstate(invalid="ignore", over="ignore"):
        cast = np.ascontiguousarray(a.astype(port.dtype)).reshape(a.shape)
    if port.dtype.kind != "f" and not np.array_equal(cast, a):
        raise Error(f"the array for input {i} has elements that {port.dtype} does not hold")
    return cast


def _compile(command: Sequence[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    except OSError as e:
        raise Error(f"cannot run {command[0]}: {e.strerror}", remedy="install a C compiler, or set CC to one") from e
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines()[-1:]
        raise Error(f"compiling the generated C failed: {lines[0] if lines else done.returncode}",
                    remedy=f"see {shlex.join(command)}")


def compile_c(model: Model, style: str = "packed", *, cflags: Union[str, Sequence[str]] = ("-O3",), cc: Optional[str] = None,
              folder: Union[str, os.PathLike, None] = None) -> CompiledModel:
    """Writes the network as C (style: reference, packed or tiny), compiles it with cc (else $CC, else cc), and loads it.

    cflags are the compiler's options; "-O3 -march=native" is fastest on this machine. The sources go to `folder`/c where a
    folder is given, else they are removed with the result. The model is not changed."""
    keep = tempfile.TemporaryDirectory(prefix="qcc-")
    work = Path(keep.name)
    # One style alone goes to c/ whatever it is.
    sources = model.clone().emit("c", folder if folder is not None else work, **{style: True}, name="model") / "c"
    flags = shlex.split(cflags) if isinstance(cflags, str) else list(cflags)
    library = work / "model.so"
    compiler = shlex.split(cc or os.environ.get("CC") or "cc")
    files = sorted(str(f) for f in sources.glob("*.c") if f.name not in ("main.c", "model_test.c"))
    _compile([*compiler, "-std=c11", "-fPIC", "-shared", *flags, f"-I{sources}", "-o", str(library), *files, "-lm"])
    return CompiledModel(library, (sources / "model.h").read_text(), keep)
