#!/usr/bin/env python3
"""Time and peak memory of whole processes, run in turn.

Reads a JSON list of commands (lists of words) and a number of rounds from the
command line; each round runs every command once. Prints a JSON list with, for
each command, its seconds, peak resident bytes and exit statuses.

It is a program of its own, and imports little, because Linux counts the memory
of the process that forks into the peak of the child.
"""

import json
import os
import sys
import time


def once(command, silent):
    start = time.perf_counter()
    pid = os.fork()
    if not pid:
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        try:
            os.execvp(command[0], command)
        finally:
            os._exit(127)
    _, status, usage = os.wait4(pid, 0)
    return time.perf_counter() - start, usage.ru_maxrss * 1024, os.waitstatus_to_exitcode(status)


def main():
    commands, rounds = json.loads(sys.argv[1]), int(sys.argv[2])
    silent = os.open(os.devnull, os.O_WRONLY)
    results = [{"seconds": [], "bytes": [], "status": []} for _ in commands]
    for _ in range(rounds):
        for command, result in zip(commands, results):
            seconds, size, status = once(command, silent)
            result["seconds"].append(seconds)
            result["bytes"].append(size)
            result["status"].append(status)
    print(json.dumps(results))


if __name__ == "__main__":
    main()
