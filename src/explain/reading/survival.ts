/** Presence and survival: what an aspect head says of the features, and how much of that the masked ones keep. */

import type { HEAD_ANSWERS } from "../../core/graph-ports.js";
import { sigmoid } from "../../core/logistic.js";
import type { NdArray } from "../../core/nd-array.js";
import { LEAST_CONTRAST } from "../relevance-constants.js";

/**
 * u, v and e of one head and image, all of one shape. `mapped`, of a head that has a network to itself: what it says of
 * mapped features that nothing masked. v and e are of mapped features too, so they are compared with that, not with u.
 */
export type HeadAnswers = Readonly<Record<(typeof HEAD_ANSWERS)[number], NdArray>> & { readonly mapped?: NdArray };

/**
 * Mean of sigmoid(u / temperature) over the elements, or the largest of them.
 *
 * @param elements at least one.
 */
export function presenceOver(
  elements: Uint32Array,
  { unmasked }: Pick<HeadAnswers, "unmasked">,
  { of, temperature = 1 }: { of: "mean" | "largest"; temperature?: number },
): number {
  let sum = 0;
  let largest = 0;
  for (const element of elements) {
    const probability = sigmoid(unmasked.data[element] / temperature);
    sum += probability;
    largest = Math.max(largest, probability);
  }
  return of === "mean" ? sum / elements.length : largest;
}

/** Largest sigmoid(u / temperature) of all elements: the presence of an aspect whose region is empty. */
export function largestPresence(
  { unmasked: { data, shape } }: Pick<HeadAnswers, "unmasked">,
  { temperature = 1 }: { temperature?: number } = {},
): number {
  // A boxes head answers heat, size and offset in its last dimension; the others one number.
  const step = shape[shape.length - 1];
  let largest = Number.NEGATIVE_INFINITY;
  for (let element = 0; element < data.length; element += step) largest = Math.max(largest, data[element]);
  return sigmoid(largest / temperature);
}

/**
 * Sum of v - e over the sum of u - e, not clipped.
 *
 * @returns `null` with no elements, or where the mean of u - e is below 1: the head answers the reference alike.
 */
export function survivalOver(elements: Uint32Array, answers: HeadAnswers): number | null {
  const { masked, reference } = answers;
  const unmasked = comparedWith(answers);
  let left = 0;
  let whole = 0;
  for (const element of elements) {
    const base = reference.data[element];
    left += masked.data[element] - base;
    whole += unmasked.data[element] - base;
  }
  return isReadable(elements, { unmasked, reference }) ? left / whole : null;
}

/** Whether the head sees its aspect, and answers the reference otherwise: the mean of u - e is at least 1. */
export function isReadable(
  elements: Uint32Array,
  answers: Pick<HeadAnswers, "unmasked" | "mapped" | "reference">,
): boolean {
  const { reference } = answers;
  const unmasked = comparedWith(answers);
  let whole = 0;
  for (const element of elements) whole += unmasked.data[element] - reference.data[element];
  return elements.length > 0 && whole / elements.length >= LEAST_CONTRAST;
}

/** `clip((v - e) / max(u - e, 1), 0, 1)` at each of the pixels as 0..255, 0 elsewhere. */
export function survivalMap(pixels: Uint32Array, answers: HeadAnswers): Uint8Array {
  const { masked, reference } = answers;
  const unmasked = comparedWith(answers);
  const map = new Uint8Array(unmasked.data.length);
  for (const pixel of pixels) {
    const base = reference.data[pixel];
    const share = (masked.data[pixel] - base) / Math.max(unmasked.data[pixel] - base, 1);
    map[pixel] = Math.round(255 * Math.min(1, Math.max(0, share)));
  }
  return map;
}

/** What the masked answer would be if nothing were masked. */
function comparedWith({ unmasked, mapped }: Pick<HeadAnswers, "unmasked" | "mapped">): NdArray {
  return mapped ?? unmasked;
}
