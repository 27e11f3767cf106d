"""The gradient of one logit at the module whose output are given features.

`python3 network_gradient.py FOLDER NAME CHANNELS SIZE CLASS` reads `NAME.pixels.bin` and `NAME.features.bin`, writes
`NAME.gradient.bin`, and prints which module it was, `null` where none has such an output.
"""

import json
import os
import sys

import numpy
import torch

from export_networks import SIZES, create, shaken

folder, name, channels, size, target = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
torch.set_num_threads(2)
with torch.no_grad():
    network = shaken(create(name))
for parameter in network.parameters():
    parameter.requires_grad = False
read = lambda part: numpy.fromfile(os.path.join(folder, f"{name}.{part}.bin"), dtype=numpy.float32)
side = SIZES.get(name, 224)
pixels = torch.from_numpy(read("pixels")).reshape(1, 3, side, side).requires_grad_(True)
wanted = torch.from_numpy(read("features")).reshape(1, channels, size, size)

outputs = {}
for path, module in network.named_modules():
    def keep(_, __, output, path=path):
        if isinstance(output, torch.Tensor) and output.dim() == 4:
            # Channels may lie last (ConvNeXt inside its blocks).
            outputs[path] = output
    module.register_forward_hook(keep)
logits = network(pixels)
found = None
for path, output in outputs.items():
    if output.shape == wanted.shape:
        off = (output.detach() - wanted).norm() / wanted.norm()
        if off < 1e-4:
            found = path
if found is not None:
    (gradient,) = torch.autograd.grad(logits[0, target], outputs[found])
    gradient.contiguous().numpy().tofile(os.path.join(folder, f"{name}.gradient.bin"))
print(json.dumps({"module": found}))
