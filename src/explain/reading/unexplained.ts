/** The share of the saliency that lies outside everything relevant. */

import type { NdArray } from "../../core/nd-array.js";

/**
 * `1 - sum of L over G / sum of L`.
 *
 * @param saliency L at the source's grid, `[1, height, width, 1]`, zero or more.
 * @param relevant the cells of each relevant aspect, `[height * width]`; `undefined` for one that has no place.
 * @returns 0..1; `null` where L is zero, or a relevant aspect has no place.
 */
export function unexplainedShare(
  saliency: NdArray,
  { relevant }: { relevant: readonly (Uint8Array | undefined)[] },
): number | null {
  const placed = relevant.filter((cells) => cells !== undefined);
  if (placed.length < relevant.length) return null;
  let inside = 0;
  let whole = 0;
  for (let place = 0; place < saliency.data.length; place++) {
    whole += saliency.data[place];
    if (placed.some((cells) => cells[place] === 1)) inside += saliency.data[place];
  }
  return whole > 0 ? 1 - inside / whole : null;
}
