#!/usr/bin/env python3
"""Training against Brevitas on the same processors: speed, and accuracy with the same network and schedule.

    bench_train.py [--output FILE.json] [--seeds 31] [--rounds 5] [--only speed|quality|start]

Needs torch and brevitas (QCC_PYTHON, or the interpreter of a virtual environment that has them) and the rows of
UNSW-NB15 in $QCC_SHARED/unsw. The network is the one of FINN's cybersecurity notebook: 593-64-64-64-1, weights and
activations of 2 bits, batch normalisation, dropout 0.5; Adam 1e-3, batches of 1000, ten epochs.

Speed: the 4,000 training rows, 43 times over; one epoch of Brevitas and of qcc by turns, and the median of the ratios.
Brevitas gets its batches by indexing one tensor, which is faster than the DataLoader of the notebook (measured, too).
Quality: for each seed both train on the 4,000 rows, and are tested once on the 8,000 test rows. `qcc` is qcc train as it is,
`same_start` starts the output's bias as torch does, too; `ours` is a schedule of our own, chosen on validation rows that were
split from the training rows. Gradients from the same weights are compared, too.
Start: how the output's bias starts, judged on validation rows alone.
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


def network(collect=300):
    layers, width = [], 593
    for _ in range(3):
        layers += [qnn.QuantLinear(width, 64, bias=True, weight_bit_width=2), nn.BatchNorm1d(64), nn.Dropout(0.5),
                   qnn.QuantReLU(bit_width=2, collect_stats_steps=collect)]
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


def parameters(layer):
    """Its parameters in the order of qcc's, and how many numbers follow them in qcc's state (running statistics)."""
    if isinstance(layer, qnn.QuantLinear):
        return [layer.weight, layer.bias], 0
    if isinstance(layer, nn.BatchNorm1d):
        return [layer.weight, layer.bias], 2 * layer.num_features
    if isinstance(layer, qnn.QuantReLU):
        return [layer.act_quant.fused_activation_quant_proxy.tensor_quant.scaling_impl.value], 2
    return [], 0


def as_theirs(numbers, p):
    return torch.from_numpy(numbers.reshape(p.T.shape if p.ndim == 2 else p.shape).T.copy())


def step_of(folder, epochs):
    """qcc's state and first moments after some steps on all rows that change no weight."""
    qcc_train(["--data", str(TRAIN), "--epochs", epochs, "--batch", "4000", "--val", "0", "--lr", "1e-12", "--collect", "1",
               "-o", str(folder / "step.onnx")])
    checkpoint = np.load(folder / "step.train" / "checkpoint.npz")
    return checkpoint["state"], checkpoint["moments"]


def gradient_gap(folder):
    """Gradients from the same weights, all rows in one batch: the largest gap of each parameter's to Brevitas's, in
    relation to the largest there. It is the second step, since a percentile's gradient goes to any one of several equal
    elements in the first. qcc's gradients follow from the optimiser's moments."""
    (_, first), (state, moments) = step_of(folder, "1"), step_of(folder, "2")
    gradients, model, (x, y) = (moments - 0.9 * first) / 0.1, network(collect=1), tensors(TRAIN)
    at = 0
    for layer in model.train():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
        own, others = parameters(layer)
        for p in own:
            if not isinstance(layer, qnn.QuantReLU):
                p.data.copy_(as_theirs(state[at:at + p.numel()], p))
            at += p.numel()
        at += others
    model(x)
    nn.BCEWithLogitsLoss()(model(x), y).backward()
    at = gap = 0
    for layer in model:
        for p in parameters(layer)[0]:
            ours = as_theirs(gradients[at:at + p.numel()], p)
            if layer is model[-1] or p is not getattr(layer, "bias", None) or isinstance(layer, nn.BatchNorm1d):
                gap = max(gap, float((ours - p.grad).abs().max() / p.grad.abs().max()))
            at += 2 * p.numel()
    return gap  # biases in front of a normalisation have no gradient, and are left out


def last_validation_accuracy(folder):
    return float((folder / "n.train" / "history.csv").read_text().split()[-1].split(",")[4])


def start(folder, seeds):
    """How the output's bias starts, on a fifth of the training rows."""
    figures = {"random": [], "shares": []}
    for seed in range(101, 101 + seeds):
        for how, found in figures.items():
            qcc_train([*SAME[:-1], "0.2", "--data", str(TRAIN), "--seed", str(seed), "--output-bias", how,
                       "-o", str(folder / "n.onnx")])
            found.append(last_validation_accuracy(folder))
    return {**figures, "medians": {k: statistics.median(v) for k, v in figures.items()},
            "means": {k: statistics.mean(v) for k, v in figures.items()}}


def quality(folder, seeds):
    figures = {"brevitas": [], "same_start": [], "qcc": [], "ours": [], "ours_validation": []}
    output = ["--test", str(TEST), "-o", str(folder / "n.onnx")]
    for seed in range(1, seeds + 1):
        given = ["--data", str(TRAIN), "--seed", str(seed), *output]
        figures["brevitas"].append(brevitas_accuracy(seed))
        figures["same_start"].append(qcc_train([*SAME, *given, "--output-bias", "random"])["test"]["accuracy"])
        figures["qcc"].append(qcc_train([*SAME, *given])["test"]["accuracy"])
        if seed <= 7:
            ours = qcc_train([*OURS["options"], *given])
            figures["ours"].append(ours["test"]["accuracy"])
            figures["ours_validation"].append(ours["val_accuracy"])
        print("seed %d:" % seed, ", ".join("%s %.4f" % (k, v[-1]) for k, v in figures.items()), flush=True)
    few = {k: statistics.median(v[:7]) for k, v in figures.items()}
    quartiles = {k: statistics.quantiles(v, n=4) for k, v in figures.items()}
    print("quartiles:", {k: [round(x, 4) for x in v] for k, v in quartiles.items()})
    return {**figures, "first_seven": few, "quartiles": quartiles, "medians": {k: v[1] for k, v in quartiles.items()}}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", default="bench_train.json")
    parser.add_argument("--seeds", type=int, default=31)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--only", choices=["speed", "quality", "start"])
    options = parser.parse_args()
    if not TRAIN.exists():
        print(f"training bench left out: {TRAIN} is not there")
        return
    torch.set_num_threads(options.threads)
    result = {"torch": torch.__version__, "threads": torch.get_num_threads()}
    with tempfile.TemporaryDirectory() as name:
        if options.only in (None, "speed"):
            result["speed"] = speed(Path(name), options.rounds)
            print("median ratio %.1f; ten epochs of qcc: %.1f s" % (result["speed"]["median_ratio"],
                                                                   result["speed"]["qcc_ten_epochs"]))
        if options.only in (None, "start"):
            result["start"] = start(Path(name), options.seeds)
            print("start, validation rows: medians", result["start"]["medians"], "means", result["start"]["means"])
        if options.only in (None, "quality"):
            result["gradient_gap"] = gradient_gap(Path(name))
            torch.set_num_threads(1)  # batches are small
            print("gradients from the same weights, largest relative gap: %.1e" % result["gradient_gap"])
            result["quality"] = quality(Path(name), options.seeds)
            print("medians:", result["quality"]["medians"], "of the first seven:", result["quality"]["first_seven"])
    Path(options.output).write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
