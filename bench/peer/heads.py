"""The heads (src/heads): from features to an answer before the sigmoid or softmax, channels last."""

import torch
import torch.nn.functional as F

from networks import generalized_mean


def answer(head, model, parameters, read):
    return FORWARD[head["kind"]](Reader(head, model, parameters, read))


class Reader:
    """What a head reads, and its parameters by their short names."""

    def __init__(self, head, model, parameters, read):
        self.head, self.model, self.parameters, self.read = head, model, parameters, read
        self.taps = head["taps"]
        self.stride = min(model["strides"][tap] for tap in self.taps)

    def of(self, what):
        return self.parameters[f"head/{self.head['name']}/{what}"]

    def fused(self):
        """A 1x1 convolution a tap, at the finest tap's size, summed, one bias, relu."""
        size = max(self.read[tap].shape[-1] for tap in self.taps)
        reduced = [F.conv2d(self.read[tap], self.of(f"reduce/{tap}/kernel")) for tap in self.taps]
        total = sum(resized(part, size) for part in reduced) + self.of("reduce/bias").view(1, -1, 1, 1)
        return F.relu(total, inplace=True)

    def fine(self, prior, factor):
        """The sub-pixel network: `[batch, channels, size * factor, size * factor]`."""
        around = F.conv2d(self.fused(), self.of("depthwise/kernel"), padding=1, groups=64)
        mixed = F.relu(F.conv2d(around, self.of("pointwise/kernel"), self.of("pointwise/bias")), inplace=True)
        bias = self.of("output/bias") + torch.tensor(prior).repeat(factor * factor)
        cells = F.conv2d(mixed, self.of("output/kernel"), bias)
        batch, _, height, width = cells.shape
        # Channels are ordered row, column, channel: PyTorch's pixel shuffle wants the channel first.
        blocks = cells.view(batch, factor, factor, len(prior), height, width).permute(0, 3, 4, 1, 5, 2)
        return blocks.reshape(batch, len(prior), height * factor, width * factor)

    def dense(self, pooled):
        return pooled @ self.of("output/kernel") + self.of("output/bias")


def resized(x, size):
    return x if x.shape[-1] == size else F.interpolate(x, size=(size, size), mode="bilinear", align_corners=False)


def classifier(reader):
    pool = generalized_mean if reader.head.get("pooling") == "generalized-mean" else lambda x: x.mean((2, 3))
    pooled = torch.cat([pool(reader.read[tap]) for tap in reader.taps], 1)
    dense = pooled @ reader.of("kernel") + reader.of("bias")
    if reader.head["task"] != "regression":
        return dense
    return dense * reader.head["scale"]["deviation"] + reader.head["scale"]["mean"]


def mask(reader):
    fine = reader.fine([-2.0], max(1, reader.stride // 2))
    return resized(fine, reader.model["inputSize"]).permute(0, 2, 3, 1)


def boxes(reader):
    prior = [-2.19, -1.6, -1.6, 0.5, 0.5]
    return reader.fine(prior, min(4, max(1, reader.stride // 4))).permute(0, 2, 3, 1)


def presence(reader):
    fused = reader.fused()
    return reader.dense(torch.cat([fused.amax((2, 3)), fused.mean((2, 3))], 1))


def amount(reader):
    return mask(reader) if reader.head["form"] == "map" else reader.dense(reader.fused().mean((2, 3)))


FORWARD = {"classifier": classifier, "segmentation": mask, "boxes": boxes, "presence": presence, "amount": amount}
