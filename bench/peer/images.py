"""Images as tensors for training in PyTorch: scaling as a network wants it, and mild augmentation of a batch."""

import torch

SCALINGS = {
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "tf": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
}


def scaled(pixels, scaling):
    """`[batch, 3, size, size]` of pixels 0..255, channels last."""
    mean, deviation = (torch.tensor(values).view(1, 3, 1, 1) for values in SCALINGS[scaling])
    return (pixels.permute(0, 3, 1, 2).float() / 255 - mean) / deviation


def cropped(pixels, size, generator):
    """A square of each image, anywhere in it, mirrored or not."""
    count, side = pixels.shape[:2]
    place = lambda: torch.randint(0, side - size + 1, (count, 1), generator=generator) + torch.arange(size)
    rows, columns = place(), place()
    mirrored = torch.rand(count, 1, generator=generator) < 0.5
    columns = torch.where(mirrored, columns.flip(1), columns)
    return pixels[torch.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]]


def widened(pixels, margin):
    """A margin around each image, its own edge mirrored."""
    lines = torch.arange(-margin, pixels.shape[1] + margin).abs()
    lines = torch.where(lines >= pixels.shape[1], 2 * (pixels.shape[1] - 1) - lines, lines)
    return pixels[:, lines][:, :, lines]


def lit(pixels, generator, most=0.2):
    """Brighter or darker, of more or less contrast, each image otherwise."""
    draw = lambda: 1 + most * (2 * torch.rand(len(pixels), 1, 1, 1, generator=generator) - 1)
    mean = pixels.float().mean((1, 2, 3), keepdim=True)
    return (((pixels.float() - mean) * draw() + mean) * draw()).clamp(0, 255)
