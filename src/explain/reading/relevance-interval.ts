/** Small changes of an image that leave its meaning alone, and how far relevance moves under them. */

import { type NdArray, ndArray } from "../../core/nd-array.js";
import { quantile } from "../../core/quantile.js";
import { random } from "../../core/random.js";
import { type Size, sidesOf } from "../../core/size.js";
import type { AspectExplanation } from "../explanation.js";
import { PERTURBATIONS } from "../relevance-constants.js";

const { count: COUNT, shift: LARGEST_SHIFT, brightness: BRIGHTNESS, quantiles } = PERTURBATIONS;

/**
 * Each shifted by up to 8 pixels both ways (what comes in repeats the border), brightened or darkened by up to 15 %,
 * every second one mirrored left to right; the same 16 for every image.
 *
 * @param image `[1, height, width, 3]`, 0..255.
 * @param size of the image that pixels are counted in; of the same image at another size the shifts keep their share.
 * @returns copies, one at a time.
 */
export function* perturbed({ shape, data }: NdArray, { size }: { size: Size }): Generator<NdArray> {
  const [, height, width] = shape;
  const sides = sidesOf(size);
  const draw = random(7, "perturbations");
  const inside = (index: number, count: number) => Math.min(count - 1, Math.max(0, index));
  for (let index = 0; index < COUNT; index++) {
    const shift = (side: number, counted: number) =>
      Math.round(((draw.integer(2 * LARGEST_SHIFT + 1) - LARGEST_SHIFT) * side) / counted);
    const [down, right] = [shift(height, sides.height), shift(width, sides.width)];
    const gain = 1 + draw.uniform(-BRIGHTNESS, BRIGHTNESS);
    const copy = ndArray(shape);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const column = index % 2 === 1 ? width - 1 - x : x;
        const from = 3 * (inside(y - down, height) * width + inside(column - right, width));
        const to = 3 * (y * width + x);
        for (let k = 0; k < 3; k++) copy.data[to + k] = Math.min(255, gain * data[from + k]);
      }
    }
    yield copy;
  }
}

/**
 * From the 5 % to the 95 % quantile of each aspect's relevance, linear between readings.
 *
 * @param readings of the perturbed images; an aspect that has no relevance there, as it is not seen or cannot be read, counts as 0.
 * @returns by aspect.
 */
export function relevanceIntervals(
  readings: readonly (readonly AspectExplanation[])[],
): Readonly<Record<string, readonly [low: number, high: number]>> {
  const names = new Set(readings.flatMap((aspects) => aspects.map(({ name }) => name)));
  return Object.fromEntries(
    [...names].map((name) => {
      const found = readings.map((aspects) => aspects.find((aspect) => aspect.name === name)?.relevance ?? 0);
      return [name, [quantile(found, quantiles[0]), quantile(found, quantiles[1])] as const];
    }),
  );
}
