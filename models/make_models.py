#!/usr/bin/env python3
"""Make qcc's own test networks: train, export as QONNX, compute goldens.

    python3 make_models.py [--out DIR] [NAME ...]

For each network the folder DIR/NAME receives
    model.onnx   the QONNX export (Brevitas, the dynamo exporter), batch 1
    input.npy    float32, one sample a row
    output.npy   float32, what qonnx's execute_onnx answers, sample by sample
All data are synthetic and all randomness is seeded; see README.md.
"""

import argparse
from pathlib import Path

import brevitas.nn as qnn
import numpy as np
import onnx
import torch
from brevitas.export import export_qonnx
from brevitas.quant import Int8WeightPerChannelFloat
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from torch import nn

SEED = 20
GOLDEN_ROWS = 64
MLP_INPUTS = 593
MLP_NOISE = 0.05
IMAGE_SIDE = 12


# Data ----------------------------------------------------------------------

def bit_rows(rng, rows, rule):
    """Draw 0/1 rows and label them by the planted rule, a few flipped."""
    density, weights, pairs = rule
    x = (rng.random((rows, MLP_INPUTS)) < density).astype(np.float32)
    score = (x - density) @ weights
    score += (x[:, pairs[0]] * x[:, pairs[1]] - 0.25).sum(axis=1)
    flip = rng.random(rows) < MLP_NOISE
    y = ((score > 0) ^ flip).astype(np.float32)
    return torch.from_numpy(x), torch.from_numpy(y).unsqueeze(1)


def bit_rule(rng):
    """Plant a rule: a sparse weighted sum of bits and a few ANDed pairs."""
    density = rng.uniform(0.05, 0.95, MLP_INPUTS)
    weights = np.zeros(MLP_INPUTS)
    chosen = rng.permutation(MLP_INPUTS)
    weights[chosen[:32]] = rng.choice([-2.0, -1.0, 1.0, 2.0], 32)
    return density, weights, chosen[32:40].reshape(2, 4)


def bit_data(rows_train, rows_test):
    """Return ((x, y) to train on, (x, y) to test on) for the MLP."""
    rng = np.random.default_rng(SEED)
    rule = bit_rule(rng)
    return bit_rows(rng, rows_train, rule), bit_rows(rng, rows_test, rule)


def shape_mask(label, dx, dy, radius):
    """Pixels of a shape: 0 disc, 1 square outline, 2 plus, 3 cross."""
    box = np.maximum(abs(dx), abs(dy))
    if label == 0:
        return dx * dx + dy * dy <= radius * radius
    if label == 1:
        return (box <= radius) & (box > radius - 1)
    if label == 2:
        return (box <= radius) & (np.minimum(abs(dx), abs(dy)) < 1)
    return (box <= radius) & (abs(abs(dx) - abs(dy)) < 1)


def shape_image(rng, label):
    """Draw one noisy 1 x 12 x 12 image of a shape at a random place."""
    rows, cols = np.mgrid[0:IMAGE_SIDE, 0:IMAGE_SIDE]
    radius = rng.uniform(2.5, 4.5)
    cx, cy = rng.uniform(4.0, IMAGE_SIDE - 5.0, 2)
    mask = shape_mask(label, cols - cx, rows - cy, radius)
    image = mask * rng.uniform(0.5, 1.0)
    image = image + rng.normal(0.0, 0.15, image.shape)
    return image.astype(np.float32)[np.newaxis]


def shape_rows(rng, rows):
    """Draw labelled images, the four shapes equally likely."""
    labels = rng.integers(0, 4, rows)
    images = np.stack([shape_image(rng, label) for label in labels])
    return torch.from_numpy(images), torch.from_numpy(labels)


def shape_data(rows_train, rows_test):
    """Return ((x, y) to train on, (x, y) to test on) for the CNN."""
    rng = np.random.default_rng(SEED + 1)
    return shape_rows(rng, rows_train), shape_rows(rng, rows_test)


# Networks ------------------------------------------------------------------

def mlp_2w2a():
    """593-64-64-64-1, weights and activations of 2 bits, real output."""
    layers = []
    width = MLP_INPUTS
    for _ in range(3):
        layers += [
            qnn.QuantLinear(width, 64, bias=True, weight_bit_width=2),
            nn.BatchNorm1d(64),
            nn.Dropout(0.5),
            qnn.QuantReLU(bit_width=2),
        ]
        width = 64
    layers.append(qnn.QuantLinear(width, 1, bias=True, weight_bit_width=2))
    return nn.Sequential(*layers)


