#!/usr/bin/env python3
"""Time and peak memory of whole processes, run in turn.

Reads a JSON list of commands (lists of words), a number of rounds and a JSON list
of what each command writes from the command line; each round runs every command
once, its outputs of the round before removed first (untimed): file systems flush
what replaces an older file, and that is not what is measured. Prints a JSON list with, for
each command, its seconds, peak resident bytes and exit statuses.

It is a program of its own, and imports little, because Linux counts the memory
of the process that forks into the peak of the child.
"""

import json
import os
import shutil
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


def remove(path):
    if os.path.isdir(path):
        shutil.rmtree(path)
    elif os.path.exists(path):
        os.unlink(path)


def main():
    commands, rounds, outputs = json.loads(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
    silent = os.open(os.devnull, os.O_WRONLY)
    results = [{"seconds": [], "bytes": [], "status": []} for _ in commands]
    for _ in range(rounds):
        for command, output, result in zip(commands, outputs, results):
            remove(output)
            seconds, size, status = once(command, silent)
            result["seconds"].append(seconds)
            result["bytes"].append(size)
            result["status"].append(status)
    print(json.dumps(results))


if __name__ == "__main__":
    main()
