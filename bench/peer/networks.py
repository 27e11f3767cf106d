"""The measured networks in PyTorch: MobileNetV1, the classifier, and the default segmentation head."""

import torch
import torch.nn as nn
import torch.nn.functional as F

# Output channels and stride of the thirteen depthwise-separable layers.
LAYERS = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1)] + [(512, 2)] + [(512, 1)] * 5 + [(1024, 2), (1024, 1)]
SOURCE = 11


def width(alpha, channels):
    return max(1, int(channels * alpha))


def convolution(inputs, outputs, kernel, stride, groups, is_folded):
    # Keras pads "same" with stride 2 at the bottom and right; the cost is the same.
    layers = [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=is_folded)]
    if not is_folded:
        layers.append(nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.03))
    return layers + [nn.ReLU6(inplace=True)]


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


class Model(nn.Module):
    def __init__(self, alpha, size, classes, masks, is_folded):
        super().__init__()
        channels = width(alpha, 32)
        layers = convolution(3, channels, 3, 2, 1, is_folded)
        for index, (wide, stride) in enumerate(LAYERS, start=1):
            outputs = width(alpha, wide)
            layers += convolution(channels, channels, 3, stride, channels, is_folded)
            layers += convolution(channels, outputs, 1, 1, 1, is_folded)
            channels = outputs
            if index == SOURCE:
                self.source_channels, cut = channels, len(layers)
        self.before = nn.Sequential(*layers[:cut])
        self.after = nn.Sequential(*layers[cut:])
        self.dense = nn.Linear(channels, classes)
        self.heads = nn.ModuleList(Segmentation(self.source_channels, size) for _ in range(masks))

    def features(self, image):
        return self.before(image / 127.5 - 1)

    def classify(self, features):
        return self.dense(self.after(features).mean((2, 3)))


def in_layout(module_or_tensor, is_channels_last):
    return module_or_tensor.to(memory_format=torch.channels_last) if is_channels_last else module_or_tensor
