"""Errors and warnings."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from typing import Optional, Sequence

log = logging.getLogger("qcc")
_PACKAGE = os.path.dirname(os.path.abspath(__file__))


def _text(file, node, op, pass_name, cause, remedy):
    """A message as the command prints it."""
    where = f"{file}: " if file else ""
    what = f"node '{node}' ({op}), " if node and pass_name else f"node '{node}' ({op}): " if node else ""
    return f"{where}{what}{f'pass {pass_name}: ' if pass_name else ''}{cause}{f'; {remedy}' if remedy else ''}"


class _Told:
    """What errors and warnings have in common."""

    def __init__(self, cause: str, *, file: Optional[str] = None, node: Optional[str] = None, op: Optional[str] = None,
                 pass_name: Optional[str] = None, remedy: Optional[str] = None):
        super().__init__(_text(file, node, op, pass_name, cause, remedy))
        self.cause = cause
        self.file = file
        self.node = node
        self.op = op
        self.pass_name = pass_name
        self.remedy = remedy


class Error(_Told, RuntimeError):
    """Something that could not be done: `cause`, what it concerns (`file`, `node`, `op`, `pass_name`), and `remedy`, what
    to do about it. What is not known is None. `others` are further errors of the same call."""

    others: Sequence["Error"] = ()


class Warning(_Told, UserWarning):  # noqa: A001 the name is qcc.Warning
    """Something that went another way than one may expect, with the same attributes as `Error`."""


def _caller() -> int:
    """The stack level of the first frame outside this package, for warnings."""
    level, frame = 1, sys._getframe(1)
    while frame is not None and os.path.dirname(os.path.abspath(frame.f_code.co_filename)) == _PACKAGE:
        level, frame = level + 1, frame.f_back
    return level


def warn(warning: Warning) -> None:
    """Warns where the package was called."""
    warnings.warn(warning, stacklevel=_caller())


def raise_all(errors: Sequence[Error]) -> None:
    """Raises the first of them with the others in it."""
    first = errors[0]
    first.others = tuple(errors[1:])
    raise first
