"""qcc: a compiler for quantised neural networks.

    import qcc
    m = qcc.load("model.onnx")
    m.run("streamline,fold", target_fps=1e6)
    y = m(x)
    m.emit("c", "out")
    f = qcc.compile_c(m)
    assert (f(x) == y).all()

Errors are `qcc.Error`, which tells file, node, cause and remedy; warnings are Python warnings of the class `qcc.Warning`.
"""

from .brevitas import from_brevitas
from .compiled import CompiledModel, compile_c
from .errors import Error, Warning
from .graph import Graph, Node, Value
from .model import Model, Verification, load, version
from .program import Encoded, Training, encode, evaluate, train
from .report import Report
from .tuning import tune

__version__ = version()
__all__ = ["CompiledModel", "Encoded", "Error", "Graph", "Model", "Node", "Report", "Training", "Value", "Verification",
           "Warning", "compile_c", "encode", "evaluate", "from_brevitas", "load", "train", "tune", "version"]
