#!/usr/bin/env python3
"""How many small faults in src/passes and src/plan the fast tests find.

    tests/mutation.py prepare FOLDER                 builds qcc and the tests there, with a shared library (minutes)
    tests/mutation.py run FOLDER [--count 200] [--seed 1] [--seconds 0] [--only passes/fold]

A mutant is one random line of code with one change: another comparison, operator or constant, a condition turned around, or the
statement left out. The changed file alone is compiled, and put in front of the library by LD_PRELOAD. The tests run from the
fastest to the slowest until one fails, which is what is wanted. Survivors are printed with the line as it was and as it became;
the last line has the share that was caught. Mutants that do not compile, or compile to the same code, do not count."""
import argparse
import os
import pathlib
import random
import re
import shlex
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[1]
FOLDERS = ("src/passes", "src/plan")
# Programs that take seconds at the most.
TESTS = ["tests/passes/test_table", "tests/passes/test_streamline", "tests/passes/test_convert", "tests/passes/test_to_hw",
         "tests/passes/test_axes", "tests/passes/test_surgery", "tests/passes/test_prune_dead", "tests/passes/test_way_out",
         "tests/passes/test_schedule", "tests/passes/test_fold", "tests/passes/test_fold_exact", "tests/backends/test_plan",
         "tests/unit/test_pipeline", "tests/unit/test_api", "tests/hw/test_design", "tests/hw/test_kinds", "tests/hw/test_memory",
         "tests/unit/test_text"]

CHANGES = [(r"<=", "<"), (r">=", ">"), (r"(?<![<>=!\-])<(?![<=])", "<="), (r"(?<![<>=!\-])>(?![>=])", ">="), (r"==", "!="), (r"!=", "=="),
           (r"&&", "||"), (r"\|\|", "&&"), (r" \+ ", " - "), (r" - ", " + "), (r" \* (?=\w)", " + "), (r" / ", " * "),
           (r"\+\+", "--"), (r"\+= ", "-= "), (r"(?<![\w.])0(?![\w.])", "1"), (r"(?<![\w.])1(?![\w.])", "2"),
           (r"(?<![\w.])2(?![\w.])", "3"), (r"\btrue\b", "false"), (r"\bfalse\b", "true"), (r"!(?=[\w(])", ""),
           (r"\bif \((.*)\)$", r"if (!(\1))"), (r"\bcontinue;", "break;"), (r"\breturn (?!0;|-1;)(.+);", r"return !(\1);")]


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, **options)


def prepare(folder):
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run([TOP / "configure", "-q", "--disable-static", "--enable-shared", "CC=gcc", "CFLAGS=-O0 -g -fvisibility=default",
                    "LDFLAGS=-Wl,--copy-dt-needed-entries"],
                   cwd=folder, check=True)
    subprocess.run(["make", "-s", "-j2", "AM_LDFLAGS=-pthread", "qcc", *TESTS], cwd=folder, check=True)


def compiler(folder):
    """The compiler's command for a file, as make would call it."""
    text = run(["make", "-pn", "qcc"], cwd=folder).stdout
    values = {}
    for name in ("DEFS", "DEFAULT_INCLUDES", "INCLUDES", "AM_CPPFLAGS", "CPPFLAGS", "AM_CFLAGS", "CFLAGS"):
        found = re.search(rf"^{name} = (.*)$", text, re.M)
        values[name] = found.group(1) if found else ""
    flags = " ".join(values.values())
    while "$(" in flags:
        flags = re.sub(r"\$\((\w+)\)", lambda m: (re.search(rf"^{m.group(1)} = (.*)$", text, re.M) or [0, ""])[1], flags)
    return ["gcc", *[f for f in shlex.split(flags) if f != "-Werror"], "-w", "-fPIC"]


def code_lines(only):
    """(file, number) of lines that do something: within functions, no comments, no text alone."""
    lines = []
    for folder in FOLDERS:
        for path in sorted((TOP / folder).rglob("*.c")):
            if only and only not in str(path):
                continue
            comment = False
            for number, line in enumerate(path.read_text().splitlines()):
                begins = line.lstrip()
                comment = comment or begins.startswith("/*")
                if not comment and line.startswith("\t") and begins and begins[0] not in "\"}" and not begins.startswith(("{", "case", "default:")):
                    lines.append((path, number))
                comment = comment and "*/" not in line
    return lines


