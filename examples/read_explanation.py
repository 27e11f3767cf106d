"""Reads an explanation from the outputs of `explain.onnx`, with numpy alone; docs/formats.md explains the steps.

`python read_explanation.py MODEL.aspect 1` reads golden 1, whose outputs lie in the bundle. With ONNX Runtime they are
`dict(zip(names, session.run(names, {"image": image, "target": target})))`."""

import json
import sys
import zipfile

import numpy as np


def read_explanation(description, outputs):
    """`description` is what bundle.json holds; `outputs` are arrays by name, of one image."""
    mappings = {network["name"]: network["mapping"] for network in description["model"].get("networks", [])}
    heads = [head for head in description["model"]["heads"] if head["kind"] != "classifier"]
    heads = [{**head, "mapping": mappings.get(head.get("network"), {})} for head in heads]
    scale = description["scales"].get(description["saliency"], {}).get("class", {"kind": "uncalibrated"})
    outputs = {name: array[0].astype(np.float64) for name, array in outputs.items()}
    aspects = [read_aspect(head, outputs) for head in heads]
    seen = np.flatnonzero([aspect["survival"] is not None for aspect in aspects])
    for index, score in zip(seen, read_scores(heads, outputs, seen)):
        aspects[index] |= {"score": float(score), **judge(score, scale)}
    return {"scores": outputs["scores"].tolist(), "scale": scale, "aspects": aspects}


def judge(score, scale):
    """What a score means; nothing says it where the scale is uncalibrated."""
    if scale["kind"] == "probability":
        relevance = 1 / (1 + (scale["line"] / score) ** scale["slope"]) if score > 0 else 0
        return {"relevance": float(relevance), "isRelevant": bool(relevance >= 0.5)}
    return {"relevance": None, "isRelevant": bool(score >= scale["line"]) if "line" in scale else None}


def read_aspect(head, outputs):
    """Where the head sees its aspect, how surely, and how much of that is left in the masked run."""
    answers = [outputs[f"{head['name']}/{run}"] for run in ("unmasked", "masked", "reference")]
    unmasked, masked, reference = (answer[..., :1] for answer in answers)  # of boxes: the heat
    is_boxes, temperature, at = head["kind"] == "boxes", head.get("temperature", 1), head["threshold"]
    least = np.float32(temperature * (np.log(at) - np.log1p(-at)))
    region = find_centres(answers[0], least)[..., None] if is_boxes else unmasked >= least
    probability, is_present = 1 / (1 + np.exp(-unmasked / temperature)), bool(region.any())
    mapped = outputs.get(f"{head['name']}/mapped", answers[0])[..., :1]  # of a network of its own: nothing masked
    whole, left = (mapped - reference)[region], (masked - reference)[region]
    presence = probability[region].mean() if is_present and not is_boxes else probability.max()
    agreement = head["mapping"].get("quality", {}).get("agreement", {}).get(head["name"])
    is_read = is_present and whole.mean() >= 1 and (agreement is None or agreement >= 0.5)
    survival = left.sum() / whole.sum() if is_read else None
    found = {"name": head["name"], "isPresent": is_present, "presence": presence, "survival": survival}
    return {**found, "score": None, "relevance": None, "isRelevant": False}


def find_centres(answer, least):
    """Centre cells of boxes: the highest of 3 x 3 cells; of boxes that overlap by more than half, the better one."""
    heat, size = answer[..., 0], np.array(answer.shape[:2])
    wide = np.pad(heat, 1, constant_values=-np.inf)
    highest = np.max([wide[y : y + size[0], x : x + size[1]] for y in range(3) for x in range(3)], axis=0)
    cells = map(tuple, np.argwhere((heat >= least) & (heat == highest)).tolist())
    centres, boxes = np.zeros(heat.shape, bool), []
    for cell in sorted(cells, key=lambda cell: -heat[cell])[:100]:
        middle, half = (cell + answer[cell][3:5]) / size, np.exp(answer[cell][1:3]) / 2  # 1: log sizes, 3: offsets
        box = np.clip([middle - half, middle + half], 0, 1)
        area = lambda low, high: np.prod(np.maximum(high - low, 0))
        shared = [area(np.maximum(box[0], other[0]), np.minimum(box[1], other[1])) for other in boxes]
        if all(3 * both <= area(*box) + area(*other) for both, other in zip(shared, boxes)):  # half of their union
            centres[cell], boxes = True, [*boxes, box]
    return centres


def read_scores(heads, outputs, seen):
    """Of each seen head, the part of the answer's evidence d that its own p accounts for, beside the others'."""
    products, answers, gram = (np.zeros((len(heads),) * axes) for axes in (1, 1, 2))  # <p, d>, |d|^2, <p, p>
    layers = [[head["mapping"]["from"]] if head["mapping"] else head["taps"] for head in heads]
    for layer in set(sum(layers, [])):
        own = np.array([index for index, names in enumerate(layers) if layer in names])
        overlaps = np.stack([outputs[f"{heads[index]['name']}/overlap/{layer}"].sum((0, 1)) for index in own])
        pairs = np.zeros((len(own), len(own)))
        pairs[np.triu_indices(len(own), 1)] = outputs.get(f"pairs/{layer}", 0)
        gram[np.ix_(own, own)] += pairs + pairs.T + np.diag(overlaps[:, 1])
        products[own] += overlaps[:, 0]
        answers[own] += outputs[f"evidence/{layer}"][..., 1].sum()
    parts = fit(gram[np.ix_(seen, seen)], products[seen]) * products[seen]
    return np.clip(np.divide(parts, answers[seen], out=np.zeros(len(seen)), where=answers[seen] > 0), 0, 1)


def fit(gram, products):
    """b >= 0 that minimises |d - sum b p|^2, by coordinate descent on vectors of length 1; 0.001 on the diagonal."""
    lengths = np.sqrt(np.where(np.diag(gram) > 0, np.diag(gram), np.inf))
    others, wanted, found = gram / np.outer(lengths, lengths), products / lengths, np.zeros(len(products))
    np.fill_diagonal(others, 0)
    for _ in range(100_000):
        before = found.copy()
        for a in range(len(found)): found[a] = max(0, (wanted[a] - others[a] @ found) / 1.001)
        if np.abs(found - before).max(initial=0) <= 1e-9 * np.abs(wanted).max(initial=0): break
    return found / lengths


if __name__ == "__main__":
    if len(sys.argv) != 3 or not sys.argv[2].isdigit(): sys.exit(f"usage: {__doc__}")
    with zipfile.ZipFile(sys.argv[1]) as bundle:
        described, raw = json.loads(bundle.read("bundle.json")), bundle.read(f"goldens/{sys.argv[2]}.safetensors")
    start = 8 + int.from_bytes(raw[:8], "little")
    header = {name: entry for name, entry in json.loads(raw[8:start]).items() if name.startswith("explain/")}
    at = {name: slice(*(start + offset for offset in entry["data_offsets"])) for name, entry in header.items()}
    given = {name[8:]: np.frombuffer(raw[at[name]], "<f4").reshape(header[name]["shape"]) for name in header}
    print(json.dumps(read_explanation(described, given), indent=2))
