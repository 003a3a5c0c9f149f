"""The original network's decision for one accumulator value, in exact arithmetic.

Every number in the file is a float32, hence a fraction; only the square root of
a batch normalisation is not, and is taken to 60 digits.
"""

from decimal import Decimal, getcontext
from fractions import Fraction

import numpy as np
from finngraph import Graph, attr

getcontext().prec = 80
TIE = Fraction(1, 10**40)


def fraction(x):
    return Fraction(float(np.float32(x)))


def root(x):
    return Fraction((Decimal(x.numerator) / Decimal(x.denominator)).sqrt())


def pick(array, channel):
    """A channel's entry of a parameter: scalar or one number a channel."""
    flat = np.reshape(array, -1)
    return fraction(flat[channel if flat.size > 1 else 0])


class Original:
    """The layers of a QONNX file: linear operators with quantised weights, in order."""

    def __init__(self, path):
        self.g = Graph(path)
        self.linear = [n for n in self.g.nodes if n.op_type in ("Gemm", "MatMul", "Conv") and self.weight_of(n)]

    def weight_of(self, node):
        """The quantiser of its weights (perhaps behind a Transpose)."""
        n = self.g.producer.get(node.input[1])
        while n is not None and n.op_type == "Transpose":
            n = self.g.producer.get(n.input[0])
        return n if n is not None and n.op_type in ("Quant", "BipolarQuant") else None

    def input_map(self, node, finn_lo):
        """x_real = p * x + r for FINN's integer x, as (p, r)."""
        return self.value_map(node.input[0], finn_lo)

    def value_map(self, name, finn_lo):
        n = self.g.producer.get(name)
        if n is None:
            return Fraction(1), Fraction(0)
        if n.op_type == "Quant":
            scale, zp = pick(self.g.const(n.input[1]), 0), pick(self.g.const(n.input[2]), 0)
            bits = int(self.g.const(n.input[3]).item())
            lo = -(2 ** (bits - 1)) + attr(n, "narrow", 0) if attr(n, "signed", 1) else 0
            return scale, scale * (lo - zp - Fraction(int(finn_lo)))
        if n.op_type == "BipolarQuant":
            return pick(self.g.const(n.input[1]), 0), Fraction(0)
        p, r = self.value_map(n.input[0], finn_lo)
        if len(n.input) == 2 and self.g.const(n.input[1]) is not None and n.op_type in STEPS:
            c = pick(self.g.const(n.input[1]), 0)
            return {"Add": (p, r + c), "Sub": (p, r - c), "Mul": (p * c, r * c), "Div": (p / c, r / c)}[n.op_type]
        return p, r		# operators that only move numbers

    def weight_scale(self, node, channel):
        q = self.weight_of(node)
        return pick(self.g.const(q.input[1]), channel)

    def sign(self, node, channel, row):
        """-1 where FINN has turned the signs of the channel's weights, else 1."""
        q = self.weight_of(node)
        w = self.g.const(q.input[0]).astype(np.float64)
        scale = self.g.const(q.input[1])
        scale = scale.reshape(scale.shape + (1,) * (w.ndim - scale.ndim)) if scale.size > 1 else scale
        integers = np.where(w >= 0, 1, -1) if q.op_type == "BipolarQuant" else np.round(w / scale)
        for rows in (integers.reshape(len(integers), -1), integers.reshape(len(integers), -1).T):
            if channel < len(rows) and rows[channel].shape == row.shape:
                for sign in (1, -1):
                    if np.array_equal(np.sign(rows[channel]), np.sign(sign * row)):
                        return sign
        return 1

    def decide(self, index, channel, acc, row, finn_lo):
        """(level in exact arithmetic, level in float32, is it a tie) for FINN's accumulator value; row:
        the channel's weights as FINN has them."""
        node = self.linear[index]
        p, r = self.input_map(node, finn_lo)
        x = self.sign(node, channel, row) * self.weight_scale(node, channel) * (p * acc + r * int(row.sum()))
        single = np.float32(float(x))
        if len(node.input) > 2:
            c = self.constant_or_quantised(node.input[2], channel)
            x, single = x + c, np.float32(single + np.float32(float(c)))
        return self.walk(node.output[0], channel, x, single)

    def constant_or_quantised(self, name, channel):
        c = self.g.const(name)
        if c is not None:
            return pick(c, channel)
        n = self.g.producer[name]		# a quantised bias
        scale = pick(self.g.const(n.input[1]), channel)
        return scale * round(pick(self.g.const(n.input[0]), channel) / scale)

    def walk(self, name, channel, x, single):
        """Follow the value through per-element operators to the next quantiser."""
        n = self.g.consumers[name][0]
        if n.op_type in ("Quant", "BipolarQuant"):
            return self.quantise(n, channel, x, single)
        if n.op_type == "BatchNormalization":
            x, single = self.normalise(n, channel, x, single)
        elif n.op_type == "Relu":
            x, single = max(x, Fraction(0)), max(single, np.float32(0))
        elif n.op_type in STEPS:
            c = self.constant_or_quantised(n.input[1], channel)
            x = STEPS[n.op_type](x, c)
            single = np.float32(STEPS[n.op_type](single, np.float32(float(c))))
        return self.walk(n.output[0], channel, x, single)

    def normalise(self, n, channel, x, single):
        gamma, beta, mean, var = (pick(self.g.const(i), channel) for i in n.input[1:5])
        eps = fraction(attr(n, "epsilon", 1e-5))
        f = [np.float32(float(v)) for v in (gamma, beta, mean, var, eps)]
        slope = np.float32(f[0] / np.sqrt(np.float32(f[3] + f[4])))
        single = np.float32(single * slope + np.float32(f[1] - np.float32(f[2] * slope)))
        return (x - mean) * gamma / root(var + eps) + beta, single

    def quantise(self, n, channel, x, single):
        scale = pick(self.g.const(n.input[1]), channel)
        if n.op_type == "BipolarQuant":
            return (1 if x >= 0 else -1), (1 if single >= 0 else -1), abs(x) < TIE
        bits = int(self.g.const(n.input[3]).item())
        lo = -(2 ** (bits - 1)) + attr(n, "narrow", 0) if attr(n, "signed", 1) else 0
        hi = lo + 2**bits - 1 - attr(n, "narrow", 0)
        v = x / scale
        doubled = 2 * v - round(2 * v)
        tie = abs(doubled) < TIE and round(2 * v) % 2 == 1
        level = round(Fraction(round(2 * v), 2)) if tie else round(v)
        single = int(np.round(np.float32(single / np.float32(float(scale)))))
        return min(max(level, lo), hi), min(max(single, lo), hi), tie


STEPS = {"Add": lambda a, b: a + b, "Sub": lambda a, b: a - b, "Mul": lambda a, b: a * b, "Div": lambda a, b: a / b}
