#!/usr/bin/env python3
"""The page of the html backend in a headless Chromium: stages, folding, search, details, inference equal to what qcc
computes, names that try to be markup. Timings are printed; screenshots are left in html_page_shots/ of the build folder.
"""

import array
import os
import random
import re
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import browser as chromium  # noqa: E402

SOURCE = os.environ.get("QCC_SRC", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
SHARED = os.environ.get("QCC_SHARED", os.path.join(SOURCE, "..", "shared"))
QCC = os.environ.get("QCC", os.path.join(SOURCE, "build", "qcc"))
SHOTS = os.path.abspath("html_page_shots")
cases = 0


def case(name, good, why=""):
    """A line of the TAP protocol."""
    global cases
    cases += 1
    print(f"{'ok' if good else 'not ok'} {cases} - {name}")
    if not good and why:
        print("# " + str(why).replace("\n", "\n# "))
    sys.stdout.flush()


def skip(name, why):
    """A case that is left out."""
    global cases
    cases += 1
    print(f"ok {cases} - {name} # SKIP {why}")


def compile_page(model, passes, folder, backend="html", prove=("--verify=2", "--certify")):
    """The page's path."""
    subprocess.run([QCC, model, "-p", passes, "-b", backend, *prove, "-q", "-o", folder], check=True, stderr=subprocess.DEVNULL)
    return os.path.join(folder, "html", "index.html")


def weight_bytes(page):
    """How much of the file is tensors."""
    text = open(page, encoding="utf-8").read()
    return sum(len(found) for found in re.findall(r'\[\d+,[-\d.e+]+,"([A-Za-z0-9+/=]*)"\]', text))


def residual_blocks(path, blocks, width=16):
    """A network of six nodes a block, in text form."""
    r, constants, nodes, x = random.Random(1), [], [], "x"
    for b in range(blocks):
        for k in (0, 1):
            elements = ",".join(str(r.randint(-2, 1)) for _ in range(width * width))
            constants.append(f"float[{width},{width}]:INT2 w{b}_{k} = {{{elements}}}")
        constants += [f"float[1,3] s{b} = {{-3,0,5}}", f"float[1,3] t{b} = {{-2,1,4}}", f"float[1,3] u{b} = {{1,3,4}}"]
        quantiser = 'qonnx.MultiThreshold<out_dtype="UINT2">'
        nodes += [f"a{b} = MatMul({x}, w{b}_0)", f"b{b} = {quantiser}(a{b}, s{b})", f"c{b} = MatMul(b{b}, w{b}_1)",
                  f"d{b} = {quantiser}(c{b}, t{b})", f"e{b} = Add(d{b}, {x})", f"f{b} = {quantiser}(e{b}, u{b})"]
        x = f"f{b}"
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'<ir_version: 8, opset_import: ["" : 20, "qonnx.custom_op.general" : 2]>\n'
                   f"blocks (float[1,{width}]:UINT2 x) => (float[1,{width}] {x})\n<{', '.join(constants)}>\n{{\n" + "\n".join(nodes) + "\n}\n")


# ---- what is done with a page ----

def times_of(page):
    """Milliseconds of what a user does, by name: five times each, sorted. Asserted is the least: the machine may be busy."""
    actions = {
        "stage": "setStage(view.stage === data.stages.length - 1 ? 0 : data.stages.length - 1)",
        "search": "(byId('search').value = byId('search').value === 'thr' ? 'm' : 'thr', search(byId('search').value, true), draw())",
        "node": "choose('n' + view.picture.stage.nodes[Math.floor(Math.random() * view.picture.stage.nodes.length)].id)",
        "fold": "foldAll()",
        "colour": "setColour(view.colour === 'role' ? 'bits' : 'role')",
        "zoom": "zoomMiddle(0.8)",
    }
    found = {name: sorted(page.timed(action) for _ in range(5)) for name, action in actions.items()}
    page.js("(byId('search').value = '', search('', true), setColour('role'), setStage(data.stages.length - 1))")
    return found


def run_inference(page, text=None):
    """Runs the row in the page, or the given one; the outputs, and whether the page found them equal (None: no comparison)."""
    if page.js("view.tab") != "inference":
        page.click('[data-tab="inference"]')
    if text is not None:
        page.js("document.querySelector('#row').value = ''")
        page.js("document.querySelector('#row').focus()")
        page.type(text)
    page.click("#run")
    page.wait("document.querySelector('#result').dataset.state === 'done'")
    equal = page.js("(e => e && e.dataset.equal)(document.querySelector('#result [data-equal]'))")
    outputs = page.js("[...document.querySelectorAll('#result .output')].map(e => e.value)")
    return [[float(word) for word in output.split()] for output in outputs], equal