def outside_strings(line, at):
    return line[:at].count('"') % 2 == 0 and "/*" not in line[:at]


def mutated(line, rng):
    """The line with one change; None where nothing can be changed."""
    options = []
    for pattern, to in CHANGES:
        for m in re.finditer(pattern, line):
            if outside_strings(line, m.start()):
                options.append(line[:m.start()] + m.expand(to) + line[m.end():])
    statement = line.strip()
    if re.match(r"[\w>.\-\[\]*]+(\(.*\)| [-+*|&]?= .*|\+\+);$", statement) and not statement.startswith("return"):
        options.append(line[:len(line) - len(statement)] + ";")
    return rng.choice(options) if options else None


class Mutants:
    def __init__(self, folder):
        self.folder, self.compiler = folder, compiler(folder)
        self.work = pathlib.Path(tempfile.mkdtemp())
        self.seconds = {}
        self.environment = dict(os.environ, QCC=str(folder / "qcc"), QCC_SRC=str(TOP), QCC_VERIFY="1", CMOCKA_MESSAGE_OUTPUT="TAP",
                                QCC_SHARED=os.environ.get("QCC_SHARED", str(TOP.parent / "shared")), LD_LIBRARY_PATH=str(folder / ".libs"))

    def build(self, path, text):
        source, library = self.work / path.name, self.work / "mutant.so"
        source.write_text(text)
        extra = ["-iquote", str(path.parent)]
        done = run([*self.compiler, *extra, "-shared", "-o", str(library), str(source)], cwd=self.folder)
        return library if done.returncode == 0 else None

    def passes(self, test, library):
        """Whether the test passes with that library in front."""
        program = self.folder / pathlib.Path(test).parent / ".libs" / pathlib.Path(test).name
        try:
            done = run([program], cwd=self.folder, env=dict(self.environment, LD_PRELOAD=str(library)),
                       timeout=20 * self.seconds.get(test, 10) + 20)
        except subprocess.TimeoutExpired:
            return False
        lines = done.stdout.splitlines()
        return any(line.startswith("ok") for line in lines) and not any(re.match(r"not ok \d+ (?!# SKIP)", line) for line in lines)

    def measure(self):
        """How long each test takes. Those that fail without a mutant are left out."""
        path = next((TOP / FOLDERS[0]).glob("*.c"))
        library = self.build(path, path.read_text())
        for test in TESTS:
            started = time.monotonic()
            good = self.passes(test, library)
            if good:
                self.seconds[test] = time.monotonic() - started
            else:
                print(f"{test} fails without a mutant and is left out", flush=True)

    def find(self, path, text):
        """The test that finds the mutant; "" where none does, None where it is no mutant."""
        library = self.build(path, text)
        if not library:
            return None
        return next((t for t in sorted(self.seconds, key=self.seconds.get) if not self.passes(t, library)), "")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("what", choices=("prepare", "run"))
    p.add_argument("folder", type=pathlib.Path)
    p.add_argument("--count", type=int, default=200)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--first", type=int, default=0, help="leave out the mutants before that one")
    p.add_argument("--seconds", type=float, default=0, help="stop after that time")
    p.add_argument("--only", help="files whose path has this in it")
    o = p.parse_args()
    if o.what == "prepare":
        return prepare(o.folder.resolve())
    mutants = Mutants(o.folder.resolve())
    mutants.measure()
    rng = random.Random(o.seed)
    lines, tried, caught, until = code_lines(o.only), 0, 0, time.monotonic() + (o.seconds or 1e9)
    while tried < o.count and time.monotonic() < until:
        path, number = rng.choice(lines)
        text = path.read_text().splitlines()
        change = mutated(text[number], rng)
        if change is None:
            continue
        tried += 1
        if tried <= o.first:
            continue
        before, text[number] = text[number], change
        found = mutants.find(path, "\n".join(text) + "\n")
        if found is None:
            tried -= 1
            continue
        caught += bool(found)
        print(f"{tried} {'caught by ' + found if found else 'SURVIVED'}: {path.relative_to(TOP)}:{number + 1}\n"
              f"    {before.strip()}\n    {change.strip()}", flush=True)
    ran = tried - o.first
    print(f"{caught} of {ran} mutants caught, {100 * caught / max(ran, 1):.1f} %")
    return 0


sys.exit(main())
