"""Replays a bundle's goldens in Python, with nothing of ours: numpy and onnxruntime alone.

    python replay.py FOLDER OUT

FOLDER is an unpacked bundle. OUT gets every golden anew, under its own name and in its own format (safetensors): the inputs
as they were, the outputs as this machine computes them. A golden's own outputs are not looked at.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime as ort

DTYPES = {"F32": np.dtype("<f4"), "I32": np.dtype("<i4")}


def read_safetensors(path):
    """Arrays by name: an 8-byte length, a JSON header of that length, then the numbers."""
    raw = path.read_bytes()
    start = 8 + int.from_bytes(raw[:8], "little")
    arrays = {}
    for name, entry in json.loads(raw[8:start]).items():
        begin, end = entry["data_offsets"]
        numbers = np.frombuffer(raw[start + begin : start + end], DTYPES[entry["dtype"]])
        arrays[name] = numbers.reshape(entry["shape"])
    return arrays


def write_safetensors(path, arrays):
    header, offset = {}, 0
    for name, array in arrays.items():
        if array.dtype != np.float32:
            raise TypeError(f'"{name}" is {array.dtype}, expected float32')
        header[name] = {"dtype": "F32", "shape": array.shape, "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header).encode()
    numbers = b"".join(array.astype("<f4").tobytes() for array in arrays.values())
    path.write_bytes(len(text).to_bytes(8, "little") + text + numbers)


def replay(folder, out):
    files = json.loads((folder / "bundle.json").read_text("utf-8"))["files"]
    sessions = {
        graph: ort.InferenceSession(folder / f"{graph}.onnx", providers=["CPUExecutionProvider"])
        for graph in ("predict", "explain")
    }
    for golden in (Path(name) for name in files if name.startswith("goldens/")):
        arrays = read_safetensors(folder / golden)
        replayed = {name: array for name, array in arrays.items() if name.startswith("input/")}
        for graph, session in sessions.items():
            inputs = {given.name: arrays[f"input/{given.name}"] for given in session.get_inputs()}
            names = [output.name for output in session.get_outputs()]
            for name, array in zip(names, session.run(names, inputs)):
                replayed[f"{graph}/{name}"] = array
        write_safetensors(out / golden.name, replayed)


if __name__ == "__main__":
    replay(Path(sys.argv[1]), Path(sys.argv[2]))
