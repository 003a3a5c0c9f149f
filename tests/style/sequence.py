#!/usr/bin/env python3
"""Two arguments of one call must not both add nodes or values to a graph.

C leaves open which of them is evaluated first, and compilers differ: what is
written would have another order by gcc than by clang. A function adds to a
graph where it calls one that does; functions are told apart by file and name.
"""

import os
import re
from pathlib import Path

SRC = Path(os.environ.get("QCC_SRC", Path(__file__).resolve().parents[2])) / "src"
ADDING = {"value_new", "value_new_constant", "value_new_named", "node_new", "node_new_with"}
CALL = re.compile(r"\b(\w+)\(")
FUNCTION = re.compile(r"^[a-z][\w \*]*?(\w+)\([^;{}]*\)\s*\n\{\n(.*?)^\}", re.MULTILINE | re.DOTALL)


def bare(text):
    """The text without comments and what stands in quotes; lines stay."""
    text = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.DOTALL)
    return re.sub(r'"(\\.|[^"\\\n])*"' + r"|'(\\.|[^'\\\n])+'", '""', text)


def arguments(text, at):
    """The arguments of the call whose parenthesis opens there."""
    depth, start, found = 0, at + 1, []
    for i in range(at, len(text)):
        depth += text[i] in "([{"
        depth -= text[i] in ")]}"
        if depth == 0 or (depth == 1 and text[i] == ","):
            found.append(text[start:i])
            start = i + 1
        if depth == 0:
            break
    return found


def main():
    texts = {path: bare(path.read_text()) for path in sorted(SRC.rglob("*.[ch]"))}
    bodies = {(path, m[1]): m[2] for path, text in texts.items() for m in FUNCTION.finditer(text)}
    static = {(path, m[1]) for path, text in texts.items() for m in re.finditer(r"^static [\w \*]*?(\w+)\(", text, re.MULTILINE)}
    public = {name: (path, name) for path, name in bodies if (path, name) not in static}

    def adds(path, name):
        key = (path, name) if (path, name) in bodies else public.get(name)
        return name in ADDING or key in adding
    adding = set()
    while fresh := {key for key, body in bodies.items() if key not in adding and any(adds(key[0], n) for n in CALL.findall(body))}:
        adding |= fresh
    wrong = [f"{path.relative_to(SRC.parent)}:{text.count(chr(10), 0, m.start()) + 1}: {m[1]}"
             for path, text in texts.items() for m in CALL.finditer(text)
             if m[1] not in ("if", "for", "while", "switch", "return", "sizeof")
             and sum(any(adds(path, n) for n in CALL.findall(a)) for a in arguments(text, m.end() - 1)) > 1]
    for line in wrong:
        print("#", line)
    print("not ok" if wrong else "ok", "1 - no call has two arguments that add to a graph")
    print("1..1")
    return len(wrong) > 0


if __name__ == "__main__":
    raise SystemExit(main())
