#!/usr/bin/env python3
"""How many small faults in src/passes and src/plan the tests find.

    tests/mutation.py prepare FOLDER                 builds qcc and the tests there, with a shared library (minutes)
    tests/mutation.py run FOLDER [--count 200] [--seed 1] [--seconds 0] [--only passes/fold] [--fast] [--again]

A mutant is one random line of code with one change: another comparison, operator or constant, a condition turned around, or the
statement left out. Which lines and changes depends on the seed and on the lines themselves, so that a change elsewhere in the
sources leaves the choice as it is. The changed file alone is compiled, and put in front of the library by LD_PRELOAD. The fast
tests run first, then under valgrind, then those with whole networks, until one fails, which is what is wanted. Mutants that do not compile, or compile
to the same code, do not count. mutation_equivalent.txt lists mutants that change nothing that anyone could test, each with the
reason; they are counted apart. What was found is kept in FOLDER/mutants.json, so that a run goes on where the last one ended;
--again runs the tests on those that survived. Survivors are printed with the line as it was and as it became; the last line has
the share that was caught."""
import argparse
import hashlib
import json
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
FAST = ["tests/passes/test_table", "tests/passes/test_streamline", "tests/passes/test_convert", "tests/passes/test_to_hw",
        "tests/passes/test_axes", "tests/passes/test_surgery", "tests/passes/test_prune_dead", "tests/passes/test_way_out",
        "tests/passes/test_schedule", "tests/passes/test_fold", "tests/passes/test_fold_exact", "tests/passes/test_parts", "tests/passes/test_written",
        "tests/backends/test_plan", "tests/unit/test_pipeline", "tests/unit/test_api", "tests/hw/test_design", "tests/hw/test_kinds",
        "tests/hw/test_memory", "tests/unit/test_text"]
# Those with whole networks, fewer of them than in `make check`, for the folders that they exercise.
ALL, PASSES, PLAN = FOLDERS, FOLDERS[:1], FOLDERS[1:]
SLOW = [(PLAN, "tests/backends/c_goldens.py"), (PLAN, "QCC_C_RANDOM=6 tests/backends/c_random.py"), (PLAN, "tests/backends/c_nodes.py"),
        (PASSES, "tests/passes/networks"), (PASSES, "tests/interop/random_networks.py --count 40 --qonnx-every 1000 --jobs 1"),
        (PASSES, "tests/interop/local_functions.py"), (PASSES, "tests/cli/misuses.sh"), (ALL, "QCC_HLS_RANDOM=3 tests/backends/hls_random.py")]
# Reads beyond the end and memory that is kept, which `make check` with the sanitizers finds, by programs that take little time.
MEMORY = ["valgrind " + t for t in FAST if t not in ("tests/passes/test_streamline", "tests/passes/test_schedule")]
MEMORY_ERROR = 97
VALGRIND = f"valgrind -q --trace-children=yes --error-exitcode={MEMORY_ERROR} --leak-check=full " \
           "--errors-for-leak-kinds=definite"
PROGRAMS = ["tests/passes/networks", "tests/ops/run_case", "tests/backends/emit_cases"]

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
    subprocess.run(["make", "-s", "-j2", "AM_LDFLAGS=-pthread", "qcc", *FAST, *PROGRAMS], cwd=folder, check=True)


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
    """(file, number) of lines that do something: within functions, no comments, no text alone, no assertions."""
    lines = []
    for folder in FOLDERS:
        for path in sorted((TOP / folder).rglob("*.c")):
            if only and only not in str(path):
                continue
            comment = False
            for number, line in enumerate(path.read_text().splitlines()):
                begins = line.lstrip()
                comment = comment or begins.startswith("/*")
                if not comment and line.startswith("\t") and begins and begins[0] not in "\"}" and \
                        not begins.startswith(("{", "case", "default:", "assert(")):
                    lines.append((path, number))
                comment = comment and "*/" not in line
    return lines


