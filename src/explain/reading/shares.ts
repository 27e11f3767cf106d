/** Divides the answer's evidence, as the drawn map has it, among the relevant aspects; the rest lies elsewhere. */

import type { NdArray } from "../../core/nd-array.js";

/** A relevant aspect on the map's grid. */
export interface Holder {
  /** `[height * width]`, non-zero at the cells that its region touches. */
  readonly cells: Uint8Array;
  readonly score: number;
}

/** Shares of the map, 0..1, that sum to 1 with `elsewhere`. */
export interface Shares {
  /** Of each holder, in order. */
  readonly held: readonly number[];
  /** Of the places that none holds. */
  readonly elsewhere: number;
  /** Whether the highest place of the map is held. */
  readonly isPeakHeld: boolean;
}

/**
 * A place that several aspects hold is divided among them in proportion to their scores.
 *
 * @param saliency L, `[1, height, width, 1]`, zero or more.
 * @returns `null` where L is zero everywhere.
 */
export function sharesOf({ data }: NdArray, holders: readonly Holder[]): Shares | null {
  const held = holders.map(() => 0);
  let [whole, elsewhere, peak] = [0, 0, 0];
  for (let place = 0; place < data.length; place++) {
    const here = holders.reduce((sum, { cells, score }) => sum + (cells[place] ? score : 0), 0);
    whole += data[place];
    if (data[place] > data[peak]) peak = place;
    if (here === 0) elsewhere += data[place];
    else
      for (const [index, { cells, score }] of holders.entries())
        if (cells[place]) held[index] += (data[place] * score) / here;
  }
  if (whole === 0) return null;
  const isPeakHeld = holders.some(({ cells }) => cells[peak] > 0);
  return { held: held.map((part) => part / whole), elsewhere: elsewhere / whole, isPeakHeld };
}

/**
 * The share of the map that lies in some cells, 0..1.
 *
 * @param saliency as `sharesOf`. @param cells `[height * width]`, non-zero at cells that count.
 * @returns `null` where L is zero everywhere.
 */
export function shareInside({ data }: NdArray, cells: Uint8Array): number | null {
  let [whole, inside] = [0, 0];
  for (let place = 0; place < data.length; place++) {
    whole += data[place];
    if (cells[place]) inside += data[place];
  }
  return whole > 0 ? inside / whole : null;
}

/**
 * Of the evidence for and against the answer, place by place, the share against, 0..1.
 *
 * @param evidence sums of `c` and of `|c|` at each place, `[1, height, width, 2]`.
 * @returns `null` where there is none.
 */
export function shareAgainst({ data }: NdArray): number | null {
  let [whole, against] = [0, 0];
  for (let at = 0; at < data.length; at += 2) {
    whole += Math.abs(data[at]);
    against += Math.max(0, -data[at]);
  }
  return whole > 0 ? against / whole : null;
}
