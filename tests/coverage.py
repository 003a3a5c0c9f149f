#!/usr/bin/env python3
"""Which lines and branches of src/ the tests reach: a line for each file, those with the lowest share first, and the sums.

    tests/coverage.py FOLDER [LEAST]    FOLDER: a build with --enable-gcov whose tests have run; `make coverage` calls this.

Ends with status 1 where less than LEAST percent of the lines were reached (default 90)."""
import collections
import json
import os
import pathlib
import subprocess
import sys

SRC = pathlib.Path(__file__).resolve().parents[1] / "src"


def measured(folder):
    """For each source file its lines and branches, each with how often it was reached in any of the objects."""
    lines = collections.defaultdict(lambda: collections.defaultdict(int))
    branches = collections.defaultdict(lambda: collections.defaultdict(int))
    notes = sorted(str(p) for p in (folder / "src").rglob("*.gcno"))
    for start in range(0, len(notes), 20):
        run = subprocess.run(["gcov", "--json-format", "--stdout", "-b", *notes[start:start + 20]], cwd=folder,
                             capture_output=True, text=True)
        for text in run.stdout.splitlines():
            for file in json.loads(text)["files"]:
                path = pathlib.Path(os.path.normpath(folder / file["file"]))
                if SRC not in path.parents:
                    continue
                for line in file["lines"]:
                    lines[path][line["line_number"]] += line["count"]
                    for i, branch in enumerate(line["branches"]):
                        branches[path][line["line_number"], i] += branch["count"]
    return lines, branches


def share(counts):
    return 100 * sum(n > 0 for n in counts) / len(counts) if counts else 100


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    least = float(sys.argv[2]) if len(sys.argv) > 2 else 90
    lines, branches = measured(folder)
    if not lines:
        sys.exit("no figures: configure with --enable-gcov, and run the tests")
    print("  lines branches")
    for path in sorted(lines, key=lambda p: share(lines[p].values())):
        print(f"{share(lines[path].values()):6.1f} % {share(branches[path].values()):6.1f} %  {path.relative_to(SRC.parent)}")
    all_lines = [n for counts in lines.values() for n in counts.values()]
    all_branches = [n for counts in branches.values() for n in counts.values()]
    print(f"together {share(all_lines):.2f} % of {len(all_lines)} lines, {share(all_branches):.2f} % of "
          f"{len(all_branches)} branches")
    sys.exit(share(all_lines) < least)


main()
