/** How far an area that was found and one that was marked are the same: IoU and Dice, of counts of pixels. */

import { ratio } from "./weights.js";

/** Pixels of one image, or of many together. */
export interface OverlapCounts {
  /** Found and marked. */
  readonly shared: number;
  readonly found: number;
  readonly marked: number;
}

/** Counts pixels. @param found @param marked 1 where a pixel is of the area, else 0. @param counts which pixels count. */
export function overlapCounts(
  found: ArrayLike<number>,
  marked: ArrayLike<number> | null,
  counts?: (pixel: number) => boolean,
): OverlapCounts {
  let [shared, foundCount, markedCount] = [0, 0, 0];
  for (let pixel = 0; pixel < found.length; pixel++) {
    if (counts && !counts(pixel)) continue;
    const isMarked = marked ? marked[pixel] : 0;
    shared += found[pixel] & isMarked;
    foundCount += found[pixel];
    markedCount += isMarked;
  }
  return { shared, found: foundCount, marked: markedCount };
}

/** Intersection over union, 0..1; `null` where nothing is marked, and nothing was found. */
export function iouOf({ shared, found, marked }: OverlapCounts): number | null {
  return ratio(shared, found + marked - shared);
}

/** 2 intersection / (found + marked), 0..1; `null` likewise. Of boxes and of yes and no this is F1. */
export function diceOf({ shared, found, marked }: OverlapCounts): number | null {
  return ratio(2 * shared, found + marked);
}
