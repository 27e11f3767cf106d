"""Trains a ResNet18 of torchvision on Tiny ImageNet: `python3 tiny_imagenet.py ARCHIVE.tar.gz WEIGHTS.pt`.

Crops of 48 px out of the images of 64 px, SGD with one cycle of the learning rate, convolutions in bfloat16. `--per-class`
images of each of the 200 classes are seen `--epochs` times. Beside the weights lies what they were made by and the
accuracy on validation images, WEIGHTS.json. Weights that are there are not made again.
"""

import argparse
import io
import json
import os
import tarfile
import time

import numpy
import torch
import torch.nn.functional as F
import torchvision
from PIL import Image

from images import cropped, scaled

CROP, CLASSES = 48, 200


def read(archive, per_class, held_out):
    """Pixels `[images, 64, 64, 3]` and classes, for training and held out; which images, the archive's order decides."""
    found, labels, names = {"train": ([], []), "val": ([], [])}, {}, {}
    seen, pending = [0] * CLASSES, []
    with tarfile.open(archive) as members:
        for member in members:
            if not member.isfile():
                continue
            parts = member.name.split("/")[1:]
            if parts == ["wnids.txt"]:
                names = {name: index for index, name in enumerate(members.extractfile(member).read().decode().split())}
            elif parts == ["val", "val_annotations.txt"]:
                lines = members.extractfile(member).read().decode().splitlines()
                labels = {name: label for name, label, *_ in (line.split("\t") for line in lines)}
            elif parts[0] == "train" and parts[-1].endswith(".JPEG"):
                label = names[parts[1]]
                if seen[label] < per_class:
                    seen[label] += 1
                    add(found["train"], members, member, label)
            elif parts[0] == "val" and parts[-1].endswith(".JPEG") and len(pending) < held_out:
                pending.append((parts[-1], members.extractfile(member).read()))
    for name, data in pending:
        found["val"][0].append(decoded(data))
        found["val"][1].append(names[labels[name]])
    return [(torch.from_numpy(numpy.stack(images)), torch.tensor(classes)) for images, classes in found.values()]


def add(split, members, member, label):
    split[0].append(decoded(members.extractfile(member).read()))
    split[1].append(label)


def decoded(data):
    return numpy.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


@torch.no_grad()
def accuracy(network, images, classes):
    network.eval()
    right = [network(scaled(images[at : at + 100], "imagenet")).argmax(1) == classes[at : at + 100] for at in range(0, len(images), 100)]
    network.train()
    return torch.cat(right).float().mean().item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("archive")
    parser.add_argument("weights")
    parser.add_argument("--per-class", type=int, default=500)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=0.1)
    options = parser.parse_args()
    if os.path.exists(options.weights):
        return
    torch.manual_seed(1)
    (images, classes), held_out = read(options.archive, options.per_class, 2000)
    print(f"{len(images)} images, {len(held_out[0])} held out", flush=True)
    network = torchvision.models.resnet18(weights=None, num_classes=CLASSES).train()
    optimizer = torch.optim.SGD(network.parameters(), options.rate, momentum=0.9, weight_decay=5e-4, nesterov=True)
    steps = len(images) // options.batch * options.epochs
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, options.rate, total_steps=steps, pct_start=0.2)
    generator, begun, step, mean = torch.Generator().manual_seed(2), time.time(), 0, None
    for _ in range(options.epochs):
        order = torch.randperm(len(images), generator=generator)
        for at in range(0, len(order) - options.batch + 1, options.batch):
            chosen = order[at : at + options.batch]
            given = scaled(cropped(images[chosen], CROP, generator), "imagenet")
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = F.cross_entropy(network(given).float(), classes[chosen], label_smoothing=0.1)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            cycle.step()
            step += 1
            mean = loss.item() if mean is None else 0.98 * mean + 0.02 * loss.item()
            if step % 50 == 0:
                print(f"step {step} of {steps}: loss {mean:.3f}, {time.time() - begun:.0f} s", flush=True)
    found = {"accuracy": round(accuracy(network, *held_out), 4), "heldOut": len(held_out[0]), "steps": steps}
    print(found, flush=True)
    with open(os.path.splitext(options.weights)[0] + ".json", "w") as file:
        json.dump({**vars(options), **found, "archive": os.path.basename(options.archive), "weights": None}, file)
    torch.save(network.state_dict(), options.weights + ".part")
    os.rename(options.weights + ".part", options.weights)


main()
