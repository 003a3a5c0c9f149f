#!/usr/bin/env python3
"""Hostile models through the whole command: each gives a one-line error or a result within its time and memory, and no
sanitizer reports anything. Own models of each kind (hostile_models.py), and the files of $QCC_SHARED/hostile where present."""
import concurrent.futures
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import zipfile

import hostile_models

QCC = os.environ.get("QCC", "qcc")
SHARED = pathlib.Path(os.environ.get("QCC_SHARED", "")) / "hostile"
SANITIZED = b"__asan_init" in pathlib.Path(QCC).read_bytes()[:1 << 26] or os.environ.get("QCC_SANITIZED") == "1"
SECONDS = 30 if SANITIZED else 2
WALL = 60  # other programs run on the machine; time counts as the processor spent it
BYTES = None if SANITIZED else 256 << 20
RUNS = {
    "compile": ["-p", "streamline,fold", "-b", "finn,c,hls", "-o", "OUT"],
    "default": ["-o", "OUT"],
    "packed": ["-p", "streamline,to-hw", "-b", "c(packed)", "-o", "OUT"],
    "run": ["run", "-o", "OUT.npy"],
    "verify": ["-p", "cleanup", "--verify", "-o", "OUT"],
    "info": ["info"],
}


def limits():
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def fault(arguments, folder):
    """What is wrong with this run; None where nothing is."""
    environment = dict(os.environ, UBSAN_OPTIONS="print_stacktrace=1", ASAN_OPTIONS="detect_leaks=0", QCC_VERIFY="1")
    process = subprocess.Popen([QCC, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, cwd=folder, env=environment, preexec_fn=limits)
    timer = concurrent.futures.ThreadPoolExecutor(1)
    said = timer.submit(process.stderr.read)
    try:
        text = said.result(WALL).decode("utf-8", "replace")
    except concurrent.futures.TimeoutError:
        process.kill()
        return f"hangs for {WALL} s"
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = 0
    if "runtime error" in text or "Sanitizer" in text:
        return next(line for line in text.splitlines() if "runtime error" in line or "Sanitizer" in line)
    if os.WIFSIGNALED(status):
        return f"ends by signal {os.WTERMSIG(status)} after {used.ru_utime + used.ru_stime:.1f} s"
    code = os.WEXITSTATUS(status)
    if code not in (0, 1) or (code == 1 and not text.startswith("qcc: ")):
        return f"ends with {code} and says {text[:200]!r}"
    if any(c != "\n" and not c.isprintable() for c in text) or any(len(line) > 10000 for line in text.splitlines()):
        return "says what is not fit to print"
    if BYTES and used.ru_maxrss * 1024 > BYTES:
        return f"takes {used.ru_maxrss >> 10} MB"
    return None


def check(name, path, runs=RUNS):
    with tempfile.TemporaryDirectory() as work:
        for run, arguments in runs.items():
            arguments = [a.replace("OUT", work + "/out") for a in arguments]
            command = arguments[:1] if arguments[0] in ("run", "info") else []
            wrong = fault([*command, str(path), *arguments[len(command):]], path.parent)
            if wrong:
                return name, f"{run}: {wrong}"
    return name, None


def check_script(name, text, folder, model):
    path = folder / f"{name}.lua"
    path.write_text(text)
    wrong = fault(["--max-seconds", "1", "--max-memory", "64M", "--script", str(path), str(model)], folder)
    return f"script {name}", wrong


def check_archive(folder, model):
    path = folder / "bomb.npz"
    head = b"\x93NUMPY\x01\x00\x46\x00" + b"{'descr': '|u1', 'fortran_order': False, 'shape': (2147483647,), }".ljust(69) + b"\n"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z, z.open("x.npy", "w") as member:
        member.write(head)
        for _ in range(300):
            member.write(bytes(1 << 20))
    return "archive of 300 MB in 300 kB", fault(["run", str(model), str(path)], folder)


def write_models(folder):
    (folder / "w").write_bytes(bytes(4))
    os.mkfifo(folder / "pipe")
    (folder / "link").symlink_to("/etc/hostname")
    (folder / "null").symlink_to("/dev/zero")
    paths = {}
    for name, data in hostile_models.models().items():
        paths[name] = folder / f"{name}.onnx"
        paths[name].write_bytes(data)
    return paths


def shared():
    found = sorted([*SHARED.glob("*.onnx*"), *SHARED.glob("structured/*.onnx")])
    return {f"shared {p.name}": p for p in found}


def main():
    if not hasattr(os, "wait4"):
        print("1..0 # SKIP no wait4")
        return
    with tempfile.TemporaryDirectory() as work, concurrent.futures.ThreadPoolExecutor(2) as pool:
        folder = pathlib.Path(work)
        models = write_models(folder)
        jobs = [pool.submit(check, name, path) for name, path in {**models, **shared()}.items()]
        jobs += [pool.submit(check, name, folder / name, {"info": ["info"]}) for name in ("pipe", "null")]
        jobs += [pool.submit(check_script, n, t, folder, models["tile"]) for n, t in hostile_models.SCRIPTS.items()]
        jobs.append(pool.submit(check_archive, folder, models["float-axis"]))
        failed = 0
        for i, job in enumerate(jobs, 1):
            name, wrong = job.result()
            failed += wrong is not None
            print(f"{'not ok' if wrong else 'ok'} {i} - {name}" + (f"\n# {wrong}" if wrong else ""), flush=True)
        if not SHARED.is_dir():
            print(f"ok {len(jobs) + 1} - files of ../shared/hostile # SKIP not here")
        print(f"1..{len(jobs) + (not SHARED.is_dir())}")
    sys.exit(failed > 0)


main()
