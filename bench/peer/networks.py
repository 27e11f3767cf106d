"""The measured networks in PyTorch: a trunk, the classifier, and the default segmentation head."""

import torch
import torch.nn as nn
import torch.nn.functional as F

# Output channels and stride of MobileNetV1's thirteen depthwise-separable layers.
LAYERS = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1)] + [(512, 2)] + [(512, 1)] * 5 + [(1024, 2), (1024, 1)]
SOURCE = 11
# Output channels and stride of MobileNetV2's inverted residual blocks; the source is the expansion of the fourteenth.
BLOCKS = (
    [(16, 1)]
    + [(24, 2), (24, 1)]
    + [(32, 2), (32, 1), (32, 1)]
    + [(64, 2), (64, 1), (64, 1), (64, 1)]
    + [(96, 1), (96, 1), (96, 1)]
    + [(160, 2), (160, 1), (160, 1)]
    + [(320, 1)]
)


def width(alpha, channels):
    return max(1, int(channels * alpha))


def convolution(inputs, outputs, kernel, stride, groups, is_folded, activation=nn.ReLU6):
    # Keras pads "same" with stride 2 at the bottom and right; the cost is the same.
    layers = [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=is_folded)]
    if not is_folded:
        layers.append(nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.03))
    return layers + ([activation(inplace=True)] if activation else [])


class Residual(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, features):
        return features + self.layers(features)


def mobilenet_v1(alpha, is_folded):
    """Layers up to the source, the rest, and the channels of both ends."""
    channels = width(alpha, 32)
    before, after = convolution(3, channels, 3, 2, 1, is_folded), []
    for index, (wide, stride) in enumerate(LAYERS, start=1):
        outputs = width(alpha, wide)
        layers = before if index <= SOURCE else after
        layers += convolution(channels, channels, 3, stride, channels, is_folded)
        layers += convolution(channels, outputs, 1, 1, 1, is_folded)
        channels = outputs
        if index == SOURCE:
            source = channels
    return [], before, after, source, channels


def divisible_by_8(channels):
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


def mobilenet_v2(alpha, is_folded):
    channels = divisible_by_8(32 * alpha)
    before, after = convolution(3, channels, 3, 2, 1, is_folded), []
    for index, (wide, stride) in enumerate(BLOCKS):
        outputs, inner = divisible_by_8(wide * alpha), channels * (6 if index else 1)
        expand = convolution(channels, inner, 1, 1, 1, is_folded) if index else []
        rest = convolution(inner, inner, 3, stride, inner, is_folded)
        rest += convolution(inner, outputs, 1, 1, 1, is_folded, activation=None)
        if index == 13:
            before += expand
            source, after = inner, rest
        else:
            layers = before if index < 13 else after
            is_residual = stride == 1 and channels == outputs
            layers += [Residual(expand + rest)] if is_residual else expand + rest
        channels = outputs
    after += convolution(channels, 1280, 1, 1, 1, is_folded)
    return [], before, after, source, 1280


def vgg16():
    """Blocks 1 to 4 apart: they are frozen."""
    frozen, before, channels = [], [], 3
    for block, (count, wide) in enumerate([(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)], start=1):
        layers = frozen if block < 5 else before
        for _ in range(count):
            layers += convolution(channels, wide, 3, 1, 1, True, nn.ReLU)
            channels = wide
        if block < 5:
            layers.append(nn.MaxPool2d(2))
    return frozen, before, [nn.MaxPool2d(2)], 512, 512


class Segmentation(nn.Module):
    """1x1 to 64, relu, depthwise 3x3, 1x1, relu, 1x1 to 8 x 8 sub-pixels, then bilinear to the input's size."""

    def __init__(self, channels, size):
        super().__init__()
        self.size = size
        self.network = nn.Sequential(
            nn.Conv2d(channels, 64, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(64, 64, 3, 1, 1, groups=64, bias=False),
            nn.Conv2d(64, 64, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(64, 64, 1),
            nn.PixelShuffle(8),
        )

    def forward(self, features):
        return F.interpolate(self.network(features), size=(self.size, self.size), mode="bilinear")


def generalized_mean(x):
    """The default pooling of a classifier, `ops/generalized-mean.ts`."""
    return (x.clamp(min=1e-6) ** 3).mean((2, 3)) ** (1 / 3)


class Model(nn.Module):
    def __init__(self, trunk, alpha, size, classes, masks, is_folded):
        super().__init__()
        parts = vgg16() if trunk == "vgg16" else globals()[trunk.replace("-", "_")](alpha, is_folded)
        frozen, before, after, self.source_channels, channels = parts
        self.trunk = trunk
        self.frozen = nn.Sequential(*frozen).requires_grad_(False)
        self.before = nn.Sequential(*before)
        self.after = nn.Sequential(*after)
        self.dense = nn.Linear(channels, classes)
        self.heads = nn.ModuleList(Segmentation(self.source_channels, size) for _ in range(masks))

    def features(self, image):
        with torch.no_grad():
            scaled = self.frozen(image - 116 if self.trunk == "vgg16" else image / 127.5 - 1)
        return self.before(scaled)

    def classify(self, features):
        return self.dense(generalized_mean(self.after(features)))


def in_layout(module_or_tensor, is_channels_last):
    return module_or_tensor.to(memory_format=torch.channels_last) if is_channels_last else module_or_tensor