def drawn(seed, only):
    """(file, number, changed line) of all lines that can be changed, in the order that the seed gives."""
    texts, seen, ranked = {}, {}, []
    for path, number in code_lines(only):
        lines = texts.setdefault(path, path.read_text().splitlines())
        key = f"{seed} {path.relative_to(TOP)} {lines[number]}"
        seen[key] = seen.get(key, 0) + 1
        digest = hashlib.sha256(f"{key} {seen[key]}".encode()).hexdigest()
        change = mutated(lines[number], random.Random(digest))
        if change is not None:
            ranked.append((digest, path, number, change))
    return [r[1:] for r in sorted(ranked)]


def equivalents():
    """{(file, line, changed line): reason} of mutation_equivalent.txt: paragraphs of four lines."""
    text = (TOP / "tests/mutation_equivalent.txt").read_text()
    paragraphs = [p.splitlines() for p in text.split("\n\n") if not p.startswith("#")]
    return {(p[0], p[1].strip(), p[2].strip()): " ".join(line.strip() for line in p[3:]) for p in paragraphs if len(p) > 3}


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
    def __init__(self, folder, fast):
        self.fast = fast
        self.folder, self.compiler = folder, compiler(folder)
        self.work = pathlib.Path(tempfile.mkdtemp())
        self.seconds = {}
        self.environment = dict(os.environ, QCC_SRC=str(TOP), QCC_VERIFY="1", CMOCKA_MESSAGE_OUTPUT="TAP",
                                QCC_SHARED=os.environ.get("QCC_SHARED", str(TOP.parent / "shared")))
        self.loader = f"LD_LIBRARY_PATH={folder}/.libs LD_PRELOAD={self.work}/mutant.so"
        self.environment["QCC"] = self.wrapped("qcc", folder / ".libs/qcc")
        self.environment["QCC_EMIT_CASES"] = self.wrapped("emit_cases", folder / "tests/backends/.libs/emit_cases")
        self.objects = {}

    def wrapped(self, name, program, before=""):
        """A script that runs the program with the mutant in front: scripts must not have it in front of their interpreter."""
        path = self.work / name
        path.write_text(f'#!/bin/sh\nexec {before} env {self.loader} {program} "$@"\n')
        path.chmod(0o755)
        return str(path)

    def compiled(self, path, text):
        """The object file, without debugging information, so that equal code is equal."""
        source, target = self.work / path.name, self.work / "mutant.o"
        source.write_text(text)
        done = run([*self.compiler, "-O1", "-g0", "-iquote", str(path.parent), "-c", "-o", str(target), str(source)], cwd=self.folder)
        return target.read_bytes() if done.returncode == 0 else None

    def build(self, path, text):
        """Whether the text compiles to something else than the file does."""
        if path not in self.objects:
            self.objects[path] = self.compiled(path, path.read_text())
        code = self.compiled(path, text)
        if code is None or code == self.objects[path]:
            return False
        return run(["gcc", "-shared", "-o", str(self.work / "mutant.so"), str(self.work / "mutant.o")]).returncode == 0

    def command(self, test):
        """The words that run a test, and what they add to the environment."""
        words = test.split()
        settings = dict(w.split("=") for w in words if re.match(r"[A-Z_]+=", w))
        words = [w for w in words if not re.match(r"[A-Z_]+=", w)]
        path = pathlib.Path(words[-1] if words[0] == "valgrind" else words[0])
        if path.suffix == ".py":
            return [os.environ.get("QCC_PYTHON", sys.executable), str(TOP / path), *words[1:]], settings
        if path.suffix == ".sh":
            return ["sh", str(TOP / path), *words[1:]], settings
        program = self.folder / path.parent / ".libs" / path.name
        return [self.wrapped("-".join([*words[:-1], path.name]), program, VALGRIND if words[0] == "valgrind" else "")], settings

    def passes(self, test):
        """Whether the test passes with the mutant in front."""
        command, settings = self.command(test)
        with tempfile.TemporaryFile("w+") as said:
            process = subprocess.Popen(command, stdout=said, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, cwd=self.folder,
                                       env=dict(self.environment, **settings), start_new_session=True)
            try:
                process.wait(10 * self.seconds.get(test, 30) + 20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                process.wait()
                return False
            said.seek(0)
            lines = said.read().splitlines()
        if process.returncode == MEMORY_ERROR:
            return False
        return any(line.startswith("ok") for line in lines) and not any(re.match(r"not ok \d+ (?!# SKIP)", line) for line in lines)

    def measure(self):
        """How long each test takes without a mutant. Those that fail then are left out."""
        kept = self.folder / "seconds.json"
        path = next((TOP / FOLDERS[0]).glob("*.c"))
        self.compiled(path, path.read_text())
        run(["gcc", "-shared", "-o", str(self.work / "mutant.so"), str(self.work / "mutant.o")])
        self.seconds = json.loads(kept.read_text()) if kept.exists() else {}
        for test in FAST if self.fast else [*FAST, *MEMORY, *(t for _, t in SLOW)]:
            if test in self.seconds:
                continue
            started = time.monotonic()
            good = self.passes(test)
            self.seconds[test] = time.monotonic() - started if good else None
            if not good:
                print(f"{test} fails without a mutant and is left out", flush=True)
            kept.write_text(json.dumps(self.seconds))
        self.seconds = {t: s for t, s in self.seconds.items() if s is not None}

    def find(self, path, text):
        """The test that finds the mutant; "" where none does, None where it is no mutant."""
        if not self.build(path, text):
            return None
        folder = str(path.relative_to(TOP))
        tests = sorted((t for t in FAST if t in self.seconds), key=self.seconds.get)
        if self.fast:
            return next((t for t in tests if not self.passes(t)), "")
        tests += [t for t in MEMORY if t in self.seconds]
        tests += sorted((t for where, t in SLOW if t in self.seconds and folder.startswith(where)), key=self.seconds.get)
        return next((t for t in tests if not self.passes(t)), "")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("what", choices=("prepare", "run"))
    p.add_argument("folder", type=pathlib.Path)
    p.add_argument("--count", type=int, default=200)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--seconds", type=float, default=0, help="stop after that time")
    p.add_argument("--only", help="files whose path has this in it")
    p.add_argument("--fast", action="store_true", help="only the tests that take seconds")
    p.add_argument("--again", action="store_true", help="run the tests on the survivors of earlier runs as well")
    o = p.parse_args()
    if o.what == "prepare":
        return prepare(o.folder.resolve())
    mutants = Mutants(o.folder.resolve(), o.fast)
    until = time.monotonic() + (o.seconds or 1e9)
    mutants.measure()
    kept = mutants.folder / "mutants.json"
    known = json.loads(kept.read_text()) if kept.exists() else {}
    same, counts, ran = equivalents(), {"caught": 0, "survived": 0, "equivalent": 0}, 0
    for path, number, change in drawn(o.seed, o.only):
        if ran == o.count or time.monotonic() > until:
            break
        text = path.read_text().splitlines()
        before, text[number] = text[number], change
        name = str(path.relative_to(TOP))
        key = "\n".join((name, str(number), before, change))
        if known.get(key, "") == "" and (key not in known or o.again) and (name, before.strip(), change.strip()) not in same:
            known[key] = mutants.find(path, "\n".join(text) + "\n")
            kept.write_text(json.dumps(known, indent=1))
        found = known.get(key, "")
        if found is None:
            continue
        ran += 1
        reason = same.get((name, before.strip(), change.strip()))
        verdict = "caught" if found else "equivalent" if reason else "survived"
        counts[verdict] += 1
        print(f"{ran} {verdict}{' by ' + found if found else ': ' + reason if reason else ''}: {name}:{number + 1}\n"
              f"    {before.strip()}\n    {change.strip()}", flush=True)
    of = counts["caught"] + counts["survived"]
    print(f"{counts['caught']} of {of} mutants caught, {100 * counts['caught'] / max(of, 1):.1f} %; {counts['equivalent']} more are equivalent")
    return 0


sys.exit(main())
