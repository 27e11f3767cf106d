"""One explanation of a network of torchvision in PyTorch, step by step what the explain graph computes by default.

The network is traced (torch.fx), its batch normalisation folded, and cut at the value that is our source layer's: what
comes behind it is run again half way. Reads `NAME.pixels.bin` and `NAME.features.bin` of the folder. Two segmentation heads
of ours read the layer.
"""

import json
import os
import sys

import numpy
import torch
import torch.nn.functional as F
from torch.fx import Graph, GraphModule, Interpreter, symbolic_trace
from torch.fx.experimental.optimization import fuse

from export_networks import SIZES, create, shaken
from networks import Segmentation, in_layout
from serve import serve


def whole(name):
    """The network as a graph, without operations in place: they would change what is kept."""
    with torch.no_grad():
        network = shaken(create(name))
    for module in network.modules():
        if getattr(module, "inplace", False):
            module.inplace = False
    traced = symbolic_trace(network)
    for node in traced.graph.nodes:
        if node.kwargs.get("inplace"):
            node.kwargs = {**node.kwargs, "inplace": False}
    traced.recompile()
    return fuse(traced)


class Values(Interpreter):
    """Finds the node whose value these features are, their channels last or not."""

    def __init__(self, network, wanted):
        super().__init__(network)
        self.wanted, self.found = wanted, None

    def run_node(self, node):
        value = super().run_node(node)
        for is_last in (False, True):
            wanted = self.wanted.permute(0, 2, 3, 1) if is_last else self.wanted
            if isinstance(value, torch.Tensor) and value.shape == wanted.shape:
                if (value - wanted).norm() < 1e-4 * wanted.norm():
                    self.found = (node.name, is_last)
        return value


def after(network, name):
    """What comes behind a node, as a function of its value."""
    graph, known = Graph(), {}
    nodes = list(network.graph.nodes)
    cut = next(index for index, node in enumerate(nodes) if node.name == name)
    known[nodes[cut]] = graph.placeholder("features")
    for node in nodes[cut + 1 :]:
        inputs = node.all_input_nodes
        if node.op == "get_attr" or (inputs and all(each in known for each in inputs)):
            known[node] = graph.node_copy(node, lambda each: known[each])
        elif node.op == "output":
            raise SystemExit(f"{name} is on no cut of the network")
    rest = GraphModule(network, graph)
    rest.graph.eliminate_dead_code()
    rest.recompile()
    return rest


def before(network, name):
    graph, known = Graph(), {}
    for node in network.graph.nodes:
        known[node] = graph.node_copy(node, lambda each: known[each])
        if node.name == name:
            graph.output(known[node])
            break
    return GraphModule(network, graph)


def prepare(options, is_channels_last):
    name, classes, channels, grid = (options[key] for key in ("name", "classes", "channels", "grid"))
    size = SIZES.get(name, 224)
    read = lambda part: torch.from_numpy(
        numpy.fromfile(os.path.join(options["folder"], f"{name}.{part}.bin"), dtype=numpy.float32)
    )
    network = whole(name)
    image = read("pixels").reshape(1, 3, size, size)
    values = Values(network, read("features").reshape(1, channels, grid, grid))
    with torch.no_grad():
        values.run(image)
    if values.found is None:
        raise SystemExit(f"{name}: no value of the network is the source layer's")
    node, is_last = values.found
    turn = (lambda at: at.permute(0, 2, 3, 1)) if is_last else (lambda at: at)
    back = (lambda at: at.permute(0, 3, 1, 2)) if is_last else (lambda at: at)
    first, rest = (in_layout(part(network, node), is_channels_last).eval() for part in (before, after))
    heads = [in_layout(Segmentation(channels, size), is_channels_last).eval() for _ in range(options["masks"])]
    for module in (first, rest, *heads):
        module.requires_grad_(False)
    image = in_layout(image, is_channels_last)
    references = torch.randn(classes + 1, channels).abs()

    def explain():
        with torch.no_grad():
            features = back(first(image))
            logits = rest(turn(features))
            chosen = F.one_hot(logits.argmax(1), classes).bool()
            reference = (chosen.float() @ references[:-1])[:, :, None, None]
            middle = (features + reference) / 2
        between = middle.requires_grad_(True)
        half_way = rest(turn(between))
        others = torch.logsumexp(half_way.masked_fill(chosen, -1e9), 1)
        (gradient,) = torch.autograd.grad((half_way[chosen] - others).sum(), between)
        with torch.no_grad():
            difference = features - reference
            product = gradient * difference
            net = product.sum(1, keepdim=True)
            saliency = F.relu(net)
            share = saliency / F.relu(product).sum(1, keepdim=True).clamp(min=1e-30)
            evidence = product * share
            root = evidence / evidence.abs().clamp(min=1e-30).sqrt()
            masked = reference + saliency / saliency.amax((2, 3), keepdim=True).clamp(min=1e-30) * difference
            outputs = [logits, logits.softmax(1), saliency, torch.cat([net, evidence.abs().sum(1, keepdim=True)], 1)]
            stacked = torch.cat([features, masked, reference.expand_as(features)])
        aspects = []
        for head in heads:
            with torch.no_grad():
                unmasked, seen, nothing = head(stacked)
                region = (unmasked >= 0).float()
            at = middle.detach().requires_grad_(True)
            (slope,) = torch.autograd.grad((head(at) * region).sum(), at)
            with torch.no_grad():
                aspect = slope * difference
                overlap = torch.cat([(root * aspect).sum(1, keepdim=True), aspect.square().sum(1, keepdim=True)], 1)
            aspects.append(aspect)
            outputs += [unmasked, seen, nothing, overlap]
        with torch.no_grad():
            outputs.append((aspects[0] * aspects[1]).sum())
        return outputs

    return explain


serve(prepare, json.loads(sys.argv[1]))