def numbers(path):
    """The elements of a .npy file of float32, as far as they are read here, and its shape."""
    data = open(path, "rb").read()
    length = int.from_bytes(data[8:10], "little")
    head = data[10:10 + length].decode("latin1")
    assert "'<f4'" in head, head
    values = array.array("f", data[10 + length:])
    return list(values), tuple(int(d) for d in re.search(r"\(([^)]*)\)", head).group(1).split(",") if d.strip())


def text_of(values):
    """A row as a user pastes it."""
    return " ".join(repr(v) for v in values)


def as_float32(values):
    """What the page prints is as short as float32 can be told apart by."""
    return [struct.unpack("<f", struct.pack("<f", v))[0] for v in values]


def check_page(browser, name, path, limit, given=None):
    """Clicks through a page; `given`: an input and the outputs that must come out."""
    size, weights = os.path.getsize(path), weight_bytes(path)
    case(f"{name}: {size - weights:,} bytes and {weights:,} of weights", size - weights < 3e6)
    page = browser.open(path, 1500, 950)
    last = page.js("data.stages.length - 1")
    page.click("#before")
    case(f"{name}: the stage before", page.js("view.stage") == last - 1 and page.js("Number(byId('stage').value)") == last - 1)
    page.js("document.querySelector('#graph').focus()")
    page.key("]")
    case(f"{name}: a key goes to the next stage", page.js("view.stage") == last)
    page.click("#search")
    page.type("multithreshold" if page.js("view.picture.stage.nodes.some(n => n.op === 'MultiThreshold')") else "mvau")
    page.key("Enter", "\r")
    case(f"{name}: search chooses a node", page.js("/MultiThreshold|MVAU/.test(document.querySelector('#panel h2').textContent)"))
    case(f"{name}: its thresholds are plotted", page.js("document.querySelectorAll('#panel canvas').length") >= 1)
    page.js("document.activeElement.blur()")
    key = page.js("""(() => { const b = byId("canvas").getBoundingClientRect(), far = i => Math.hypot(view.x + view.scale * i.x - b.width / 2,
        view.y + view.scale * i.y - b.height / 2); return view.picture.items.filter(i => i.nodes.length && i.key !== view.chosen)
        .sort((p, q) => far(p) - far(q))[0].key; })()""")
    page.click(f'[data-key="{key}"] .box')
    case(f"{name}: a click opens a node", page.js("view.chosen") == key, f"{page.js('view.chosen')} is chosen, not {key}")
    for tab, word in (("proof", "Verified"), ("passes", "streamline"), ("layers", "MACs")):
        if page.js("view.tab") != tab:
            page.click(f'[data-tab="{tab}"]')
        shown = page.js("document.querySelector('#drawer').textContent")
        case(f"{name}: the tab {tab}", word in shown, shown[:300])
    rows = page.js("document.querySelectorAll('#drawer tbody tr[data-name]').length")
    case(f"{name}: a row for each layer of the report", rows == page.js("Math.min(report.layers.length, MOST_ROWS)") > 0, rows)
    outputs, equal = run_inference(page)
    case(f"{name}: inference equals qcc's on a row of the page", equal == "true", outputs)
    page.screenshot(os.path.join(SHOTS, f"{name}-light.png"))
    page.js("setColour('cycles')")
    case(f"{name}: a legend for the colours", page.js("document.querySelector('#legend').textContent").startswith("cycles"))
    if given:
        outputs, _ = run_inference(page, text_of(given[0]))
        case(f"{name}: inference equals output.npy", [as_float32(o) for o in outputs] == [given[1]],
             f"{outputs} is not {given[1]}")
    times = times_of(page)
    print(f"# {name}: " + ", ".join(f"{what} {ms[2]:.0f} ms ({ms[4]:.0f})" for what, ms in times.items()))
    case(f"{name}: interaction within {limit} ms", max(ms[0] for ms in times.values()) < limit, times)
    saved = page.js("savedSvg()")
    case(f"{name}: a saved SVG stands alone", saved.startswith("<svg") and "var(" not in saved, saved[:300])
    case(f"{name}: nothing on the console, nothing from the network",
         not page.errors and all(url.startswith(("file:", "data:", "blob:")) for url in page.requests), page.errors + page.requests)
    dark = browser.open(path, 1500, 950, dark=True)
    dark.js("choose(view.picture.items.find(i => i.nodes.length).key)")
    dark.screenshot(os.path.join(SHOTS, f"{name}-dark.png"))
    case(f"{name}: dark where the system is", dark.js("document.documentElement.dataset.theme") == "dark" and not dark.errors, dark.errors)


