"""A trunk of any table of layers (src/trunk/architecture.ts), batch normalisation folded, by PyTorch's own functions."""

import torch.nn.functional as F


def features(layers, parameters, given, want):
    """The wanted layers `[batch, channels, size, size]`, computed from the image or the features that are given."""
    known = dict(given)
    if "input" in known:
        known["input"] = known["input"] / 127.5 - 1
    table = {layer["name"]: layer for layer in layers}

    def compute(name):
        if name not in known:
            layer = table[name]
            known[name] = apply(layer, [compute(before) for before in layer["inputs"]], parameters)
        return known[name]

    return {name: compute(name) for name in want}


def apply(layer, inputs, parameters):
    if layer["op"] == "add":
        return inputs[0] + inputs[1]
    if layer["op"] == "maxPool":
        return F.max_pool2d(inputs[0], layer["kernel"], layer["stride"])
    kernel, bias = (parameters[f"trunk/{layer['name']}/{what}"] for what in ("kernel", "bias"))
    stride, (x,) = layer["stride"], inputs
    before, after = same_padding(x.shape[-1], layer["kernel"], stride)
    if before != after:
        x = F.pad(x, (before, after, before, after))
    groups = layer["channels"] if layer["op"] == "depthwise" else 1
    output = F.conv2d(x, kernel, bias, stride, before if before == after else 0, groups=groups)
    if layer["activation"] == "none":
        return output
    return (F.relu if layer["activation"] == "relu" else F.relu6)(output, inplace=True)


def same_padding(size, kernel, stride):
    """As TensorFlow pads: where the sum is odd, one more below and right."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2
