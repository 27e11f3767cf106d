"""The joint training step in PyTorch: cross-entropy, binary cross-entropy plus Dice, Adam; everything learns."""

import json
import sys

import torch
import torch.nn.functional as F

from networks import Model, in_layout
from serve import serve


def prepare(options, is_channels_last):
    batch, size = options["batchSize"], options["inputSize"]
    model = in_layout(Model(options["alpha"], size, 10, 1, options["batchNorm"] == "frozen"), is_channels_last)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    image = in_layout(torch.randint(0, 256, (batch, 3, size, size)).float(), is_channels_last)
    label = torch.randint(0, 10, (batch,))
    mask = torch.rand(batch, 1, size, size).round()

    def step():
        optimizer.zero_grad()
        features = model.features(image)
        logits, pixels = model.classify(features), model.heads[0](features)
        chance = torch.sigmoid(pixels)
        shared = (chance * mask).sum((1, 2, 3))
        areas = chance.sum((1, 2, 3)) + mask.sum((1, 2, 3))
        dice = (1 - (2 * shared + 1) / (areas + 1)).mean()
        (F.cross_entropy(logits, label) + F.binary_cross_entropy_with_logits(pixels, mask) + dice).backward()
        optimizer.step()

    return step


serve(prepare, json.loads(sys.argv[1]))
