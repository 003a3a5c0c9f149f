#!/usr/bin/env python3
"""A network of bipolar weights and activations whose convolutions pad with zeros, in ONNX's textual form: dense, grouped,
depthwise, transposed and pooled ones; bipolar_net.py 1 writes one of signals, 2 one of images, 3 one that is read bipolar."""
import random
import sys

random.seed(5)


class Net:
    def __init__(self, axes):
        self.axes, self.constants, self.nodes, self.count, self.x = axes, [], [], 0, "x"

    def name(self, kind):
        self.count += 1
        return f"{kind}{self.count}"

    def constant(self, dims, draw):
        name, size = self.name("c"), 1
        for d in dims:
            size *= d
        numbers = ", ".join(f"{draw():g}" for _ in range(size))
        self.constants.append(f"float[{','.join(map(str, dims))}] {name} = {{{numbers}}}")
        return name

    def node(self, text, *inputs):
        y = self.name("v")
        self.nodes.append(f"  {y} = {text}({', '.join(inputs)})")
        self.x = y

    def binarise(self, channels):
        ones = [1] * self.axes
        self.node("Add", self.x, self.constant([1, channels] + ones, lambda: random.randrange(-8, 9) / 4))
        self.node("qonnx.BipolarQuant", self.x, "half")

    def weights(self, dims):
        plain, y = self.constant(dims, lambda: random.choice((-1, 1)) * random.randrange(1, 9) / 8), self.name("w")
        self.nodes.append(f"  {y} = qonnx.BipolarQuant({plain}, half)")
        return y

    def pad(self, pad):
        amounts = ([0, 0] + [pad] * self.axes) * 2
        self.constants.append(f"int64[{len(amounts)}] padding = {{{', '.join(map(str, amounts))}}}")
        self.node("Pad", self.x, "padding")

    def conv(self, inputs, outputs, kernel, pad, stride=1, group=1):
        lists = [[kernel] * self.axes, [pad] * (2 * self.axes), [stride] * self.axes]
        attributes = "<kernel_shape = {}, pads = {}, strides = {}, group = {}>".format(*lists, group)
        self.node("Conv " + attributes, self.x, self.weights([outputs, inputs // group] + [kernel] * self.axes))
        self.binarise(outputs)

    def transposed(self, inputs, outputs):
        attributes = f"<kernel_shape = {[3] * self.axes}, pads = {[1] * (2 * self.axes)}, strides = {[2] * self.axes}>"
        self.node("ConvTranspose " + attributes, self.x, self.weights([inputs, outputs] + [3] * self.axes))
        self.binarise(outputs)

    def pool(self):
        self.node(f"MaxPool <kernel_shape = {[2] * self.axes}, strides = {[2] * self.axes}>", self.x)


def main():
    bipolar = sys.argv[1] == "3"
    net = Net(1 if sys.argv[1] == "1" else 2)
    if not bipolar:
        net.node("qonnx.Quant <signed = 1, narrow = 0, rounding_mode = \"ROUND\">", "x", "half", "zero", "four")
    net.conv(4, 8, 3, 1)
    net.pad(1)
    net.conv(8, 8, 3, 0, group=2)       # grouped, padded by a node of its own
    net.conv(8, 8, 3, 1, group=8)       # depthwise
    net.pool()
    net.conv(8, 6, 3, 2, stride=2)
    net.transposed(6, 4)
    net.conv(4, 4, 1, 0)                # one that is not padded
    net.conv(4, 3, 3, 1)
    size = 8 + (net.axes == 1) * 8
    dims = ",".join(map(str, [1, 4] + [size] * net.axes))
    scalars = ["float half = {0.5}", "float zero = {0}", "float four = {4}"]
    print(f"bipolar (float[{dims}]{':BIPOLAR' if bipolar else ''} x) => ({net.x})")
    print("<" + ",\n ".join(scalars + net.constants) + "> {")
    print("\n".join(net.nodes) + "\n}")


main()
