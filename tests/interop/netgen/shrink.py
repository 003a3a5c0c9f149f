"""Find a smaller network that fails in the same way."""

import copy

SIMPLER = {
    "batch": 1, "declared": True, "listed": False, "opset": 13, "exact": True, "mode": "ROUND",
    "zero_point": 0, "per_channel": False, "narrow": False, "bits": 4, "bias": None, "form": "matmul",
    "alpha": 1.0, "beta": 1.0, "scales": "tensor", "groups": "one", "transposed": False, "negative": False,
    "shared": False, "swap": False, "pad": 0, "fine": 1.0, "out": 1, "stride": 1, "signed": True,
}
ONES = ("kernel", "strides", "dilations")


def places(node, path=()):
    """Every dict inside the network, with the way to it."""
    if isinstance(node, dict):
        yield path
        for key, value in node.items():
            yield from places(value, path + (key,))
    elif isinstance(node, list):
        for i, value in enumerate(node):
            yield from places(value, path + (i,))


def at(spec, path):
    for step in path:
        spec = spec[step]
    return spec


def without_layers(spec):
    """The network with one layer left out, wherever it is."""
    for path in list(places(spec)):
        for key in ("layers", "left", "right"):
            for i in reversed(range(len(at(spec, path).get(key, [])))):
                smaller = copy.deepcopy(spec)
                del at(smaller, path)[key][i]
                yield smaller


def with_simpler_options(spec):
    """The network with one option at its simplest value."""
    for path in list(places(spec)):
        here = at(spec, path)
        for key, value in here.items():
            target = SIMPLER.get(key)
            if key in ONES and isinstance(value, list):
                target = [1] * len(value)
            elif key == "pads":
                target = [0] * len(value)
            elif key == "kind" and value in ("qcdq", "ternary"):
                target = "quant"
            elif key == "shape":
                target = [max(1, n // 2) for n in value]
            elif key == "scales" and value in ("same", "po2", "free"):
                target = "same"
            if (target is None and key != "bias") or target == value or key not in {*SIMPLER, *ONES, "pads",
                                                                                   "kind", "shape"}:
                continue
            simpler = copy.deepcopy(spec)
            at(simpler, path)[key] = target
            yield simpler


def minimise(spec, fails):
    """The smallest network found for which fails(spec) stays true."""
    progress = True
    while progress:
        progress = False
        for candidates in (without_layers, with_simpler_options):
            found = next((c for c in candidates(spec) if fails(c)), None)
            while found:
                spec, progress = found, True
                found = next((c for c in candidates(spec) if fails(c)), None)
    return spec
