/**
 * Augments one sample: crop, flip and colour jitter, chosen once at random and applied alike to its image, masks and
 * boxes.
 */

import type { ColourJitter, Noise, View } from "../core/augmented-view.js";
import type { Box } from "../core/box.js";
import { boxArea } from "../core/box.js";
import { luma } from "../core/luma.js";
import { type Random, random } from "../core/random.js";

/**
 * Presence, amount and class label do not change, so a crop must not remove what they speak of: `drawSafeView` keeps what
 * is marked.
 */
export interface Augment {
  /** Mirror left to right with probability 1/2. */
  readonly flip: boolean;
  /**
   * For images without an up and down: `half` mirrors top to bottom with probability 1/2, `quarter` exchanges rows and
   * columns too; `none` by default.
   */
  readonly turn?: Turn;
  /** 0..1, the largest share of each side that is cropped; the rest is enlarged to the full size. */
  readonly crop: number;
  /**
   * 0..0.25, the largest margin around the image, as a share of its sides; the image, made smaller, lies anywhere in it,
   * and its edge is repeated. 0 by default.
   */
  readonly margin?: number;
  /** 0..1, the largest relative change of brightness, contrast and saturation. */
  readonly colour: number;
  /**
   * Largest standard deviation of a Gaussian blur, pixels of what the model sees; of half of the images. 0 by default.
   */
  readonly blur?: number;
  /** 0..1, largest standard deviation of noise, share of full scale; of half of the images. 0 by default. */
  readonly noise?: number;
}

/** Whether training images are turned. */
export type Turn = "none" | "half" | "quarter";
export const TURNS: readonly Turn[] = ["none", "half", "quarter"];

/** Of `margin`. */
export const MOST_MARGIN = 0.25;

/** Less moves no eight-bit value; the image library refuses it. */
const LEAST_BLUR = 0.3;
/** Numbers from which noise is read, at a random place. */
const NOISES = 2 ** 17;

/** A box with less than this share of its area left inside the crop is dropped: too little of the object is seen. */
const LEAST_VISIBLE_SHARE = 0.25;
/** Largest ratio between the kept shares of height and width. */
const MOST_STRETCH = 1.1;

/** The whole image, without augmentation. */
export function plainView({ width, height }: { width: number; height: number }, { flip = false } = {}): View {
  return { crop: { left: 0, top: 0, width, height }, flip };
}

/** @param size width and height of the upright original, pixels. */
export function drawView({ width, height }: { width: number; height: number }, augment: Augment, random: Random): View {
  const flip = augment.flip && random.next() < 0.5;
  const least = 1 - augment.crop;
  const most = 1 + (augment.margin ?? 0);
  const kept = random.uniform(least, most);
  const stretch = random.uniform(1 / MOST_STRETCH, MOST_STRETCH);
  const side = (length: number, share: number) => {
    const pixels = Math.max(1, Math.round(length * Math.min(most, Math.max(least, share))));
    const start = random.integer(Math.abs(length - pixels) + 1);
    return { pixels, start: pixels > length ? -start : start };
  };
  const across = side(width, kept * stretch);
  const down = side(height, kept / stretch);
  const factor = () => 1 + random.uniform(-augment.colour, augment.colour);
  const jitter = { brightness: factor(), contrast: factor(), saturation: factor() };
  const crop = { left: across.start, top: down.start, width: across.pixels, height: down.pixels };
  const { turn = "none" } = augment;
  const isUpsideDown = turn !== "none" && random.next() < 0.5;
  const isTransposed = turn === "quarter" && random.next() < 0.5;
  const some = (most: number) => (random.next() < 0.5 ? random.uniform(0, most) : 0);
  const blur = augment.blur ? some(augment.blur) : 0;
  const deviation = augment.noise ? some(augment.noise) : 0;
  return {
    ...{ crop, flip },
    ...(turn === "none" ? {} : { isUpsideDown, isTransposed }),
    ...(augment.colour > 0 ? { jitter } : {}),
    ...(blur >= LEAST_BLUR ? { blur } : {}),
    ...(deviation > 0 ? { noise: { deviation, seed: random.integer(NOISES) } } : {}),
  };
}

