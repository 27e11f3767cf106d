"""Trains beside ours: the same network from the same numbers, one step for each batch that it is sent."""

import math
import platform
import statistics
import sys
import time

import torch

from heads import answer
from losses import joint, loss_of
from messages import read_message, write_message
from table_trunk import features

BETAS = (0.9, 0.999)
EPSILON = 1e-7
LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


class Training:
    def __init__(self, model):
        self.model, self.kept = model, None

    def begin_stage(self, trainable, arrays):
        """From its own parameters that were kept; the moments from zero, the layout as the first batch decides."""
        self.trainable, self.count, self.layout = trainable, 0, None
        self.begin = {name: from_ours(array) for name, array in arrays.items()}
        self.start = self.kept or self.begin

    def use(self, layout):
        """Parameters of their own, so that those of the start stay as they are."""
        self.layout = layout
        self.parameters = {name: in_layout(start, layout).clone() for name, start in self.start.items()}
        for name in self.trainable:
            self.parameters[name].requires_grad_(True)
        groups = [
            {"params": [self.parameters[n] for n in self.trainable if n.startswith("trunk/") == of_trunk], "rate": rate}
            for of_trunk, rate in ((True, "rate/trunk"), (False, "rate/heads"))
        ]
        self.optimizer = torch.optim.Adam([group for group in groups if group["params"]], betas=BETAS, foreach=True)

    def losses(self, inputs):
        read = self.read(inputs)
        result = {}
        for head in self.model["heads"]:
            prefix = f"label/{head['name']}/"
            labels = {name[len(prefix) :]: value for name, value in inputs.items() if name.startswith(prefix)}
            result[head["name"]] = loss_of(head, answer(head, self.model, self.parameters, read), labels)
        return joint(result, self.model["weights"], self.model["isBalanced"]), result

    def read(self, inputs):
        given = {"input": inputs["image"]} if "image" in inputs else {}
        given.update({name[4:]: value for name, value in inputs.items() if name.startswith("tap/")})
        given = {name: in_layout(value.permute(0, 3, 1, 2), self.layout) for name, value in given.items()}
        taps = [tap for head in self.model["heads"] for tap in head["taps"]]
        return features(self.model["layers"], self.parameters, given, taps)

    def backward(self, inputs):
        self.optimizer.zero_grad(set_to_none=True)
        total, losses = self.losses(inputs)
        total.backward()
        return {"total": total.item(), **{name: loss.item() for name, loss in losses.items()}}

    def step(self, arrays):
        if self.layout is None:
            self.use(self.faster_layout(arrays))
        begun = time.perf_counter()
        inputs = tensors(arrays)
        losses = self.backward(inputs)
        self.count += 1
        # Ours has Adam's bias correction in its rates, and adds epsilon before it, as the paper's second form does.
        root = math.sqrt(1 - BETAS[1] ** self.count)
        for group in self.optimizer.param_groups:
            group["lr"] = inputs[group["rate"]].item() / root * (1 - BETAS[0] ** self.count)
            group["eps"] = EPSILON / root
        self.optimizer.step()
        return {"losses": losses, "seconds": time.perf_counter() - begun, "layout": self.layout}

    def faster_layout(self, arrays):
        inputs, times = tensors(arrays), {}
        for layout in LAYOUTS:
            self.use(layout)
            self.backward(inputs)
            times[layout] = statistics.median(timed(lambda: self.backward(inputs)) for _ in range(3))
        return min(times, key=times.get)

    @torch.no_grad()
    def predict(self, arrays):
        read = self.read(tensors(arrays))
        return {head["name"]: answer(head, self.model, self.parameters, read).numpy() for head in self.model["heads"]}

    def gradients(self, arrays):
        """Of one batch at the numbers that ours begins the stage with; nothing of this training changes."""
        own, self.start = self.start, self.begin
        self.use("contiguous")
        losses = self.backward(tensors(arrays))
        made = {name: to_ours(self.parameters[name].grad) for name in self.trainable}
        self.start, self.layout = own, None
        return losses, made

    def keep(self):
        self.kept = {name: value.detach().clone() for name, value in self.parameters.items()}

    def weights(self):
        return {name: to_ours(value) for name, value in self.kept.items()}


def timed(run):
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


def tensors(arrays):
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def in_layout(value, layout):
    return value.contiguous(memory_format=LAYOUTS[layout]) if value.dim() == 4 else value


def from_ours(array):
    """[h, w, in, out] becomes [out, in, h, w]; of a depthwise kernel, [h, w, channels, 1] becomes [channels, 1, h, w]."""
    value = torch.from_numpy(array.copy())
    if value.dim() != 4:
        return value
    is_depthwise = value.shape[0] > 1 and value.shape[3] == 1
    return value.permute((2, 3, 0, 1) if is_depthwise else (3, 2, 0, 1))


def to_ours(value):
    value = value.detach()
    if value.dim() != 4:
        return value.numpy()
    is_depthwise = value.shape[2] > 1 and value.shape[1] == 1
    return value.permute((2, 3, 0, 1) if is_depthwise else (2, 3, 1, 0)).numpy()


def main():
    threads = int(sys.argv[1])
    torch.set_num_threads(threads)
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    software = {"python": platform.python_version(), "torch": torch.__version__, "threads": torch.get_num_threads()}
    write_message(sink, software)
    training = None
    while request := read_message(source):
        message, arrays = request
        kind, reply, made = message["kind"], {}, None
        if kind == "model":
            training = Training(message["model"])
        elif kind == "stage":
            training.begin_stage(message["trainable"], arrays)
        elif kind == "gradients":
            reply, made = training.gradients(arrays)
        elif kind == "step":
            reply = training.step(arrays)
        elif kind == "predict":
            made = training.predict(arrays)
        elif kind == "keep":
            training.keep()
        elif kind == "weights":
            made = training.weights()
        write_message(sink, reply, made)


main()
