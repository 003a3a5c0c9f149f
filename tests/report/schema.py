#!/usr/bin/env python3
"""report.json follows docs/report.schema.json, its sums add up, and layers know the nodes of the file they come from."""
import json
import os
import re
import subprocess
import tempfile

QCC, SRC = os.environ["QCC"], os.environ["QCC_SRC"]
SCHEMA = json.load(open(f"{SRC}/docs/report.schema.json"))
TYPES = {"object": dict, "array": list, "string": str, "null": type(None), "integer": int, "number": (int, float)}
cases = 0


def case(name, fault):
    global cases
    cases += 1
    print(f"{'not ok' if fault else 'ok'} {cases} - {name}")
    if fault:
        print(f"# {fault}")


def skip(name, why):
    global cases
    cases += 1
    print(f"ok {cases} - {name} # SKIP {why}")


def is_type(x, name):
    return isinstance(x, TYPES[name]) and not isinstance(x, bool)


def fault(x, schema, at="report"):
    """What is wrong with x, or None: the part of JSON Schema that the file uses."""
    if "$ref" in schema:
        return fault(x, SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]], at)
    if "anyOf" in schema:
        faults = [fault(x, s, at) for s in schema["anyOf"]]
        return None if None in faults else faults[-1]
    if "const" in schema and x != schema["const"]:
        return f"{at} is {x!r}"
    types = schema.get("type", [])
    if types and not any(is_type(x, t) for t in ([types] if isinstance(types, str) else types)):
        return f"{at} is {x!r}, not {types}"
    if isinstance(x, (int, float)) and x < schema.get("minimum", x):
        return f"{at} is {x}"
    if isinstance(x, list):
        if not schema.get("minItems", 0) <= len(x) <= schema.get("maxItems", len(x)):
            return f"{at} has {len(x)} items"
        return next(filter(None, (fault(y, schema.get("items", {}), f"{at}[{i}]") for i, y in enumerate(x))), None)
    if isinstance(x, dict):
        known, rest = schema.get("properties", {}), schema.get("additionalProperties", {})
        missing = [k for k in schema.get("required", []) if k not in x]
        if missing:
            return f"{at} lacks {missing}"
        for k, y in x.items():
            if k not in known and rest is False:
                return f"{at} has '{k}', which the schema does not know"
            wrong = fault(y, known.get(k, rest), f"{at}.{k}")
            if wrong:
                return wrong
    return None


def run(model, *arguments):
    with tempfile.TemporaryDirectory() as out:
        done = subprocess.run([QCC, model, "-o", out, *arguments], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.load(open(f"{out}/report.json")), done.stdout


def source_names(model):
    with tempfile.TemporaryDirectory() as out:
        script = f"{out}/names.lua"
        open(script, "w").write("for n in qcc.load(qcc.args[1]):nodes() do print(n.name ~= '' and n.name or n.outputs[1]) end")
        return set(subprocess.run([QCC, "--script", script, model], capture_output=True, text=True, check=True).stdout.split())


SCRIPTS = "lua" not in subprocess.run([QCC, "--version"], capture_output=True, text=True).stdout


def sums(report):
    layers, totals = report["layers"], report["totals"]
    for key in "LUT", "BRAM_18K", "URAM", "DSP":
        if sum(layer.get(key, 0) for layer in layers) != totals[key]:
            return f"{key} of the layers is not {totals[key]}"
    return None


def origins(report, model):
    names = source_names(model)
    for layer in report["layers"]:
        if not layer["origin"]:
            return f"{layer['name']} has no origin"
        if not set(layer["origin"]) <= names:
            return f"{layer['name']} comes from {layer['origin']}, which are not in the file"
    products = [o for layer in report["layers"] if layer["op"] == "MVAU" for o in layer["origin"]]
    twice = {o for o in products if products.count(o) > 1}
    return f"{twice} belong to two products" if twice else None


def proof(report, text):
    points = sum(c["points"] for c in report["certificates"])
    wanted = rf"verified: {report['verification']['passes']} passes, 4 samples equal( \(1 not compared.*\))?; " \
             rf"certified: {len(report['certificates'])} layers, {points:,} points\n"
    return None if re.search(wanted, text) else f"no '{wanted}' in {text}"


for name in "cnn_4w4a", "mlp_2w2a":
    model = f"{SRC}/models/{name}/model.onnx"
    declared = "set-datatype(input=BINARY)," if name == "mlp_2w2a" else ""
    folded, text = run(model, "-p", declared + "streamline,fold(target_fps=1000)", "--verify=4", "--certify")
    case(f"{name}, folded: the schema", fault(folded, SCHEMA))
    case(f"{name}, folded: layers add up to the totals", sums(folded))
    if SCRIPTS:
        case(f"{name}, folded: layers know where they come from", origins(folded, model))
    else:
        skip(f"{name}, folded: layers know where they come from", "this qcc was built without Lua, which tells the names")
    case(f"{name}, folded: the proof is on the terminal", proof(folded, text))
    case(f"{name}, as read: the schema", fault(run(model)[0], SCHEMA))
broken = dict(folded, layers=[{**folded["layers"][0], "macs": "many"}])
case("a report against the schema is found out", None if fault(broken, SCHEMA) else "it is not")
print(f"1..{cases}")
