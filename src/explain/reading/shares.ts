/** Divides the answer's evidence, as the drawn map has it, among the relevant aspects, and says where the rest lies. */

import type { NdArray } from "../../core/nd-array.js";

/** An aspect that is present, on the map's grid. */
export interface Holder {
  /** `[height * width]`, non-zero at the cells that its region touches. */
  readonly cells: Uint8Array;
  /** Of a relevant aspect; the others hold nothing. */
  readonly score?: number;
}

/** Parts of the map, 0..1. */
export interface Shares {
  /** Of each aspect, in order: what it holds. With `elsewhere` they sum to 1. */
  readonly held: readonly number[];
  /** Of the places that no relevant aspect holds. */
  readonly elsewhere: number;
  /** Of each aspect, in order: the part of `elsewhere` that lies in it. Several may lie in one place. */
  readonly elsewhereIn: readonly number[];
  /** The part of `elsewhere` that lies in no aspect at all. */
  readonly outside: number;
  /** Whether the highest place of the map is held. */
  readonly isPeakHeld: boolean;
}

/**
 * A place that several relevant aspects hold is divided among them in proportion to their scores.
 *
 * @param saliency L, `[1, height, width, 1]`, zero or more.
 * @returns `null` where L is zero everywhere.
 */
export function sharesOf({ data }: NdArray, aspects: readonly Holder[]): Shares | null {
  const held = aspects.map(() => 0);
  const elsewhereIn = aspects.map(() => 0);
  let [whole, elsewhere, outside, peak] = [0, 0, 0, 0];
  for (let place = 0; place < data.length; place++) {
    const value = data[place];
    whole += value;
    if (value > data[peak]) peak = place;
    const scores = aspects.reduce((sum, { cells, score = 0 }) => sum + (cells[place] ? score : 0), 0);
    const isHeld = scores > 0;
    if (!isHeld) elsewhere += value;
    let isInside = false;
    for (const [index, { cells, score = 0 }] of aspects.entries()) {
      if (!cells[place]) continue;
      isInside = true;
      if (isHeld) held[index] += (value * score) / scores;
      else elsewhereIn[index] += value;
    }
    if (!isInside) outside += value;
  }
  if (whole === 0) return null;
  const part = (value: number) => value / whole;
  return {
    held: held.map(part),
    elsewhere: part(elsewhere),
    elsewhereIn: elsewhereIn.map(part),
    outside: part(outside),
    isPeakHeld: aspects.some(({ cells, score = 0 }) => score > 0 && cells[peak] > 0),
  };
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
