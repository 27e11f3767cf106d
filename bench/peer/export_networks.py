"""Exports torchvision's networks to ONNX: `python3 export_networks.py FOLDER [NAME...]`.

Random weights, since none can be downloaded; the statistics of batch normalisation are shaken, so that folding them
is tested. Beside each `NAME.onnx` lie `NAME.pixels.bin`, an image `[1, 3, S, S]` as the network reads it, and
`NAME.logits.bin`, float32 both. A file that is there is not made again.
"""

import os
import sys

import torch
import torchvision

CLASSIFIERS = [
    "alexnet", "vgg16_bn", "resnet18", "resnet50", "resnext50_32x4d", "densenet121", "googlenet", "inception_v3",
    "squeezenet1_1", "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large", "mnasnet1_0", "shufflenet_v2_x1_0",
    "regnet_y_400mf", "efficientnet_b0", "efficientnet_v2_s", "convnext_tiny",
]
SEGMENTATION = ["lraspp_mobilenet_v3_large", "deeplabv3_resnet50"]
SIZES = {"inception_v3": 299}
OPSET = 13


# Between fresh layers all places become alike to the last bit. Then it is chance which of them is the maximum of a
# window, and so is the gradient: these have statistics of their own features.
POOLING_OFTEN = ("googlenet", "inception_v3")


def normalised(network, size):
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    network.train()
    network(torch.randn(4, 3, size, size, generator=torch.Generator().manual_seed(5)))
    return network


def shaken(network):
    """Statistics, scales and layer scales as training leaves them: none at its starting value."""
    generator = torch.Generator().manual_seed(7)
    draw = lambda like, low, high: torch.rand(like.shape, generator=generator) * (high - low) + low
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.add_(draw(module.running_mean, -0.1, 0.1) * module.running_var.sqrt())
            module.running_var.mul_(draw(module.running_var, 0.5, 1.5))
            module.weight.data.copy_(draw(module.weight, 0.7, 1.3))
            module.bias.data.copy_(draw(module.bias, -0.2, 0.2))
    for name, parameter in network.named_parameters():
        if name.endswith("layer_scale"):
            parameter.data.copy_(draw(parameter, 0.2, 0.5))
    return network.eval()


class Logits(torch.nn.Module):
    """A segmentation network's map alone, without the dictionary around it."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, image):
        return self.network(image)["out"]


def create(name):
    torch.manual_seed(1)
    if name in SEGMENTATION:
        make = getattr(torchvision.models.segmentation, name)
        return Logits(make(weights=None, weights_backbone=None, num_classes=21))
    if name in POOLING_OFTEN:
        network = getattr(torchvision.models, name)(weights=None, init_weights=False, aux_logits=False)
        return normalised(network, SIZES.get(name, 224))
    return getattr(torchvision.models, name)(weights=None)


def export(folder, name):
    path = os.path.join(folder, name + ".onnx")
    if os.path.exists(path):
        return
    size = SIZES.get(name, 224)
    network = shaken(create(name))
    pixels = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        logits = network(pixels)
    partial = path + ".part"
    torch.onnx.export(network, pixels, partial, opset_version=OPSET, input_names=["image"], output_names=["logits"])
    pixels.numpy().tofile(os.path.join(folder, name + ".pixels.bin"))
    logits.numpy().tofile(os.path.join(folder, name + ".logits.bin"))
    os.rename(partial, path)
    print(name, tuple(logits.shape), flush=True)


if __name__ == "__main__":
    os.makedirs(sys.argv[1], exist_ok=True)
    with torch.no_grad():
        for each in sys.argv[2:] or CLASSIFIERS + SEGMENTATION:
            export(sys.argv[1], each)
