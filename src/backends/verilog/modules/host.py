#!/usr/bin/env python3
"""Sends rows to a board that holds the design and prints the class of each.

    host.py [--port /dev/ttyUSB1] [--baud 115200] ROWS.npy|ROWS.csv     one row of the network's inputs a line
    host.py --golden                                                    the golden vectors tv/; the answers must be theirs
    host.py --simulate ...                                              the board simulated in iverilog (make obj/board)

The class is the largest output's number; where there is one output alone, 1 where it is above zero, or the output itself where
it is a label. --numbers prints the outputs instead. What the network computes before and after the design (before.onnx,
after.onnx) is executed by qcc, which must be in the path or named by the environment's QCC. Needs Python's own library only.
"""

import argparse
import ast
import json
import os
import re
import select
import struct
import subprocess
import sys
import tempfile
import time

FOLDER = os.path.dirname(os.path.abspath(__file__))
NPY_TYPES = {"f4": "f", "f8": "d", "i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "i8": "q", "u8": "Q", "b1": "?"}


def fail(text):
    """Ends the program with a message."""
    sys.exit(f"host.py: {text}")


# ---- arrays ----


def read_npy(path):
    """Shape and numbers of a .npy file in C order."""
    with open(path, "rb") as f:
        content = f.read()
    if content[:6] != b"\x93NUMPY":
        fail(f"{path} is no .npy file")
    size = 2 if content[6] == 1 else 4
    start = 8 + size
    length = int.from_bytes(content[8:start], "little")
    header = ast.literal_eval(content[start : start + length].decode("latin-1"))
    form = NPY_TYPES.get(header["descr"][1:])
    if form is None or header["fortran_order"]:
        fail(f"{path} holds {header['descr']}, or is in Fortran's order")
    count = 1
    for n in header["shape"]:
        count *= n
    order = ">" if header["descr"][0] == ">" else "<"
    return list(header["shape"]), list(struct.unpack_from(f"{order}{count}{form}", content, start + length))


def write_npy(path, shape, numbers):
    """Numbers as float32."""
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({''.join(f'{n}, ' for n in shape)})}}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    with open(path, "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        f.write(struct.pack(f"<{len(numbers)}f", *numbers))


def read_rows(path, size):
    """Rows of that many numbers from a .npy file or from lines of text."""
    try:
        if path.endswith(".npy"):
            numbers = read_npy(path)[1]
        else:
            with open(path, encoding="utf-8") as f:
                lines = f.readlines()
    except OSError as error:
        fail(f"{path}: {error.strerror}")
    if path.endswith(".npy"):
        if len(numbers) % size:
            fail(f"{path} has {len(numbers)} numbers, which is no multiple of the {size} inputs")
        return [numbers[i : i + size] for i in range(0, len(numbers), size)]
    rows = []
    for number, line in enumerate(lines, 1):
        words = [w for w in re.split(r"[\s,;]+", line.strip()) if w]
        if not words or words[0].startswith("#"):
            continue
        try:
            rows.append([float(w) for w in words])
        except ValueError:
            fail(f"{path}, line {number}: '{line.strip()[:40]}' has something that is no number")
        if len(words) != size:
            fail(f"{path}, line {number}: {len(words)} numbers, the network has {size} inputs")
    return rows


def compute(model, dims_in, rows, size_out):
    """Executes a part of the network with qcc."""
    with tempfile.TemporaryDirectory() as work:
        given, computed = os.path.join(work, "in.npy"), os.path.join(work, "out.npy")
        write_npy(given, [len(rows)] + dims_in[1:], [x for row in rows for x in row])
        command = [os.environ.get("QCC", "qcc"), "run", os.path.join(FOLDER, model), given, "-q", "-o", computed]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            fail(f"{command[0]}: {error.strerror}; it executes {model} (environment variable QCC)")
        if done.returncode:
            fail(done.stderr.strip())
        numbers = read_npy(computed)[1]
    return [numbers[i : i + size_out] for i in range(0, len(numbers), size_out)]


def product(dims):
    """How many elements an array of that shape has."""
    count = 1
    for n in dims:
        count *= n
    return count


# ---- words ----


def word_bytes(stream):
    """Bytes of a word on the line."""
    return (stream["bits"] * stream["elements"] + 7) // 8


def encode(row, stream):
    """The bytes of a frame."""
    mask, line = (1 << stream["bits"]) - 1, bytearray()
    for i in range(0, len(row), stream["elements"]):
        word = 0
        for k, x in enumerate(row[i : i + stream["elements"]]):
            code = int(x > 0) if stream["kind"] == "bipolar" else int(x) & mask
            word |= code << (k * stream["bits"])
        line += word.to_bytes(word_bytes(stream), "little")
    return bytes(line)


def decode(line, stream):
    """The numbers of a frame's bytes."""
    bits, size, row = stream["bits"], word_bytes(stream), []
    for i in range(0, len(line), size):
        word = int.from_bytes(line[i : i + size], "little")
        for k in range(stream["elements"]):
            code = word >> (k * bits) & ((1 << bits) - 1)
            if stream["kind"] == "bipolar":
                code = 2 * code - 1
            elif stream["kind"] == "signed" and code >> (bits - 1):
                code -= 1 << bits
            row.append(code)
    return row


# ---- the board, real and simulated: each takes frames and returns answers ----


def ask_board(frames, answer, port, baud, seconds):
    """Frame by frame over a serial line."""
    import termios
    import tty

    speed = getattr(termios, f"B{baud}", None)
    if speed is None:
        fail(f"--baud {baud}: the serial line has no such speed")
    try:
        line = os.open(port, os.O_RDWR | os.O_NOCTTY)
    except OSError as error:
        fail(f"{port}: {error.strerror}")
    tty.setraw(line)
    settings = termios.tcgetattr(line)
    settings[4] = settings[5] = speed
    termios.tcsetattr(line, termios.TCSANOW, settings)
    termios.tcsendbreak(line, 0)  # resets the design
    time.sleep(0.05)
    termios.tcflush(line, termios.TCIOFLUSH)
    answers = []
    for frame in frames:
        sent = 0
        while sent < len(frame):
            sent += os.write(line, frame[sent:])
        got = b""
        while len(got) < answer:
            if not select.select([line], [], [], seconds)[0]:
                fail(f"{port}: no answer to row {len(answers) + 1}: {len(got)} bytes of {answer}")
            got += os.read(line, answer - len(got))
        answers.append(got)
    os.close(line)
    return answers


def ask_simulation(frames, answer):
    """All frames through the simulated board."""
    files = [os.path.join(FOLDER, "obj", name) for name in ("board", "board_in.hex", "board_out.hex")]
    if not os.path.exists(files[0]):
        fail("obj/board is not there: make obj/board")
    line = b"".join(frames)
    with open(files[1], "w", encoding="utf-8") as f:
        f.writelines(f"{b:02x}\n" for b in line)
    plus = [f"+bytes={len(line)}", f"+frame={len(frames[0])}", f"+answer={answer}"]
    done = subprocess.run(["vvp", "-n", files[0]] + plus, cwd=FOLDER, capture_output=True, text=True, check=False)
    if "board:" in done.stdout or done.returncode:
        fail(done.stdout.strip() + done.stderr.strip())
    with open(files[2], encoding="utf-8") as f:
        got = bytes(int(x, 16) for x in f.read().split())
    return [got[i : i + answer] for i in range(0, len(got), answer)]


# ---- ----


def golden_frames(name, stream):
    """The frames of a file of golden words, as bytes."""
    with open(os.path.join(FOLDER, "tv", name), encoding="utf-8") as f:
        words = [int(x, 16).to_bytes(word_bytes(stream), "little") for x in f.read().split()]
    count = stream["words"]
    return [b"".join(words[i : i + count]) for i in range(0, len(words), count)]


def choose(row, is_label):
    """The class that a row of outputs stands for."""
    if len(row) > 1 and not is_label:
        return row.index(max(row))
    return int(row[0]) if is_label else int(row[0] > 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", default="/dev/ttyUSB1")
    parser.add_argument("--baud", type=int, default=115200)
    parser.add_argument("--seconds", type=float, default=5, help="how long to wait for an answer")
    parser.add_argument("--golden", action="store_true", help="send the golden vectors and compare")
    parser.add_argument("--simulate", action="store_true", help="simulate the board")
    parser.add_argument("--numbers", action="store_true", help="print outputs instead of classes")
    parser.add_argument("rows", nargs="?")
    options = parser.parse_args()
    if not options.golden and not options.rows:
        parser.error("which rows? (or --golden)")
    with open(os.path.join(FOLDER, "host.json"), encoding="utf-8") as f:
        net = json.load(f)
    source, sink = net["in"], net["out"]
    if options.golden:
        frames = golden_frames("in0.hex", source)
    else:
        rows = read_rows(options.rows, product(net["inputs"]))
        if net["before"]:
            rows = compute("before.onnx", net["inputs"], rows, product(source["shape"]))
        frames = [encode(row, source) for row in rows]
    answer = sink["words"] * word_bytes(sink)
    if not frames:
        return
    if options.simulate:
        answers = ask_simulation(frames, answer)
    else:
        answers = ask_board(frames, answer, options.port, options.baud, options.seconds)
    if options.golden:
        wrong = sum(a != b for a, b in zip(answers, golden_frames("out0.hex", sink)))
        print(f"board: {len(answers)} frames, {f'{wrong} DIFFERENT from the golden ones' if wrong else 'equal bit for bit'}")
        sys.exit(wrong != 0)
    results = [decode(a, sink) for a in answers]
    if net["after"]:
        results = compute("after.onnx", sink["shape"], results, product(net["outputs"]))
    for row in results:
        print(*[f"{x:g}" for x in row] if options.numbers else [choose(row, net["label"])])


if __name__ == "__main__":
    main()
