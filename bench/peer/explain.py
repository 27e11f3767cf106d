"""One explanation in PyTorch, step by step what the explain graph computes."""

import json
import sys

import torch
import torch.nn.functional as F

from networks import Model, in_layout
from serve import serve


def prepare(options, is_channels_last):
    size, classes = options["inputSize"], options["classes"]
    model = in_layout(Model("mobilenet-v1", options["alpha"], size, classes, options["masks"], True), is_channels_last).eval()
    for parameter in model.parameters():
        parameter.requires_grad = False
    image = in_layout(torch.randint(0, 256, (1, 3, size, size)).float(), is_channels_last)
    references = torch.randn(classes + 1, model.source_channels).abs()

    def explain():
        with torch.no_grad():
            features = model.features(image)
            logits = model.classify(features)
            chosen = F.one_hot(logits.argmax(1), classes).bool()
            reference = (chosen.float() @ references[:-1])[:, :, None, None]
            middle = (features + reference) / 2
        between = middle.requires_grad_(True)
        half_way_logits = model.classify(between)
        others = torch.logsumexp(half_way_logits.masked_fill(chosen, -1e9), 1)
        (gradient,) = torch.autograd.grad((half_way_logits[chosen] - others).sum(), between)
        with torch.no_grad():
            difference = features - reference
            weights = gradient.mean((2, 3), keepdim=True)
            saliency = F.relu((difference * weights).sum(1, keepdim=True))
            mask = (weights / torch.quantile(weights.abs(), 0.95).clamp(min=1e-30)).clamp(0, 1)
            masked = reference + mask * difference
            product = gradient * difference
            positive = F.relu(product)
            share = F.relu(product.sum(1, keepdim=True)) / positive.sum(1, keepdim=True).clamp(min=1e-30)
            evidence = positive * share
            outputs = [logits, logits.softmax(1), weights, saliency, evidence.square().sum(1, keepdim=True)]
            stacked = torch.cat([features, masked, reference.expand_as(features)])
        for head in model.heads:
            with torch.no_grad():
                unmasked, seen, nothing = head(stacked)
                region = (unmasked >= 0).float()
            half_way = middle.detach().requires_grad_(True)
            (aspect_gradient,) = torch.autograd.grad((head(half_way) * region).sum(), half_way)
            with torch.no_grad():
                aspect = F.relu(aspect_gradient * difference)
                overlap = torch.cat(
                    [(evidence * aspect).sum(1, keepdim=True), aspect.square().sum(1, keepdim=True)], 1
                )
            outputs += [unmasked, seen, nothing, overlap]
        return outputs

    return explain


serve(prepare, json.loads(sys.argv[1]))
