"""Read an integer graph (FINN's or qcc's) layer by layer: weights, thresholds, ranges."""

from collections import Counter

import numpy as np
from qonnx.core.modelwrapper import ModelWrapper

MOVES = ("Reshape", "Flatten", "Transpose", "MaxPool", "Squeeze", "Unsqueeze", "Identity")


def attr(node, name, fallback=None):
    for a in node.attribute:
        if a.name == name:
            return {1: a.f, 2: a.i, 3: a.s.decode(), 7: list(a.ints)}.get(a.type, fallback)
    return fallback


class Graph:
    """A model with its producers, consumers and constants at hand."""

    def __init__(self, model):
        self.model = model if isinstance(model, ModelWrapper) else ModelWrapper(str(model))
        self.nodes = list(self.model.graph.node)
        self.constants = {t.name: None for t in self.model.graph.initializer}
        self.producer = {o: n for n in self.nodes for o in n.output}
        self.consumers = {}
        for n in self.nodes:
            for i in n.input:
                self.consumers.setdefault(i, []).append(n)

    def const(self, name):
        if name not in self.constants:
            return None
        if self.constants[name] is None:
            self.constants[name] = self.model.get_initializer(name)
        return self.constants[name]

    def counts(self):
        return Counter(n.op_type for n in self.nodes)

    def datatype(self, name):
        return self.model.get_tensor_datatype(name)

    def data_inputs(self):
        return [i.name for i in self.model.graph.input if i.name not in self.constants]


def threshold_levels(node, thresholds):
    """Least and greatest value a MultiThreshold can give."""
    scale, bias = attr(node, "out_scale", 1.0), attr(node, "out_bias", 0.0)
    return bias, bias + scale * thresholds.shape[1]


def input_levels(g, name):
    """Least and greatest integer a value can hold: by the thresholds that make it, else its annotation."""
    node = g.producer.get(name)
    while node is not None and node.op_type in MOVES:
        name = node.input[0]
        node = g.producer.get(name)
    if node is not None and node.op_type == "MultiThreshold":
        return threshold_levels(node, g.const(node.input[1]))
    if node is not None and node.op_type == "Concat":
        parts = [input_levels(g, i) for i in node.input]
        return min(p[0] for p in parts), max(p[1] for p in parts)
    t = g.datatype(name)
    return (t.min(), t.max()) if t.is_integer() else (None, None)


def input_step(g, name):
    """2 for values that are -1 or +1, else 1."""
    return 2 if g.datatype(name).name == "BIPOLAR" else 1


class Layer:
    """MatMul or Conv with constant integer weights, and the thresholds right behind it."""

    def __init__(self, g, node):
        w = g.const(node.input[1])
        self.node, self.graph = node, g
        self.weights = np.asarray(w.T if node.op_type == "MatMul" else w, np.float64)
        self.rows = self.weights.reshape(self.weights.shape[0], -1)
        self.lo, self.hi = input_levels(g, node.input[0])
        self.padded = any(attr(node, "pads", []) or [])
        self.step = 1 if self.padded else input_step(g, node.input[0])
        users = g.consumers.get(node.output[0], [])
        self.thresholds = None
        if len(users) == 1 and users[0].op_type == "MultiThreshold":
            self.quantiser = users[0]
            t = np.asarray(g.const(users[0].input[1]), np.float64)
            self.thresholds = np.broadcast_to(t, (len(self.rows), t.shape[1]))
            self.scale = attr(users[0], "out_scale", 1.0)
            self.bias = attr(users[0], "out_bias", 0.0)

    def reach(self, row):
        """Bounds of the accumulator of an output channel."""
        ends = np.stack([self.rows[row] * self.lo, self.rows[row] * self.hi])
        if self.padded:
            ends = np.concatenate([ends, np.zeros_like(ends[:1])])
        return int(ends.min(axis=0).sum()), int(ends.max(axis=0).sum())

    def accumulators(self, row):
        """All values it can take: with inputs of -1 and +1 only every second one."""
        lo, hi = self.reach(row)
        step = int(np.gcd.reduce(np.abs(self.rows[row]).astype(np.int64))) * self.step
        return np.arange(lo, hi + 1, max(1, step), dtype=np.float64)

    def outputs(self, row, accumulators):
        count = np.searchsorted(self.thresholds[row], accumulators, side="right")
        return self.bias + self.scale * count


def layers(g):
    """Layers in order; an activation that is not known to be integer is left out."""
    found = []
    for n in g.nodes:
        if n.op_type in ("MatMul", "Conv") and g.const(n.input[1]) is not None:
            layer = Layer(g, n)
            if layer.lo is not None:
                found.append(layer)
    return found


def not_integer(g):
    """What is not integer between the first quantiser and the last layer with weights."""
    bad = []
    last = max((i for i, n in enumerate(g.nodes) if n.op_type in ("MatMul", "Conv", "MultiThreshold")), default=-1)
    inside = {i for i in g.data_inputs() if g.datatype(i).is_integer()}
    for number, n in enumerate(g.nodes[:last + 1]):
        data = [i for i in n.input if i and g.const(i) is None]
        if n.op_type == "MultiThreshold" or any(i in inside for i in data):
            inside.update(n.output)
        else:
            continue		# the float head
        if not all(g.datatype(o).is_integer() for o in n.output):
            bad.append(f"{n.op_type} {n.name} gives {g.datatype(n.output[0])}")
        reads_integers = all(g.datatype(i).is_integer() for i in data)
        for i in n.input[1:]:
            c = g.const(i) if i else None
            if c is not None and reads_integers and c.dtype == np.float32 and (c != np.round(c)).any():
                bad.append(f"{n.op_type} {n.name}: constant {i} has fractions")
    return bad