/** What is left in the view of boxes with less than a quarter of their area there: neither such a thing nor none. */
export function viewSlivers(boxes: readonly Box[], view: View, size: { width: number; height: number }): Box[] {
  return viewBoxes(boxes, view, { ...size, leastShare: 0, belowShare: LEAST_VISIBLE_SHARE });
}

/**
 * Converts boxes of the whole image to the view and clips them; a box with less than a quarter of its area left is
 * dropped.
 *
 * @param options width and height of the upright original, pixels; a box is kept whose share of its area in the view is
 *   at least `leastShare` and less than `belowShare`.
 */
export function viewBoxes(
  boxes: readonly Box[],
  { crop, flip, isUpsideDown = false, isTransposed = false }: View,
  {
    width,
    height,
    leastShare = LEAST_VISIBLE_SHARE,
    belowShare = Number.POSITIVE_INFINITY,
  }: { width: number; height: number; leastShare?: number; belowShare?: number },
): Box[] {
  const seen: Box[] = [];
  for (const box of boxes) {
    const toRow = (y: number) => (y * height - crop.top) / crop.height;
    const toColumn = (x: number) => (x * width - crop.left) / crop.width;
    const moved: Box = [toRow(box[0]), toColumn(box[1]), toRow(box[2]), toColumn(box[3])];
    const clip = (edge: number) => Math.min(1, Math.max(0, edge));
    const [yMin, xMin, yMax, xMax] = moved.map(clip);
    const [left, right] = flip ? [1 - xMax, 1 - xMin] : [xMin, xMax];
    const [top, bottom] = isUpsideDown ? [1 - yMax, 1 - yMin] : [yMin, yMax];
    const clipped: Box = isTransposed ? [left, top, right, bottom] : [top, left, bottom, right];
    const area = boxArea(clipped);
    const share = area / boxArea(moved);
    if (area > 0 && share >= leastShare && share < belowShare) seen.push(clipped);
  }
  return seen;
}

/**
 * Changes brightness, then contrast around the image's mean grey, then saturation around each pixel's grey.
 *
 * @param image `[size, size, 3]` RGB 0..255, changed in place.
 */
export function jitterColours(image: Uint8Array, { brightness, contrast, saturation }: ColourJitter): void {
  const clamped = new Uint8ClampedArray(image.buffer, image.byteOffset, image.length); // rounds, too
  let sum = 0;
  for (let i = 0; i < image.length; i += 3) sum += luma(image[i], image[i + 1], image[i + 2]);
  const mean = (brightness * sum) / (image.length / 3);
  const gain = brightness * contrast;
  const offset = mean * (1 - contrast);
  const [own, grey] = [gain * saturation, gain * (1 - saturation)];
  for (let i = 0; i < image.length; i += 3) {
    const level = luma(image[i], image[i + 1], image[i + 2]) * grey + offset;
    clamped[i] = own * image[i] + level;
    clamped[i + 1] = own * image[i + 1] + level;
    clamped[i + 2] = own * image[i + 2] + level;
  }
}

/** @param image `[size, size, 3]` RGB 0..255, changed in place. */
export function addNoise(image: Uint8Array, { deviation, seed }: Noise): void {
  const clamped = new Uint8ClampedArray(image.buffer, image.byteOffset, image.length); // rounds, too
  normals ??= drawNormals();
  const scale = 255 * deviation;
  for (let i = 0, from = seed; i < image.length; i++, from++) clamped[i] += scale * normals[from % NOISES];
}

let normals: Float32Array | undefined;

function drawNormals(): Float32Array {
  const stream = random(0, "noise");
  return Float32Array.from({ length: NOISES }, () => stream.normal());
}
