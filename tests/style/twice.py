#!/usr/bin/env python3
"""No function of src/ has the same body in two files: what several files need is declared in a header.

Bodies of less than 80 characters, white space apart, may be alike by chance.
"""
import collections
import os
import re
import sys
from pathlib import Path

FUNCTION = re.compile(r"^static [^\n;{}=]*?\b(\w+)\([^;{}]*\)\n\{\n(.*?)\n\}\n", re.S | re.M)


def functions(texts):
    """{body: [file: function]} of the static functions in {file: text}."""
    found = collections.defaultdict(list)
    for file, text in texts.items():
        for name, body in FUNCTION.findall(text):
            body = " ".join(body.split())
            if len(body) >= 80:
                found[body].append(f"{file}: {name}")
    return found


def twice(texts):
    return [places for places in functions(texts).values() if len(places) > 1]


def main():
    top = Path(os.environ.get("QCC_SRC", Path(__file__).resolve().parents[2]))
    texts = {str(f.relative_to(top)): f.read_text() for f in sorted((top / "src").rglob("*.c"))}
    wrong = twice(texts)
    print(f"{'not ok' if wrong else 'ok'} 1 - no function is written twice")
    for places in wrong:
        print("# " + ", ".join(places))
    file, text = next((f, t) for f, t in texts.items() if any(len(b) >= 80 for _, b in FUNCTION.findall(t)))
    print(f"{'ok' if twice({file: text, 'copy.c': text}) else 'not ok'} 2 - one that is copied is found")
    print("1..2")
    sys.exit(bool(wrong))


main()