def cnn_4w4a():
    """Two 4-bit convolutions and a classifier over 1 x 12 x 12 images."""
    per_channel = {"weight_quant": Int8WeightPerChannelFloat}
    return nn.Sequential(
        qnn.QuantIdentity(bit_width=8),
        qnn.QuantConv2d(1, 8, 3, padding=1, bias=False, weight_bit_width=4),
        nn.BatchNorm2d(8),
        qnn.QuantReLU(bit_width=4),
        nn.MaxPool2d(2),
        qnn.QuantConv2d(8, 16, 3, bias=False, weight_bit_width=4, **per_channel),
        nn.BatchNorm2d(16),
        qnn.QuantReLU(bit_width=4),
        nn.MaxPool2d(2),
        nn.Flatten(),
        qnn.QuantLinear(64, 4, bias=True, weight_bit_width=4),
    )


# Training ------------------------------------------------------------------

def train(model, data, loss_function, epochs, batch):
    """Train with Adam at 1e-3, the rows shuffled anew in every epoch."""
    x, y = data
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    model.train()
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(batch):
            optimiser.zero_grad()
            loss_function(model(x[rows]), y[rows]).backward()
            optimiser.step()
    model.eval()


def accuracy(model, data):
    """Share of rows classified right, by sign or by largest output."""
    x, y = data
    with torch.no_grad():
        out = model(x)
    guess = (out > 0).to(y.dtype) if out.shape[1] == 1 else out.argmax(1)
    return (guess == y).float().mean().item()


# Export --------------------------------------------------------------------

def strip_metadata(path):
    """Drop doc strings and metadata: they name files of the machine."""
    model = onnx.load(path)
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.input, *graph.output,
                 *graph.value_info, *graph.initializer):
        part.ClearField("doc_string")
        part.ClearField("metadata_props")
    onnx.save(model, path)


def export(model, sample, path):
    """Write the trained network as QONNX with a batch of one."""
    export_qonnx(model, args=(sample,), export_path=str(path),
                 input_names=["input"], output_names=["output"], dynamo=True,
                 external_data=False)
    strip_metadata(path)


def golden(path, rows):
    """Run the exported file through qonnx, one sample at a time."""
    model = ModelWrapper(str(path))
    graph = model.graph
    outputs = []
    for row in rows:
        answer = execute_onnx(model, {graph.input[0].name: row[np.newaxis]})
        outputs.append(answer[graph.output[0].name])
    return np.concatenate(outputs).astype(np.float32)


# The models ----------------------------------------------------------------

MODELS = {
    "mlp_2w2a": {
        "network": mlp_2w2a,
        "data": lambda: bit_data(40000, 4000),
        "loss": nn.BCEWithLogitsLoss(),
        "epochs": 15,
        "batch": 100,
    },
    "cnn_4w4a": {
        "network": cnn_4w4a,
        "data": lambda: shape_data(4000, 1000),
        "loss": nn.CrossEntropyLoss(),
        "epochs": 8,
        "batch": 50,
    },
}


def make(name, folder):
    """Train one network and write its three files into the folder."""
    recipe = MODELS[name]
    torch.manual_seed(SEED)
    train_data, test_data = recipe["data"]()
    model = recipe["network"]()
    train(model, train_data, recipe["loss"], recipe["epochs"], recipe["batch"])
    print(f"{name}: accuracy {accuracy(model, train_data):.4f} on training rows, "
          f"{accuracy(model, test_data):.4f} on test rows")
    folder.mkdir(parents=True, exist_ok=True)
    rows = test_data[0][:GOLDEN_ROWS]
    with torch.no_grad():
        expected = model(rows).numpy()
        export(model, rows[:1], folder / "model.onnx")
    answers = golden(folder / "model.onnx", rows.numpy())
    np.save(folder / "input.npy", rows.numpy())
    np.save(folder / "output.npy", answers)
    print(f"{name}: largest difference of qonnx from Brevitas "
          f"{abs(answers - expected).max():.2g}")


def main():
    """Make the networks named on the command line, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME",
                        help="of " + ", ".join(MODELS))
    parser.add_argument("--out", type=Path, default=Path(__file__).parent,
                        help="where to put the folders (default: beside this script)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for name in options.names or MODELS:
        make(name, options.out / name)


if __name__ == "__main__":
    main()
