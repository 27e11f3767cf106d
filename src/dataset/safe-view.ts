/**
 * A crop that keeps what is marked in an image, so that labels of the whole image (class, presence, amount) stay true.
 * Albumentations' box-safe crop keeps every box whole; here most of each aspect is enough, so that images full of
 * things are cropped too, and masks count as boxes do.
 */

import type { View } from "../core/augmented-view.js";
import type { Box } from "../core/box.js";
import { boxArea, shareInside } from "../core/box.js";
import type { Random } from "../core/random.js";
import { type Augment, drawView } from "./augment.js";
import type { Raster } from "./raster.js";

/** Share of each aspect's marked area that a crop keeps. */
const LEAST_KEPT = 0.75;
/** So many crops are drawn before the image is left whole. */
const TRIES = 8;
/** A mask is looked at in so many rows and columns of cells. */
const CELLS = 32;

/** Where one aspect is marked: regions, and how much of it lies in each. */
export type Marks = readonly { readonly box: Box; readonly weight: number }[];

/** @param marks of each aspect that is marked. */
export function drawSafeView(
  size: { width: number; height: number },
  augment: Augment,
  random: Random,
  marks: readonly Marks[],
): View {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const view = drawView(size, augment, random);
    if (marks.every((own) => keptShare(own, view, size) >= LEAST_KEPT)) return view;
  }
  return drawView(size, { ...augment, crop: 0 }, random);
}

export function boxMarks(boxes: readonly Box[]): Marks {
  return boxes.map((box) => ({ box, weight: boxArea(box) }));
}

/** @param isAspect which of the raster's values mean the aspect. */
export function maskMarks({ width, height, values }: Raster, isAspect: (value: number) => boolean): Marks {
  const counts = new Float64Array(CELLS ** 2);
  for (let y = 0, i = 0; y < height; y++) {
    const row = Math.floor((y * CELLS) / height) * CELLS;
    for (let x = 0; x < width; x++, i++) if (isAspect(values[i])) counts[row + Math.floor((x * CELLS) / width)]++;
  }
  return Array.from(counts, (weight, cell) => {
    const [y, x] = [Math.floor(cell / CELLS), cell % CELLS];
    const box: Box = [y / CELLS, x / CELLS, (y + 1) / CELLS, (x + 1) / CELLS];
    return { box, weight };
  }).filter(({ weight }) => weight > 0);
}

function keptShare(marks: Marks, { crop }: View, { width, height }: { width: number; height: number }): number {
  const [top, left] = [crop.top / height, crop.left / width];
  const seen: Box = [top, left, top + crop.height / height, left + crop.width / width];
  let [kept, whole] = [0, 0];
  for (const { box, weight } of marks) {
    kept += weight * shareInside(box, seen);
    whole += weight;
  }
  return whole === 0 ? 1 : kept / whole;
}
