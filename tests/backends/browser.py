"""A headless Chromium, driven over the DevTools protocol through a pipe: nothing but the standard library is needed.

    with Browser() as browser:
        page = browser.open("out/html/index.html", 1400, 900)
        page.click("#run")
        page.js("document.title")
        page.screenshot("page.png")
        page.errors         # exceptions and messages of level error, so far
"""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find():
    """The program; None: there is none. QCC_CHROMIUM names another."""
    return next((path for path in map(shutil.which, (os.environ.get("QCC_CHROMIUM") or NAMES[0], *NAMES)) if path), None)


class Browser:
    """One browser with a profile of its own, which goes at the end."""

    def __enter__(self):
        self.profile = tempfile.mkdtemp(prefix="qcc-browser-")
        there_in, self.to = os.pipe()
        self.back, there_out = os.pipe()
        arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars",
                     "--remote-debugging-pipe", f"--user-data-dir={self.profile}", "about:blank"]
        command = f'exec "$0" "$@" 3<&{there_in} 4>&{there_out}'
        self.process = subprocess.Popen(["bash", "-c", command, find(), *arguments], pass_fds=(there_in, there_out),
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(there_in)
        os.close(there_out)
        self.buffer, self.number, self.pages = b"", 0, {}
        return self

    def __exit__(self, *_):
        try:
            self.call("Browser.close")
            self.process.wait(10)
        except (OSError, EOFError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.to)
        os.close(self.back)
        shutil.rmtree(self.profile, ignore_errors=True)

    def receive(self):
        """The next message, after which events are with their pages."""
        while b"\0" not in self.buffer:
            part = os.read(self.back, 1 << 20)
            if not part:
                raise EOFError("the browser has ended")
            self.buffer += part
        text, self.buffer = self.buffer.split(b"\0", 1)
        message = json.loads(text)
        page = self.pages.get(message.get("sessionId"))
        if page and "method" in message:
            page.take(message["method"], message["params"])
        return message

    def call(self, method, session=None, **parameters):
        """Sends a command and waits for its result."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters, **({"sessionId": session} if session else {})}
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.to, data):]
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def open(self, path, width, height, dark=False):
        """A page in a window of that size, once it says that it is ready."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        page = Page(self, self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
        self.pages[page.session] = page
        for domain in ("Runtime", "Log", "Page", "Network"):
            page.call(f"{domain}.enable")
        page.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        page.call("Page.navigate", url="file://" + os.path.abspath(path))
        page.wait("document.documentElement?.dataset.ready === 'true'")
        return page


class Page:
    """A tab. `errors`: what went wrong in it; `requests`: the addresses that it asked for."""

    def __init__(self, browser, session):
        self.browser, self.session, self.errors, self.requests = browser, session, [], []

    def take(self, method, parameters):
        """An event."""
        if method == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning", "assert"):
            self.errors.append(" ".join(str(a.get("value", a.get("description"))) for a in parameters["args"]))
        elif method == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.errors.append(parameters["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])

    def call(self, method, **parameters):
        """A command to this tab."""
        return self.browser.call(method, self.session, **parameters)

    def js(self, expression):
        """The value of an expression; promises are waited for."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            raise RuntimeError(details.get("exception", {}).get("description") or details["text"])
        return result["result"].get("value")

    def wait(self, expression, seconds=20):
        """Until the expression is true."""
        end = time.monotonic() + seconds
        while not self.js(expression):
            if time.monotonic() > end:
                raise TimeoutError(f"{expression} did not become true; errors: {self.errors}")
            time.sleep(0.02)

    def timed(self, action):
        """Milliseconds until what the action (an expression) does is on the screen: two frames later, less one frame."""
        return self.js(f"""(async () => {{
            const frame = () => new Promise(go => requestAnimationFrame(go));
            await frame();
            const start = performance.now();
            {action};
            const worked = performance.now() - start;
            await frame();
            const drawn = performance.now();
            document.body.getBoundingClientRect();
            await frame();
            return Math.max(worked, performance.now() - start - 16.7);
        }})()""")

    def middle(self, selector):
        """Where the middle of the first such element is."""
        return self.js(f"""(() => {{ const e = document.querySelector({json.dumps(selector)});
            e.scrollIntoView({{ block: "nearest" }});
            const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; }})()""")

    def click(self, selector, times=1):
        """With the mouse, as a user does."""
        x, y = self.middle(selector)
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        for count in range(1, times + 1):
            for kind in ("mousePressed", "mouseReleased"):
                self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=count)

    def key(self, key, text=None):
        """A key; printable ones with their text."""
        text = text or (key if len(key) == 1 else None)
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def type(self, text):
        """Into what has the focus."""
        self.call("Input.insertText", text=text)

    def screenshot(self, path):
        """As PNG."""
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))
