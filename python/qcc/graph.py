"""The graph to look at: nodes, values, pictures."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Optional, Tuple

import numpy as np

from .errors import Error
from .library import DATATYPE_SIZE, DTYPES, Array, lib, numpy_of, text

if TYPE_CHECKING:
    from .model import Model


@dataclass(frozen=True)
class Node:
    """An operator as it was when `Model.nodes` was asked: names of its inputs (None: omitted) and outputs."""

    name: str
    op_type: str
    domain: str
    inputs: Tuple[Optional[str], ...]
    outputs: Tuple[Optional[str], ...]


@dataclass(frozen=True)
class Value:
    """What flows between operators, and constants, as it was when it was asked for. `datatype` says what numbers it holds,
    in QONNX's words; `dtype` how they are stored (None where numpy has no such type). In `shape`, None is not known;
    `shape` is None where the rank is not known. `producer` is a node's name, None of inputs and constants."""

    name: str
    dtype: Optional[np.dtype]
    datatype: str
    shape: Optional[Tuple[Optional[int], ...]]
    producer: Optional[str]
    _model: "Model" = field(repr=False, compare=False)
    _generation: int = field(repr=False, compare=False)
    _pointer: int = field(repr=False, compare=False)

    @property
    def constant(self) -> Optional[np.ndarray]:
        """The elements of a constant; None of other values. To be asked before the next `Model.run`."""
        with self._model._lock:
            if self._generation != self._model._generation:
                raise Error(f"passes have run since value '{self.name}' was looked at", remedy="ask for Model.values again")
            a = Array()
            return numpy_of(a) if lib.qcc_value_constant(self._pointer, ctypes.byref(a)) == 0 else None


def node_at(pointer: int) -> Node:
    """The node there."""

    def names(count, item):
        return tuple(value and text(lib.qcc_value_name(value)) for value in (item(pointer, i) for i in range(count(pointer))))

    return Node(text(lib.qcc_node_name(pointer)), text(lib.qcc_node_op_type(pointer)), text(lib.qcc_node_domain(pointer)),
                names(lib.qcc_node_input_count, lib.qcc_node_input), names(lib.qcc_node_output_count, lib.qcc_node_output))


def value_at(model: "Model", pointer: int, name: Optional[str] = None) -> Value:
    """The value there."""
    rank = lib.qcc_value_rank(pointer)
    dims = [lib.qcc_value_dim(pointer, axis) for axis in range(rank)]
    dtype = DTYPES.get(lib.qcc_value_type(pointer))
    producer = lib.qcc_value_producer(pointer)
    return Value(name or text(lib.qcc_value_name(pointer)), None if dtype is None else np.dtype(dtype),
                 text(lib.qcc_value_datatype(pointer, ctypes.create_string_buffer(DATATYPE_SIZE))),
                 None if rank < 0 else tuple(None if d < 0 else d for d in dims),
                 text(lib.qcc_node_name(producer)) if producer else None, model, model._generation, pointer)


class Graph:
    """Pictures of a model's graph as it is now. In Jupyter it shows itself."""

    def __init__(self, model: "Model"):
        self._model = model

    def svg(self) -> str:
        """As SVG, drawn by Graphviz; a graph of more than 4,000 nodes is refused."""
        return self._model._text(lib.qcc_svg)

    def dot(self) -> str:
        """In Graphviz's DOT language."""
        return self._model._text(lib.qcc_dot)

    def text(self) -> str:
        """In ONNX's text form."""
        return self._model._text(lib.qcc_text)

    def _repr_svg_(self) -> Optional[str]:
        try:
            return self.svg()
        except Error:
            return None
