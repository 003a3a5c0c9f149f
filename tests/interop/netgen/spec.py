"""Draw a random quantised network as plain data (dicts, lists, numbers).

The data says what is in the network, not how large its numbers are: scales
follow from the layer's width at build time. Each layer carries the seed of its
own weights, so that dropping one leaves the others as they are.
"""

import numpy as np

MODES = ["ROUND", "HALF_EVEN", "CEIL", "FLOOR", "UP", "DOWN", "HALF_UP", "HALF_DOWN"]
ACTIVATIONS = ["Relu", "LeakyRelu", "PRelu", "Elu", "Sigmoid", "Tanh", "HardSigmoid", "Clip"]


class Draw:
    """Shorthands around one random generator."""

    def __init__(self, seed):
        self.rng = np.random.default_rng([20, seed])

    def chance(self, p):
        return bool(self.rng.random() < p)

    def of(self, items, weights=None):
        p = None if weights is None else np.asarray(weights, float) / sum(weights)
        return items[int(self.rng.choice(len(items), p=p))]

    def int(self, lo, hi):
        return int(self.rng.integers(lo, hi + 1))

    def seed(self):
        return self.int(0, 2**31 - 1)

    def mode(self):
        return "ROUND" if self.chance(0.6) else self.of(MODES)


def activation_quantiser(d, after=None):
    """A quantiser of activations; after Relu and the like mostly unsigned."""
    if d.chance(0.12):
        return {"kind": "bipolar", "fine": 1.0}
    positive = after in ("Relu", "Sigmoid", "HardSigmoid")
    signed = d.chance(0.1 if positive else 0.75)
    bits = d.int(2, 8) if d.chance(0.93) else d.of([1, 9, 10, 12, 16], [4, 2, 2, 1, 1])
    if bits == 1:
        signed = False
    q = {
        "kind": "quant", "bits": bits, "signed": signed,
        "narrow": d.chance(0.25) and bits > 1, "mode": d.mode(),
        "zero_point": 0, "fine": float(np.exp(d.rng.normal(0, 0.4))),
        "per_channel": d.chance(0.03),
    }
    if d.chance(0.12):
        q["zero_point"] = d.int(1, max(1, 2**bits // 2)) if not signed else d.int(-2, 2)
    if d.chance(0.01):
        q["bits"] = 3.5
    if d.chance(0.1):
        q.update(kind="qcdq", bits=min(8, int(q["bits"])), mode="ROUND", per_channel=False)
    return q


def weight_quantiser(d):
    kind = d.of(["quant", "bipolar", "ternary", "qcdq"], [70, 10, 12, 8])
    q = {
        "kind": kind, "bits": d.int(2, 8), "signed": True, "narrow": d.chance(0.5),
        "mode": "ROUND" if d.chance(0.85) else d.of(MODES), "zero_point": 0, "fine": 1.0,
        "scales": d.of(["tensor", "output", "input"], [60, 38, 2]),
    }
    if kind == "ternary":
        q.update(bits=2, narrow=True)
    if kind == "qcdq" and q["scales"] == "input":
        q["scales"] = "tensor"
    if kind == "quant" and d.chance(0.05):
        q.update(zero_point=d.int(-2, 2), zeros_differ=d.chance(0.5))
    return q


def elementwise_chain(d, most=3):
    """What stands between a product and the next quantiser, in any order."""
    chain = []
    if d.chance(0.5):
        chain.append({"kind": "bn", "negative": d.chance(0.3), "seed": d.seed()})
    if d.chance(0.15):
        op = d.of(["Mul", "Add", "Sub", "Div"])
        chain.append({"kind": "affine", "op": op, "per_channel": d.chance(0.5),
                      "negative": d.chance(0.3), "swap": d.chance(0.2), "seed": d.seed()})
    if d.chance(0.6):
        op = d.of(ACTIVATIONS, [40, 10, 8, 7, 10, 10, 6, 9])
        chain.append({"kind": "act", "op": op, "seed": d.seed()})
    elif d.chance(0.2):
        chain.append({"kind": "gate", "op": d.of(["SiLU", "Mish", "HardSwish", "Softsign"])})
    if d.chance(0.1):
        d.rng.shuffle(chain)
    return chain[:most]


def last_activation(chain):
    return next((c["op"] for c in reversed(chain) if c["kind"] == "act"), None)


def with_quantiser(d, layers):
    chain = elementwise_chain(d)
    q = activation_quantiser(d, last_activation(chain))
    return layers + chain + [{"kind": "quant", "q": q}]


def dense(d):
    return {"kind": "dense", "out": d.int(1, 16), "w": weight_quantiser(d), "seed": d.seed(),
            "form": d.of(["matmul", "gemm"]), "trans": d.chance(0.7),
            "alpha": d.of([1.0, 1.0, 1.0, 0.5, -2.0]), "beta": d.of([1.0, 1.0, 1.0, 2.0, 0.0]),
            "bias": d.of([None, "float", "quant"], [4, 5, 1]), "shared": d.chance(0.05)}


def conv(d, one_d):
    k = d.int(1, 3)
    return {"kind": "conv", "out": d.int(1, 6), "kernel": [k] if one_d else [k, d.int(1, 3)],
            "strides": [d.of([1, 1, 2])] if one_d else [d.of([1, 1, 2]), d.of([1, 1, 2])],
            "pads": [d.int(0, 2) if d.chance(0.6) else 0 for _ in range(2 if one_d else 4)],
            "dilations": [d.of([1, 1, 1, 2])] * (1 if one_d else 2),
            "groups": d.of(["one", "depthwise", "two"], [70, 22, 8]),
            "transposed": d.chance(0.06),
            "w": weight_quantiser(d), "bias": d.of([None, "float", "quant"], [5, 4, 1]), "seed": d.seed()}


def pool(d):
    k = d.of([2, 2, 3])
    return {"kind": "pool", "op": d.of(["MaxPool", "AveragePool", "GlobalAveragePool"], [60, 28, 12]),
            "kernel": k, "stride": d.of([1, 2, k]), "pad": d.int(0, 1) if d.chance(0.25) else 0,
            "counted": d.int(0, 1)}


def trunc(d):
    return {"kind": "trunc", "drop": d.int(1, 3), "mode": d.of(["FLOOR", "ROUND", "CEIL"])}


def linear(d, state):
    return dense(d) if state["flat"] else conv(d, state["one_d"])


def branch(d, state):
    """Two paths from one value that meet again: residual, concat or product."""
    join = d.of(["Add", "Concat", "Mul", "Sub"], [60, 25, 10, 5])
    left = with_quantiser(d, [linear(d, state)])
    right = [] if d.chance(0.45) else with_quantiser(d, [linear(d, state)] if d.chance(0.5) else [])
    block = {"kind": "branch", "join": join, "left": left, "right": right,
             "scales": d.of(["same", "po2", "free"], [50, 25, 25])}
    tail = []
    if d.chance(0.4):
        tail.append({"kind": "act", "op": "Relu", "seed": d.seed()})
    tail.append({"kind": "quant", "q": activation_quantiser(d, "Relu" if tail else None)})
    return [block] + tail


def block(d, state):
    if d.chance(0.18):
        layers = branch(d, state)
    else:
        layers = with_quantiser(d, [linear(d, state)])
    if not state["flat"] and d.chance(0.35):
        p = pool(d)
        layers.append(p)
        if p["op"] != "MaxPool":
            layers.append(trunc(d) if d.chance(0.3) else {"kind": "quant", "q": activation_quantiser(d)})
    if d.chance(0.08):
        layers.append({"kind": "move", "op": d.of(["Transpose", "Reshape", "Identity", "Pad", "Slice", "Resize"])})
    return layers


def input_of(d, state):
    """How the first layer gets its integers."""
    kind = d.of(["quantised", "annotated"], [85, 15])
    if kind == "quantised":
        return {"kind": kind, "q": activation_quantiser(d)}
    return {"kind": kind, "datatype": d.of(["BIPOLAR", "BINARY", "INT4", "UINT8", "INT8", "TERNARY"]),
            "affine": d.of(["none", "half", "scale"])}


def exact_layer(layer):
    """Does float32 compute the layer without rounding, given numbers of few bits?"""
    if layer["kind"] == "branch":
        return all(map(exact_layer, layer["left"] + layer["right"]))
    if layer["kind"] == "pool":
        whole = layer["kernel"] == 2 and not (layer["pad"] and layer["op"] == "AveragePool")
        return layer["op"] == "MaxPool" or (layer["op"] == "AveragePool" and whole)
    return layer.get("op") not in ("Sigmoid", "Tanh", "Elu", "SiLU", "Mish", "Softsign")


def draw_network(seed):
    """A network with one to four blocks and perhaps a real-valued end."""
    d = Draw(seed)
    kind = d.of(["mlp", "cnn", "cnn1d"], [45, 40, 15])
    state = {"flat": kind == "mlp", "one_d": kind == "cnn1d"}
    shape = {"mlp": [d.int(1, 24)], "cnn": [d.int(1, 4), d.int(4, 9), d.int(4, 9)],
             "cnn1d": [d.int(1, 4), d.int(6, 20)]}[kind]
    layers = []
    for _ in range(d.int(1, 3)):
        layers += block(d, state)
    if not state["flat"] and d.chance(0.6):
        layers.append({"kind": "move", "op": "Flatten"})
        state["flat"] = True
        if d.chance(0.4):
            layers += block(d, state)
    layers.append(linear(d, state))
    if d.chance(0.35):
        layers += with_quantiser(d, [])
    return {"seed": seed, "exact": d.chance(0.6) and all(map(exact_layer, layers)), "batch": d.of([1, 1, 1, 2, 5]), "shape": shape,
            "declared": d.chance(0.6), "listed": d.chance(0.3), "open": d.chance(0.15), "opset": d.of([11, 13, 17, 20]),
            "input": input_of(d, state), "layers": layers}
