#!/usr/bin/env python3
"""Training against Brevitas on the same processors: speed, and accuracy with the same network and schedule.

    bench_train.py [--output FILE.json] [--seeds 7] [--rounds 3] [--only speed|quality]

Needs torch and brevitas (QCC_PYTHON, or the interpreter of a virtual environment that has them) and the rows of
UNSW-NB15 in $QCC_SHARED/unsw. The network is the one of FINN's cybersecurity notebook: 593-64-64-64-1, weights and
activations of 2 bits, batch normalisation, dropout 0.5; Adam 1e-3, batches of 1000, ten epochs.

Speed: the 4,000 training rows, 43 times over; one epoch of Brevitas and of qcc by turns, and the median of the ratios.
Brevitas gets its batches by indexing one tensor, which is faster than the DataLoader of the notebook (measured, too).
Quality: for each seed both train on the 4,000 rows, and are tested once on the 8,000 test rows. `ours` is a schedule of
our own, chosen on validation rows that were split from the training rows.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

try:
    import brevitas.nn as qnn
    import torch
    from torch import nn
except ImportError as error:
    print(f"training bench left out: {error}")
    sys.exit(0)

QCC = os.environ.get("QCC", "qcc")
UNSW = Path(os.environ.get("QCC_SHARED", "../shared")) / "unsw"
TRAIN, TEST = UNSW / "unsw_recon_train_sample4000_bits.npz", UNSW / "unsw_recon_test_sample8000_bits.npz"
ARCH = "mlp(593,64,64,64,1)"
SAME = ["--dropout", "0.5", "--epochs", "10", "--batch", "1000", "--lr", "0.001", "--val", "0"]
OURS = json.loads((Path(__file__).parent / "train_schedule.json").read_text())


def network():
    layers, width = [], 593
    for _ in range(3):
        layers += [qnn.QuantLinear(width, 64, bias=True, weight_bit_width=2), nn.BatchNorm1d(64), nn.Dropout(0.5),
                   qnn.QuantReLU(bit_width=2)]
        width = 64
    return nn.Sequential(*layers, qnn.QuantLinear(width, 1, bias=True, weight_bit_width=2))


def brevitas_epoch(model, optimiser, loss, x, y, batch=1000):
    model.train()
    for rows in torch.randperm(len(x)).split(batch):
        optimiser.zero_grad()
        loss(model(x[rows]), y[rows]).backward()
        optimiser.step()


def loader_epoch(model, optimiser, loss, loader):
    model.train()
    for x, y in loader:
        optimiser.zero_grad()
        loss(model(x), y).backward()
        optimiser.step()


def brevitas_setup(seed):
    torch.manual_seed(seed)
    model = network()
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), nn.BCEWithLogitsLoss()


def tensors(path, times=1):
    z = np.load(path)
    x, y = np.tile(z["bits"], (times, 1)), np.tile(z["label"], times)
    return torch.from_numpy(x.astype(np.float32)), torch.from_numpy(y.astype(np.float32)).unsqueeze(1)


def qcc_train(arguments):
    command = [QCC, "train", "-q", "--arch", ARCH, *arguments]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def cpu_of_children(call, *arguments):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    call(*arguments)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def cpu_speed(folder, big, state, x, y):
    """Processor seconds an epoch on one thread: a figure that other load on the machine hardly changes."""
    torch.set_num_threads(1)
    start = time.process_time()
    brevitas_epoch(*state, x, y)
    theirs = time.process_time() - start
    run = lambda epochs: qcc_train(["--data", str(big), *SAME, "--threads", "1", "--epochs", epochs, "-o", str(folder / "n.onnx")])
    ours = (cpu_of_children(run, "5") - cpu_of_children(run, "1")) / 4
    return {"brevitas": theirs, "qcc": ours, "ratio": theirs / ours}


def timed(call, *arguments):
    start = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - start


def speed(folder, rounds):
    x, y = tensors(TRAIN, 43)
    big = folder / "big.npz"
    np.savez(big, bits=x.numpy().astype(np.uint8), label=y.numpy().astype(np.uint8).ravel())
    state = brevitas_setup(1)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=1000, shuffle=True)
    brevitas_epoch(*state, x[:4000], y[:4000])
    rows = []
    for _ in range(rounds):
        theirs = timed(brevitas_epoch, *state, x, y)
        ours = qcc_train(["--data", str(big), *SAME[:2], "--epochs", "2", "--val", "0", "-o", str(folder / "n.onnx")])
        rows.append({"brevitas": theirs, "qcc": ours["seconds"] / 2, "ratio": theirs / (ours["seconds"] / 2)})
        print("one epoch: Brevitas %(brevitas).2f s, qcc %(qcc).2f s, ratio %(ratio).1f" % rows[-1], flush=True)
    ten = qcc_train(["--data", str(big), *SAME, "-o", str(folder / "n.onnx")])["seconds"]
    by_loader = timed(loader_epoch, *state, loader)
    cpu = cpu_speed(folder, big, state, x, y)
    print("processor seconds an epoch, one thread: Brevitas %(brevitas).2f, qcc %(qcc).2f, ratio %(ratio).1f" % cpu)
    return {"rounds": rows, "median_ratio": statistics.median(r["ratio"] for r in rows), "qcc_ten_epochs": ten, "cpu": cpu,
            "brevitas_dataloader_epoch": by_loader, "load": os.getloadavg()[0]}


def brevitas_accuracy(seed):
    x, y = tensors(TRAIN)
    test_x, test_y = tensors(TEST)
    state = brevitas_setup(seed)
    for _ in range(10):
        brevitas_epoch(*state, x, y)
    model = state[0].eval()
    with torch.no_grad():
        return float(((model(test_x) >= 0).float() == test_y).float().mean())


def quality(folder, seeds):
    figures = {"brevitas": [], "qcc": [], "ours": [], "ours_validation": []}
    output = ["--test", str(TEST), "-o", str(folder / "n.onnx")]
    for seed in range(1, seeds + 1):
        given = ["--data", str(TRAIN), "--seed", str(seed), *output]
        figures["brevitas"].append(brevitas_accuracy(seed))
        figures["qcc"].append(qcc_train([*SAME, *given])["test"]["accuracy"])
        ours = qcc_train([*OURS["options"], *given])
        figures["ours"].append(ours["test"]["accuracy"])
        figures["ours_validation"].append(ours["val_accuracy"])
        print("seed %d:" % seed, ", ".join("%s %.4f" % (k, v[-1]) for k, v in figures.items()), flush=True)
    return {**figures, "medians": {k: statistics.median(v) for k, v in figures.items()}}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", default="bench_train.json")
    parser.add_argument("--seeds", type=int, default=7)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--only", choices=["speed", "quality"])
    options = parser.parse_args()
    if not TRAIN.exists():
        print(f"training bench left out: {TRAIN} is not there")
        return
    torch.set_num_threads(options.threads)
    result = {"torch": torch.__version__, "threads": torch.get_num_threads()}
    with tempfile.TemporaryDirectory() as name:
        if options.only != "quality":
            result["speed"] = speed(Path(name), options.rounds)
            print("median ratio %.1f; ten epochs of qcc: %.1f s" % (result["speed"]["median_ratio"],
                                                                   result["speed"]["qcc_ten_epochs"]))
        if options.only != "speed":
            result["quality"] = quality(Path(name), options.seeds)
            print("medians:", result["quality"]["medians"])
    Path(options.output).write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
