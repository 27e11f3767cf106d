"""Fine-tunes a classifier on a dataset's classes and exports it: `python3 fine_tune.py NETWORK WEIGHTS DATASET OUT`.

NETWORK is `mobilenet_v2` (WEIGHTS: the folder of a TensorFlow.js model of MobileNet v2 0.35 without its top, read into
the same layers of PyTorch, with a mean over places and a linear layer behind them) or `resnet18` (WEIGHTS: a state of
torchvision's, its last layer made anew). Only the images and classes of the dataset are read. Writes OUT.onnx, opset 13,
and OUT.json with the accuracy on validation and test images; nothing is chosen by either.
"""

import argparse
import json
import os
import time

import numpy
import torch
import torch.nn as nn
import torch.nn.functional as F
import torchvision
from PIL import Image

from images import cropped, lit, scaled, widened
from networks import mobilenet_v2

ALPHA = 0.35


def mobilenet_v2_of(folder, classes):
    """Strided convolutions pad below and right alone, as those that the weights were trained in."""
    _, before, after, _, channels = mobilenet_v2(ALPHA, False)
    trunk = nn.Sequential(*before, *after)
    arrays = tensors_of(folder)
    kernels = iter([name for name in arrays if name.endswith("kernel")])
    norms = iter([name[: -len("/gamma")] for name in arrays if name.endswith("/gamma")])
    with torch.no_grad():
        for module in trunk.modules():
            if isinstance(module, nn.Conv2d):
                name = next(kernels)
                is_depthwise = name.endswith("depthwise_kernel")
                module.weight.copy_(arrays[name].permute((2, 3, 0, 1) if is_depthwise else (3, 2, 0, 1)))
                nn.init.zeros_(module.bias) if module.bias is not None else None
            elif isinstance(module, nn.BatchNorm2d):
                name, module.momentum = next(norms), 0.1
                of = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
                for own, given in of.items():
                    getattr(module, own).copy_(arrays[f"{name}/{given}"])
    assert next(kernels, None) is None and next(norms, None) is None
    for index, module in enumerate(trunk):
        if isinstance(module, nn.Conv2d) and module.stride == (2, 2):
            module.padding = (0, 0)
            trunk[index] = nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), module)
    return nn.Sequential(trunk, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


def tensors_of(folder):
    """The float32 tensors of a TensorFlow.js model in one file, by name, in order of the layers."""
    with open(os.path.join(folder, "model.json")) as file:
        (group,) = json.load(file)["weightsManifest"]
    with open(os.path.join(folder, group["paths"][0]), "rb") as file:
        data, at, arrays = numpy.frombuffer(file.read(), "<f4"), 0, {}
    for weight in group["weights"]:
        count = int(numpy.prod(weight["shape"]))
        arrays[weight["name"]] = torch.from_numpy(data[at : at + count].reshape(weight["shape"]).copy())
        at += count
    return arrays


def resnet18_of(path, classes):
    state = torch.load(path)
    network = torchvision.models.resnet18(weights=None, num_classes=len(state["fc.bias"]))
    network.load_state_dict(state)
    network.fc = nn.Linear(network.fc.in_features, classes)
    return network


# How it is made, what it expects of pixels, and the rates of the given layers and of the new one.
NETWORKS = {
    "mobilenet_v2": (mobilenet_v2_of, "tf", 5e-4, 5e-3),
    "resnet18": (resnet18_of, "imagenet", 5e-4, 5e-3),
}
MARGIN = 8


def read(folder, size):
    """By split the images `[count, size, size, 3]` and the indices of their classes; the names of the classes."""
    with open(os.path.join(folder, "dataset.json")) as file:
        names = json.load(file)["classes"]
    splits = {}
    with open(os.path.join(folder, "samples.jsonl")) as file:
        for line in file:
            sample = json.loads(line)
            images, labels = splits.setdefault(sample["split"], ([], []))
            image = Image.open(os.path.join(folder, sample["image"])).convert("RGB")
            images.append(numpy.asarray(image.resize((size, size), Image.Resampling.BILINEAR)))
            labels.append(names.index(sample["label"]))
    tensors = {split: (torch.from_numpy(numpy.stack(each)), torch.tensor(of)) for split, (each, of) in splits.items()}
    return tensors, names


@torch.no_grad()
def accuracy(network, scaling, images, labels):
    network.eval()
    right = [
        network(scaled(images[at : at + 50], scaling)).argmax(1) == labels[at : at + 50]
        for at in range(0, len(images), 50)
    ]
    network.train()
    return round(torch.cat(right).float().mean().item(), 4)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("network", choices=NETWORKS)
    for name in ("weights", "dataset", "out"):
        parser.add_argument(name)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--batch", type=int, default=32)
    options = parser.parse_args()
    torch.manual_seed(1)
    make, scaling, slow, fast = NETWORKS[options.network]
    splits, names = read(options.dataset, options.size)
    network = make(options.weights, len(names)).train()
    last = list(network.modules())[-1]
    given = [each for each in network.parameters() if each is not last.weight and each is not last.bias]
    optimizer = torch.optim.Adam([{"params": given, "lr": slow}, {"params": last.parameters(), "lr": fast}])
    images, labels = splits["train"]
    wide = widened(images, MARGIN)
    steps = len(images) // options.batch * options.epochs
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, [slow, fast], total_steps=steps, pct_start=0.1)
    generator, begun = torch.Generator().manual_seed(2), time.time()
    for epoch in range(options.epochs):
        order, losses = torch.randperm(len(images), generator=generator), []
        for at in range(0, len(order) - options.batch + 1, options.batch):
            chosen = order[at : at + options.batch]
            pixels = lit(cropped(wide[chosen], options.size, generator), generator)
            loss = F.cross_entropy(network(scaled(pixels, scaling)), labels[chosen])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            cycle.step()
            losses.append(loss.item())
        print(f"epoch {epoch + 1}: loss {numpy.mean(losses):.3f}, {time.time() - begun:.0f} s", flush=True)
    found = {split: accuracy(network, scaling, *splits[split]) for split in ("validation", "test")}
    print(found, flush=True)
    about = {"network": options.network, "size": options.size, "epochs": options.epochs, "batch": options.batch}
    with open(options.out + ".json", "w") as file:
        json.dump({**about, "scaling": scaling, "classes": names, "accuracy": found}, file)
    image = torch.zeros(1, 3, options.size, options.size)
    names_of = {"input_names": ["image"], "output_names": ["logits"]}
    torch.onnx.export(network.eval(), image, options.out + ".onnx.part", opset_version=13, **names_of)
    os.rename(options.out + ".onnx.part", options.out + ".onnx")


main()
