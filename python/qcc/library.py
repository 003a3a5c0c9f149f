"""libqcc through ctypes: the functions of qcc/qcc.h with their types. ctypes releases the interpreter's lock during a call."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
from pathlib import Path

import numpy as np

from .errors import Error

NATIVE = Path(__file__).resolve().parent / "native"
MAX_RANK = 16
DATATYPE_SIZE = 64
NOTE, WARNING, ERROR = range(3)
# ONNX's numbers of storage types.
DTYPES = {1: np.float32, 2: np.uint8, 3: np.int8, 4: np.uint16, 5: np.int16, 6: np.int32, 7: np.int64, 9: np.bool_,
          11: np.float64, 12: np.uint32, 13: np.uint64}
TYPES = {np.dtype(dtype): number for number, dtype in DTYPES.items()}


class Array(ctypes.Structure):
    """struct qcc_array"""

    _fields_ = [("type", ctypes.c_int), ("rank", ctypes.c_int), ("dims", ctypes.c_int64 * MAX_RANK),
                ("data", ctypes.c_void_p)]


class Message(ctypes.Structure):
    """struct qcc_message"""

    _fields_ = [("severity", ctypes.c_int), ("file", ctypes.c_char_p), ("node", ctypes.c_char_p), ("op", ctypes.c_char_p),
                ("pass_name", ctypes.c_char_p), ("cause", ctypes.c_char_p), ("remedy", ctypes.c_char_p)]


Progress = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_double)

_P, _S, _I, _Z, _L = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_size_t, ctypes.c_int64
_A = ctypes.POINTER(Array)
# name: (result, arguments)
_FUNCTIONS = {
    "qcc_version": (_S, []),
    "qcc_load": (_P, [_S]),
    "qcc_load_memory": (_P, [_S, _Z, _S]),
    "qcc_clone": (_P, [_P]),
    "qcc_free": (None, [_P]),
    "qcc_write": (_I, [_P, _S]),
    "qcc_run": (_I, [_P, _S]),
    "qcc_set_verify": (None, [_P, _L]),
    "qcc_set_certify": (None, [_P, _I]),
    "qcc_keep_stages": (None, [_P]),
    "qcc_emit": (_I, [_P, _S, _S]),
    "qcc_set_progress": (None, [_P, _P, _P]),
    "qcc_cancel": (None, [_P]),
    "qcc_execute": (_I, [_P, _A, _Z, _A, _Z]),
    "qcc_array_free": (None, [_A]),
    "qcc_count": (_Z, [_P, _S]),
    "qcc_first_node": (_P, [_P]),
    "qcc_next_node": (_P, [_P]),
    "qcc_node_name": (_S, [_P]),
    "qcc_node_op_type": (_S, [_P]),
    "qcc_node_domain": (_S, [_P]),
    "qcc_node_input_count": (_Z, [_P]),
    "qcc_node_output_count": (_Z, [_P]),
    "qcc_node_input": (_P, [_P, _Z]),
    "qcc_node_output": (_P, [_P, _Z]),
    "qcc_input": (_P, [_P, _Z]),
    "qcc_output": (_P, [_P, _Z]),
    "qcc_output_name": (_S, [_P, _Z]),
    "qcc_first_value": (_P, [_P]),
    "qcc_next_value": (_P, [_P]),
    "qcc_value_name": (_S, [_P]),
    "qcc_value_type": (_I, [_P]),
    "qcc_value_datatype": (_S, [_P, _S]),
    "qcc_value_rank": (_I, [_P]),
    "qcc_value_dim": (_L, [_P, _I]),
    "qcc_value_producer": (_P, [_P]),
    "qcc_value_constant": (_I, [_P, _A]),
    "qcc_report": (_S, [_P]),
    "qcc_dot": (_S, [_P]),
    "qcc_svg": (_S, [_P]),
    "qcc_text": (_S, [_P]),
    "qcc_message": (_I, [_P, _Z, ctypes.POINTER(Message)]),
    "qcc_messages": (_S, [_P]),
    "qcc_clear_messages": (None, [_P]),
}


def _open() -> ctypes.CDLL:
    """The library of the wheel; of QCC_LIBRARY where that is set; else the installed one."""
    inside = NATIVE / "libqcc.so"
    path = os.environ.get("QCC_LIBRARY") or (str(inside) if inside.exists() else ctypes.util.find_library("qcc"))
    if not path:
        raise Error("libqcc is not installed", remedy="install the package from the folder python/ of qcc's sources, "
                    "or set QCC_LIBRARY to libqcc.so")
    try:
        lib = ctypes.CDLL(path)
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(lib, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as e:
        raise Error(f"cannot use libqcc: {e}", file=path, remedy="build the package and libqcc from the same sources") from e
    return lib


lib = _open()


def text(raw) -> str | None:
    """Text as Python's; names in files need not be UTF-8."""
    return None if raw is None else raw.decode("utf-8", "surrogateescape")


def raw(string) -> bytes:
    """A path or other text as C gets it."""
    encoded = os.fsencode(string)
    if b"\0" in encoded:
        raise Error("a text for qcc holds a zero byte")
    return encoded


def array_of(a: np.ndarray) -> Array:
    """The array as C sees it; a must stay alive and be contiguous."""
    if a.ndim > MAX_RANK:
        raise Error(f"an array has {a.ndim} axes; {MAX_RANK} are the most")
    result = Array(TYPES[a.dtype], a.ndim, (ctypes.c_int64 * MAX_RANK)(*a.shape), None)
    result.data = a.ctypes.data
    return result


def numpy_of(a: Array) -> np.ndarray:
    """A copy; frees the array."""
    try:
        shape, dtype = tuple(a.dims[:a.rank]), np.dtype(DTYPES[a.type])
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        flat = np.empty(size, np.uint8)
        ctypes.memmove(flat.ctypes.data, a.data, size)
        return flat.view(dtype).reshape(shape)
    finally:
        lib.qcc_array_free(ctypes.byref(a))
