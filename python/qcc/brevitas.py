"""Networks from Brevitas."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Sequence

from .errors import Error
from .model import Model, load


def from_brevitas(module: Any, input_shape: Sequence[int], **export_options: Any) -> Model:
    """Exports a Brevitas module as QONNX, by Brevitas' own exporter, and loads it. input_shape is that of one sample with its
    batch axis, (1, 593). Keyword arguments go to `brevitas.export.export_qonnx`."""
    try:
        import torch
        from brevitas.export import export_qonnx
    except ImportError as e:
        raise Error(f"Brevitas cannot be used: {e}", remedy="pip install brevitas onnx onnxscript") from e
    training = module.training
    with tempfile.TemporaryDirectory(prefix="qcc-") as folder:
        path = Path(folder) / "brevitas.onnx"
        module.eval()
        try:
            export_qonnx(module, args=torch.zeros(tuple(input_shape)), export_path=str(path), **export_options)
        except Exception as e:
            raise Error(f"Brevitas cannot export {type(module).__name__}: {e}") from e
        finally:
            module.train(training)
        # The file may have its weights beside it: read it while it is there.
        return load(path)
