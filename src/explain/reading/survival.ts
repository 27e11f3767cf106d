/** What an aspect head says of the unmasked representation, and how much of that is left in the masked one. */

import { sigmoid } from "../../core/logistic.js";
import type { NdArray } from "../../core/nd-array.js";
import { LEAST_CONTRAST } from "../relevance-constants.js";

/** u, v and e of one head and image, all of one shape. */
export interface Answers {
  readonly unmasked: NdArray;
  readonly masked: NdArray;
  readonly reference: NdArray;
}

/**
 * Mean of sigmoid(u) over the elements, or the largest of them.
 *
 * @param elements at least one.
 */
export function presenceOver(elements: Uint32Array, { unmasked }: Answers, { of }: { of: "mean" | "largest" }): number {
  let sum = 0;
  let largest = 0;
  for (const element of elements) {
    const probability = sigmoid(unmasked.data[element]);
    sum += probability;
    largest = Math.max(largest, probability);
  }
  return of === "mean" ? sum / elements.length : largest;
}

/** Largest sigmoid(u) wherever it is: the presence of what is not there. */
export function largestPresence({ unmasked: { data, shape } }: Answers): number {
  // A boxes head answers heat, size and offset in its last dimension; the others one number.
  const step = shape[shape.length - 1];
  let largest = Number.NEGATIVE_INFINITY;
  for (let element = 0; element < data.length; element += step) largest = Math.max(largest, data[element]);
  return sigmoid(largest);
}

/**
 * Sum of v - e over the sum of u - e, not clipped.
 *
 * @returns `null` with no elements, or where the mean of u - e is below 1: the head cannot tell its answer from nothing.
 */
export function survivalOver(elements: Uint32Array, { unmasked, masked, reference }: Answers): number | null {
  let left = 0;
  let whole = 0;
  for (const element of elements) {
    const nothing = reference.data[element];
    left += masked.data[element] - nothing;
    whole += unmasked.data[element] - nothing;
  }
  return elements.length === 0 || whole / elements.length < LEAST_CONTRAST ? null : left / whole;
}

/** `clip((v - e) / max(u - e, 1), 0, 1)` at each of the pixels as 0..255, 0 elsewhere. */
export function survivalMap(pixels: Uint32Array, { unmasked, masked, reference }: Answers): Uint8Array {
  const map = new Uint8Array(unmasked.data.length);
  for (const pixel of pixels) {
    const nothing = reference.data[pixel];
    const share = (masked.data[pixel] - nothing) / Math.max(unmasked.data[pixel] - nothing, 1);
    map[pixel] = Math.round(255 * Math.min(1, Math.max(0, share)));
  }
  return map;
}
