"""Messages between two processes: a line of JSON with the count of bytes that follow, which are a safetensors file."""

import json
import struct

import numpy


def read_message(stream):
    """What the line says, and the arrays by name; None at the end of the stream."""
    line = stream.readline()
    if not line:
        return None
    message = json.loads(line)
    data = bytearray(message.pop("bytes"))
    view = memoryview(data)
    while view:
        view = view[stream.readinto(view) :]
    return message, decode(data) if data else {}


def write_message(stream, message, arrays=None):
    data = encode(arrays) if arrays else b""
    stream.write(json.dumps({**message, "bytes": len(data)}).encode() + b"\n" + data)
    stream.flush()


def decode(data):
    """float32 alone; the arrays lie in `data`."""
    start = 8 + struct.unpack_from("<Q", data)[0]
    arrays = {}
    for name, entry in json.loads(bytes(data[8:start])).items():
        first, end = entry["data_offsets"]
        arrays[name] = numpy.frombuffer(data, "<f4", (end - first) // 4, start + first).reshape(entry["shape"])
    return arrays


def encode(arrays):
    header, parts, offset = {}, [], 0
    for name, array in arrays.items():
        part = numpy.ascontiguousarray(array, "<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [offset, offset + len(part)]}
        parts.append(part)
        offset += len(part)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(parts)
