"""The heads' losses (src/heads) and their sum (src/train/step.ts); labels are channels last, as ours encodes them."""

import torch
import torch.nn.functional as F


def loss_of(head, logits, labels):
    return LOSS[head["kind"]](head, logits, labels)


def joint(losses, weights, is_balanced):
    each = {name: torch.log1p(loss / 0.5) * 0.5 if is_balanced else loss for name, loss in losses.items()}
    return sum(loss * weights.get(name, 1) for name, loss in each.items())


def over_labelled(each, labelled):
    return (each * labelled).sum() / labelled.sum().clamp(min=1)


def sum_of_each(x):
    return x.flatten(1).sum(1)


def classifier(head, logits, labels):
    target, labelled = labels["target"], labels["labelled"]
    if head["task"] == "single":
        return over_labelled(-(F.log_softmax(logits, 1) * target).sum(1), labelled)
    if head["task"] == "multi":
        return over_labelled(F.binary_cross_entropy_with_logits(logits, target, reduction="none").mean(1), labelled)
    return over_labelled(sum_of_each(((logits - target) / head["scale"]["deviation"]) ** 2), labelled)


def known_entropy(logits, target, known):
    each = F.binary_cross_entropy_with_logits(logits, target, weight=known, reduction="none")
    return sum_of_each(each) / sum_of_each(known).clamp(min=1)


def segmentation(head, logits, labels):
    mask, known, labelled = labels["mask"], labels["known"], labels["labelled"]
    pixels = over_labelled(known_entropy(logits, mask, known), labelled)
    chance = torch.sigmoid(logits) * known
    area = (sum_of_each(mask) * labelled).sum()
    shared = 2 * (sum_of_each(torch.minimum(chance, mask)) * labelled).sum() + 1
    dice = 1 - shared / ((sum_of_each(chance) * labelled).sum() + area + 1)
    return pixels + dice * (area * 1e6).clamp(max=1)


def boxes(head, logits, labels):
    centre, away, near, labelled = (labels[what] for what in ("centre", "away", "near", "labelled"))

    def total(each):
        return (sum_of_each(each) * labelled).sum()

    heat, chance = logits[..., :1], torch.sigmoid(logits[..., :1])
    focal = centre * (1 - chance) ** 2 * F.softplus(-heat) + away * chance**2 * F.softplus(heat)
    error = (logits[..., 1:] - labels["geometry"]).abs() * near
    return total(focal) / total(centre).clamp(min=1) + total(error) / total(near).clamp(min=1)


def presence(head, logits, labels):
    each = F.binary_cross_entropy_with_logits(logits, labels["present"], reduction="none")
    return over_labelled(each.mean(1), labels["labelled"])


def amount(head, logits, labels):
    if head["form"] == "map":
        each = known_entropy(logits, labels["amount"], labels["known"])
    else:
        each = F.binary_cross_entropy_with_logits(logits, labels["amount"], reduction="none").mean(1)
    return over_labelled(each, labels["labelled"])


LOSS = {
    "classifier": classifier,
    "segmentation": segmentation,
    "boxes": boxes,
    "presence": presence,
    "amount": amount,
}
