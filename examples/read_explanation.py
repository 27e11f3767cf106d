"""Reads an explanation from the outputs of `explain.onnx`, with numpy alone; docs/formats.md explains the steps.

`python read_explanation.py MODEL.aspect 1` reads golden 1, whose outputs lie in the bundle. With ONNX Runtime they are
`dict(zip(names, session.run(names, {"image": image, "target": target})))`."""

import json
import sys
import zipfile

import numpy as np


def read_explanation(description, outputs):
    """`description` is what bundle.json holds; `outputs` are arrays by name, of one image."""
    heads = [head for head in description["model"]["heads"] if head["kind"] != "classifier"]
    outputs = {name: array[0].astype(np.float64) for name, array in outputs.items()}
    aspects = [read_aspect(head, outputs) for head in heads]
    seen = np.array([aspect["survival"] is not None for aspect in aspects])
    relevance, apart = read_relevance(heads, outputs, seen)
    high, low = (description["threshold"].get(key, description["threshold"]["value"]) for key in ("value", "beside"))
    is_explained = bool((relevance[seen] >= high).any())
    for index in np.flatnonzero(seen):
        is_relevant = is_explained and bool(relevance[index] >= high or apart[index] >= low)
        aspects[index] |= {"relevance": relevance[index], "relevanceApart": apart[index], "isRelevant": is_relevant}
    return {"scores": outputs["scores"].tolist(), "isExplained": is_explained, "aspects": aspects}


def read_aspect(head, outputs):
    """Where the head sees its aspect, how surely, and how much of that is left in the masked run."""
    answers = [outputs[f"{head['name']}/{run}"] for run in ("unmasked", "masked", "reference")]
    unmasked, masked, reference = (answer[..., :1] for answer in answers)  # of boxes: the heat
    is_boxes, scale, at = head["kind"] == "boxes", head.get("temperature", 1), head["threshold"]
    least = np.float32(scale * (np.log(at) - np.log1p(-at)))
    region = find_centres(answers[0], least)[..., None] if is_boxes else unmasked >= least
    probability, is_present = 1 / (1 + np.exp(-unmasked / scale)), bool(region.any())
    whole, left = (unmasked - reference)[region], (masked - reference)[region]
    presence = probability[region].mean() if is_present and not is_boxes else probability.max()
    survival = left.sum() / whole.sum() if is_present and whole.mean() >= 1 else None
    aspect = {"name": head["name"], "isPresent": is_present, "presence": presence, "survival": survival}
    return {**aspect, "relevance": None, "relevanceApart": None, "isRelevant": False}


def find_centres(answer, least):
    """Centre cells of boxes: the highest of 3 x 3 cells; of boxes that overlap by more than half, the better one."""
    heat, size = answer[..., 0], np.array(answer.shape[:2])
    padded = np.pad(heat, 1, constant_values=-np.inf)
    highest = np.max([padded[y : y + size[0], x : x + size[1]] for y in range(3) for x in range(3)], axis=0)
    cells = np.argwhere((heat >= least) & (heat == highest)).tolist()
    centres, boxes = np.zeros(heat.shape, bool), []
    for cell in sorted(map(tuple, cells), key=lambda cell: -heat[cell])[:100]:
        middle, half = (cell + answer[cell][3:5]) / size, np.exp(answer[cell][1:3]) / 2  # 1: log sizes, 3: offsets
        box = np.clip([middle - half, middle + half], 0, 1)
        area = lambda low, high: np.prod(np.maximum(high - low, 0))
        shared = [area(np.maximum(box[0], other[0]), np.minimum(box[1], other[1])) for other in boxes]
        if all(3 * both <= area(*box) + area(*other) for both, other in zip(shared, boxes)):  # half of their union
            centres[cell], boxes = True, [*boxes, box]
    return centres


def read_relevance(heads, outputs, seen):
    """`relevance` and `relevanceApart` of each head; 0 of those that are not seen."""
    layers = sorted({layer for head in heads for layer in head["taps"]})
    flat = lambda name, layer: outputs.get(name, 0 * outputs[f"evidence/{layer}"]).reshape(-1, 2)
    # All places in one row: c^2 and |c| of the answer's evidence in the head's layers, <d, p> and p^2 of the aspect's.
    answer = np.stack([np.concatenate([(l in h["taps"]) * flat(f"evidence/{l}", l) for l in layers]) for h in heads])
    aspect = [[flat(f"{head['name']}/overlap/{layer}", layer) for layer in layers] for head in heads]
    fill = np.stack([np.concatenate([p[:, 1] / max(p[:, 1].max(), 1e-300) for p in parts]) for parts in aspect])
    products, squares = np.stack([np.concatenate(parts).sum(0) for parts in aspect]).T
    pairs = np.zeros((len(heads), len(heads)))  # <p_a, p_b>
    for layer in layers:
        own = np.array([index for index, head in enumerate(heads) if layer in head["taps"]])
        first, second = np.triu_indices(len(own), 1)
        pairs[own[first], own[second]] += outputs.get(f"pairs/{layer}", 0)
    pairs += pairs.T
    norm, root = np.sqrt(squares), np.sqrt(answer[..., 1].sum(1))
    divide = lambda a, b: np.divide(a, b, out=np.zeros_like(a), where=b > 0)
    share = lambda places: divide((answer[..., 0] * places).sum(1), answer[..., 0].sum(1))
    cosine = np.minimum(1, divide(products, norm * root))
    left, taken = np.where(seen, cosine, -np.inf), np.zeros(len(heads))
    for _ in range(seen.sum()):  # matching pursuit: what aspects share counts for the one that fits best
        best = left.argmax()
        taken[best], left[best] = np.clip(left[best], 0, 1), -np.inf
        shared = divide(taken * root, norm)[best] * divide(pairs[best], norm * root)
        left -= np.where((pairs[best] >= 0) | (cosine > 0), shared, 0)
    relevance, apart, free = taken * share(fill >= 0.01), np.zeros(len(heads)), np.ones(fill.shape[1], bool)
    for index in np.argsort(-relevance, kind="stable"):
        apart[index] = taken[index] * np.sqrt(share((fill >= 0.01) & free)[index])
        free &= (fill[index] < 0.02) | (relevance[index] == 0)
    return relevance, apart


if __name__ == "__main__":
    if len(sys.argv) != 3 or not sys.argv[2].isdigit(): sys.exit(f"usage: {__doc__}")
    with zipfile.ZipFile(sys.argv[1]) as bundle:
        described, raw = json.loads(bundle.read("bundle.json")), bundle.read(f"goldens/{sys.argv[2]}.safetensors")
    start = 8 + int.from_bytes(raw[:8], "little")
    header = {name: entry for name, entry in json.loads(raw[8:start]).items() if name.startswith("explain/")}
    at = {name: slice(*(start + offset for offset in entry["data_offsets"])) for name, entry in header.items()}
    given = {name[8:]: np.frombuffer(raw[at[name]], "<f4").reshape(header[name]["shape"]) for name in header}
    print(json.dumps(read_explanation(described, given), indent=2))
