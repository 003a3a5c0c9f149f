"""finn-plus as far as the tests use it. What it imports but the tests do not run is stood in for: torch, brevitas, the solver of
its partitioning, and the simulator that comes with Vivado."""
import enum
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
import warnings
from unittest.mock import MagicMock

PART = "xc7z020clg400-1"
PACKAGES = ("torch", "torchvision", "brevitas", "networkx", "pandas", "sklearn", "psutil", "IPython", "mip")
MODULES = ("finn.xsi", "finn.builder.passes")  # of finn-plus itself: they need Vivado, or a compiled extension


class Absent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, names):
        self.names = names

    def find_spec(self, name, path, target=None):
        if any(name == absent or name.startswith(absent + ".") for absent in self.names):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        module = solver() if spec.name == "mip" else MagicMock(name=spec.name)
        module.__path__, module.__spec__, module.__name__ = [], spec, spec.name
        return module

    def exec_module(self, module):
        if module.__name__ == "finn.builder.passes":
            module.step_passes_frontend.__name__ = "step_passes_frontend"


def solver():
    """The builder's configuration names constants of it, and an enumeration as the type of a field."""
    module = types.ModuleType("mip")
    module.SearchEmphasis = enum.IntEnum("SearchEmphasis", "DEFAULT FEASIBILITY OPTIMALITY")
    for name in ("CBC", "GUROBI", "HIGHS"):
        setattr(module, name, name)
    module.__getattr__ = lambda name: MagicMock(name=name)
    return module


def stop_unless_installed(what):
    """Ends the test as skipped where finn-plus, or what it needs, is missing."""
    warnings.filterwarnings("ignore")
    try:
        sys.meta_path.insert(0, Absent([p for p in PACKAGES if importlib.util.find_spec(p) is None] + list(MODULES)))
        import qonnx.core.modelwrapper  # noqa: F401
        import finn.custom_op.fpgadataflow  # noqa: F401
    except ImportError as missing:
        print(f"ok 1 - {what} # SKIP finn-plus is not installed, or what it needs ({missing.name})")
        print("1..1")
        sys.exit(0)
