"""The joint training step in PyTorch: cross-entropy, binary cross-entropy plus Dice, Adam; everything learns but a frozen part."""

import json
import sys

import torch
import torch.nn.functional as F

from networks import Model, in_layout
from serve import serve


def prepare(options, is_channels_last):
    batch, size = options["batchSize"], options["inputSize"]
    is_folded = options["batchNorm"] == "folded"
    model = in_layout(Model(options["trunk"], options["alpha"], size, 10, 1, is_folded), is_channels_last)
    model.train(options["batchNorm"] == "batch")
    optimizer = torch.optim.Adam([one for one in model.parameters() if one.requires_grad], lr=1e-4)
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
