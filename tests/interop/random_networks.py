#!/usr/bin/env python3
"""Random quantised networks: qonnx against qcc, before and after its passes.

    random_networks.py [--count N] [--first SEED]      a run, in TAP
    random_networks.py --seed SEED [--minimise] [--keep DIR]   one network again

Each network is executed by qonnx and, as exported, converted and streamlined,
by `qcc run`; qcc's own files by qonnx as well. Outputs must agree: integers and
decisions exactly, real numbers to 1e-5 of the output's magnitude.
"""

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

QCC = os.environ.get("QCC", "qcc")


def missing():
    """Why this cannot run here, or None."""
    try:
        import onnx, onnxruntime, qonnx  # noqa: F401, E401
    except ImportError as e:
        return f"Python package {e.name} is missing"
    return None


def check_one(task):
    """Worker: (seed, spec or None, options) -> seed, Result."""
    from netgen import check, spec as netspec
    seed, spec, passes, folder, with_qonnx = task
    check.one_thread_sessions()
    spec = spec or netspec.draw_network(seed)
    try:
        result = check.check(spec, QCC, Path(folder) / str(os.getpid()), passes, with_qonnx)
    except Exception as e:  # the generator's own fault, or qonnx's
        result = check.Result("broken", f"{type(e).__name__}: {str(e)[-300:]}")
    return seed, result


def many(options, folder):
    """Yield (seed, result) of all networks, as they come, in order."""
    tasks = [(s, None, options.passes, folder, s % options.qonnx_every == 0)
             for s in range(options.first, options.first + options.count)]
    with multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
        yield from pool.imap(check_one, tasks, chunksize=4)


def verdict(result, options):
    """TAP words for a result."""
    if result.status in ("ok", "dropped") or (result.status == "refused" and not options.strict):
        return "ok"
    return "not ok"


def run_many(options):
    totals, reasons, start, failed, networks = Counter(), Counter(), time.time(), 0, 0
    print(f"1..{options.count + 1}")
    with tempfile.TemporaryDirectory() as folder:
        for number, (seed, r) in enumerate(many(options, folder), 1):
            totals[r.status] += 1
            networks += r.status != "dropped"
            totals["leftovers"] += r.leftovers > 0
            failed += verdict(r, options) == "not ok"
            note = f" # SKIP {r.detail[:300]}" if r.status in ("dropped", "refused") else ""
            print(f"{verdict(r, options)} {number} - seed {seed}, {r.nodes} nodes, {r.status}"
                  f"{f', {r.leftovers} left over' if r.leftovers else ''}{note}".replace("\n", " "), flush=True)
            if verdict(r, options) == "not ok":
                print("\n".join("# " + line for line in r.detail.splitlines()))
                print(f"# again: {sys.argv[0]} --seed {seed} --minimise")
            if r.status == "refused":
                reasons["refused: " + r.detail.split(";")[0].split("): ")[-1][:100]] += 1
            if r.leftovers:
                reasons["left over: " + r.detail.split(";")[0][:100]] += 1
    for reason, count in reasons.most_common(10):
        print(f"# {count} times {reason}")
    enough = totals["ok"] >= options.least * networks
    print(f"{'ok' if enough else 'not ok'} {options.count + 1} - {totals['ok']} of {networks} networks "
          f"compared equal at every stage")
    print(f"# {dict(totals)} in {time.time() - start:.0f} s")
    return 1 if failed or not enough else 0


def run_one(options):
    from netgen import check, shrink, spec as netspec
    check.one_thread_sessions()
    folder = Path(options.keep or tempfile.mkdtemp(prefix="qcc-random-"))
    spec = json.loads(Path(options.spec).read_text()) if options.spec else netspec.draw_network(options.seed)
    result = check.check(spec, QCC, folder, options.passes)
    print(f"{result.status}: {result.detail}")
    if options.minimise and result.status not in ("ok", "dropped"):
        def fails(candidate):
            try:
                return check.check(candidate, QCC, folder, options.passes).key() == result.key()
            except Exception:
                return False
        spec = shrink.minimise(spec, fails)
        result = check.check(spec, QCC, folder, options.passes)
        print(f"smallest: {result.status}: {result.detail}")
        print(json.dumps(spec, indent=1))
    (folder / "spec.json").write_text(json.dumps(spec))
    print(f"files in {folder}; operators: {dict(check.operators(spec))}")
    return 0 if result.status in ("ok", "dropped") else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=int(os.environ.get("QCC_RANDOM_NETWORKS", "560")))
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--passes", default="convert+streamline",
                        help="pipelines tried, joined by '+'; empty: only the original is run")
    parser.add_argument("--qonnx-every", type=int, default=3, help="qcc's files go through qonnx every Nth time")
    parser.add_argument("--least", type=float, default=0.9, help="share of networks that must compare equal")
    parser.add_argument("--strict", action="store_true", help="a refusal is a failure")
    parser.add_argument("--seed", type=int, help="one network again")
    parser.add_argument("--spec", help="a network kept as spec.json")
    parser.add_argument("--minimise", action="store_true", help="shrink a failing network")
    parser.add_argument("--keep", help="folder for the files of one network")
    options = parser.parse_args()
    reason = missing()
    if reason:
        print(f"1..0 # SKIP {reason}")
        return 0
    if options.seed is not None or options.spec:
        return run_one(options)
    return run_many(options)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    sys.exit(main())
sys.path.insert(0, str(Path(__file__).parent))