# Between them they have most operators that the page executes.
NETWORKS = ("models/truncavg_w4a4", "models/deconv_w4a4", "models/mobilenet_gap_w4a4", "models/conv1d_radio_w4a4", "real/dyn_ae",
            "real/mbv3_se_w4a4", "real/tcn_w4a4", "real/vit_tiny_w8a8")


def check_inference(browser, folder):
    """Other operators: the outputs of networks of all kinds."""
    for name in NETWORKS:
        model = os.path.join(SHARED, name, "model.onnx")
        if not os.path.exists(model):
            skip(f"{name}: inference", "no ../shared/models here")
            continue
        path = compile_page(model, "streamline", os.path.join(folder, os.path.basename(name)), "html(samples=1)", prove=())
        page = browser.open(path, 1200, 800)
        outputs, equal = run_inference(page)
        case(f"{name}: inference equals qcc's", equal == "true" and not page.errors,
             [page.js("document.querySelector('#result').innerText.slice(0, 300)"), *page.errors])


def check_empty(browser, folder):
    """No nodes, and nothing at all."""
    for text in ("e (float[1,2] x) => (float[1,2] x) {}", "e () => () {}"):
        path = os.path.join(folder, "empty.onnxtxt")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        page = browser.open(compile_page(path, "", os.path.join(folder, "empty"), prove=()), 1200, 800)
        page.js("(fit(), foldAll(), turn(), choose(null), setColour('macs'), TABS.forEach(([tab]) => showTab(tab)))")
        case(f"the page of {text}", not page.errors, page.errors)


def check_hostile_names(browser, folder):
    """Names of a model that try to be markup or script, or to change the direction of text."""
    evil = "</script><script>window.stolen=1</script><img src=x onerror=window.stolen=1>\u202e\u2028&quot;'\\"
    path = os.path.join(folder, "evil.onnxtxt")
    quoted = evil.replace("\\", "\\\\").replace('"', '\\"')
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'evil (float[1,2] "{quoted}") => (float[1,2] y) {{ y = Relu("{quoted}") }}\n')
    try:
        page_path = compile_page(path, "", os.path.join(folder, "evil"))
    except subprocess.CalledProcessError:
        skip("names that are markup", "the text form has no such names")
        return
    page = browser.open(page_path, 1200, 800)
    page.js("choose('i0')")
    shown = page.js("document.querySelector('#panel .value b').textContent")
    case("names that are markup are shown as text", shown == evil and not page.errors, [shown, *page.errors])
    case("and do nothing", page.js("window.stolen === undefined && document.scripts.length === 2"))
    text = open(page_path, encoding="utf-8").read()
    case("no such name is in the file as it is", "<img" not in text and "\u202e" not in text and "\u2028" not in text)


def main():
    if not chromium.find():
        skip("the html page in a browser", "no Chromium here (Debian package chromium)")
        print("1..1")
        return
    os.makedirs(SHOTS, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, chromium.Browser() as browser:
        big = os.path.join(folder, "blocks.onnxtxt")
        residual_blocks(big, 334)
        check_page(browser, "2004-nodes", compile_page(big, "streamline", os.path.join(folder, "big")), 500)
        check_hostile_names(browser, folder)
        check_empty(browser, folder)
        check_inference(browser, folder)
        for name, passes in (("cybsec-mlp", "streamline,fold(target_fps=1e6)"), ("cnv_2w2a_legacy", "streamline,fold(target_fps=1000)")):
            model = os.path.join(SHARED, "models", name)
            if not os.path.isdir(model):
                skip(name, "no ../shared/models here")
                continue
            inputs, shape = numbers(os.path.join(model, "input.npy"))
            outputs, out_shape = numbers(os.path.join(model, "output.npy"))
            rows = shape[0]
            given = inputs[:len(inputs) // rows], outputs[:len(outputs) // out_shape[0]]
            check_page(browser, name, compile_page(os.path.join(model, "model.onnx"), passes, os.path.join(folder, name)), 100, given)
    print(f"1..{cases}")


if __name__ == "__main__":
    main()
