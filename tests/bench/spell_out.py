"""Quantisers spelled out in plain ONNX, for runtimes that know no QONNX, and a free batch dimension."""

import numpy as np
from onnx import helper, numpy_helper


def levels(bits, signed, narrow):
    lo = -(2 ** (bits - 1)) + narrow if signed else 0
    return lo, (2 ** (bits - 1) - 1 if signed else 2**bits - 1 - narrow)


class Speller:
    """Rewrites Quant and BipolarQuant of a model with constant parameters."""

    def __init__(self, model):
        self.model, self.count = model, 0
        self.constants = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}

    def const(self, value):
        self.count += 1
        name = f"spelled_{self.count}"
        self.model.graph.initializer.append(numpy_helper.from_array(np.asarray(value, np.float32), name))
        return name

    def op(self, op, inputs, output=None):
        self.count += 1
        return helper.make_node(op, inputs, [output or f"spelled_out_{self.count}"])

    def quant(self, n):
        attrs = {a.name: helper.get_attribute_value(a) for a in n.attribute}
        bits, zp = float(self.constants[n.input[3]]), self.constants[n.input[2]]
        lo, hi = levels(bits, attrs["signed"], attrs["narrow"])
        nodes = [self.op("Div", [n.input[0], n.input[1]])]
        if zp.any():
            nodes.append(self.op("Add", [nodes[-1].output[0], n.input[2]]))
        nodes.append(self.op("Clip", [nodes[-1].output[0], self.const(lo), self.const(hi)]))
        nodes.append(self.op("Round", [nodes[-1].output[0]]))
        if zp.any():
            nodes.append(self.op("Sub", [nodes[-1].output[0], n.input[2]]))
        return nodes + [self.op("Mul", [nodes[-1].output[0], n.input[1]], n.output[0])]

    def bipolar(self, n):
        more = helper.make_node("GreaterOrEqual", [n.input[0], self.const(0.0)], [f"{n.output[0]}_more"])
        pick = self.op("Where", [more.output[0], self.const(1.0), self.const(-1.0)])
        return [more, pick, self.op("Mul", [pick.output[0], n.input[1]], n.output[0])]

    def run(self):
        nodes = []
        for n in self.model.graph.node:
            make = {"Quant": self.quant, "IntQuant": self.quant, "BipolarQuant": self.bipolar}.get(n.op_type)
            nodes += make(n) if make else [n]
        del self.model.graph.node[:]
        self.model.graph.node.extend(nodes)
        return self.model


def free_batch(model):
    """The first dim of inputs and outputs becomes symbolic; inner shapes go."""
    constants = {t.name for t in model.graph.initializer}
    for t in model.graph.initializer:	# a Reshape to [1, ...] keeps the samples apart
        if any(n.op_type == "Reshape" and n.input[1] == t.name for n in model.graph.node):
            shape = np.array(numpy_helper.to_array(t))
            if shape.ndim == 1 and shape.size > 1 and shape[0] == 1:
                shape[0] = 0
                t.CopyFrom(numpy_helper.from_array(shape, t.name))
    for v in [*model.graph.input, *model.graph.output]:
        if v.name not in constants:
            v.type.tensor_type.shape.dim[0].dim_param = "N"
    del model.graph.value_info[:]


def spell_out(model):
    constants = {t.name for t in model.graph.initializer}
    spelled = Speller(model).run()
    free_batch(spelled)
    keep = [i for i in spelled.graph.input if i.name not in constants]
    del spelled.graph.input[:]
    spelled.graph.input.extend(keep)
    for o in spelled.opset_import:
        if o.domain == "":
            o.version = max(o.version, 13)
    return spelled
