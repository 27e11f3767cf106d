/** How often each training image is drawn in an epoch, so that what is rare is seen often enough. */

import type { Random } from "../core/random.js";
import { permutation } from "../core/random.js";
import type { Shown } from "./fingerprint.js";

/** No image is drawn more often, for it would be learned by heart. */
const MOST = 4;

/**
 * Repeat factors (Gupta et al. 2019, arXiv:1908.03195, LVIS, equation 1): of an aspect or class in a share f of the
 * images each of them is drawn `sqrt(least / f)` times; an image by the rarest thing that it shows. Unlike there, all
 * are divided by the smallest: where each image shows something rare, none is repeated for that.
 *
 * @param options.least share of the images from which nothing is repeated; 0 repeats nothing.
 * @returns 1 to 4 for each image.
 */
export function repeatFactors(shown: Shown, { count, least }: { count: number; least: number }): Float64Array {
  const factorOf = (images: number) => Math.max(1, Math.sqrt(least / (images / count)));
  const factors = new Float64Array(count); // 0: shows nothing
  for (const indices of shown.values()) {
    const factor = factorOf(indices.length);
    for (const index of indices) factors[index] = Math.max(factors[index], factor);
  }
  // Images that show nothing are drawn once; where they are many, they are the usual ones.
  const idle = factors.reduce((sum, factor) => sum + (factor === 0 ? 1 : 0), 0);
  const usual = idle > 0 ? factorOf(idle) : Number.POSITIVE_INFINITY;
  const smallest = factors.reduce((low, factor) => (factor > 0 ? Math.min(low, factor) : low), usual);
  return factors.map((factor) => Math.max(1, Math.min(MOST, factor / smallest)));
}

/** Draws of an epoch. */
export function drawCount(factors: Float64Array): number {
  return Math.ceil(factors.reduce((sum, factor) => sum + factor, 0) - 1e-9);
}

/** One draw of an image: its index, and how often it was drawn before in the epoch. */
export interface Draws {
  readonly indices: Uint32Array;
  readonly copies: Uint8Array;
}

/**
 * The draws of one epoch in random order. Each image is drawn its factor's number of times, rounded down or up by
 * systematic sampling; with factors of 1 this is a permutation.
 */
export function drawEpoch(factors: Float64Array, random: Random): Draws {
  const count = drawCount(factors);
  const isPlain = count === factors.length;
  const step = isPlain ? 1 : factors.reduce((sum, factor) => sum + factor, 0) / count;
  const drawn = new Uint32Array(count);
  const copyOf = new Uint8Array(count);
  let next = isPlain ? 0.5 : step * random.next();
  let reached = 0;
  let place = 0;
  for (let index = 0; index < factors.length; index++) {
    reached += factors[index];
    for (let copy = 0; place < count && (next < reached || index === factors.length - 1); copy++, next += step) {
      drawn[place] = index;
      copyOf[place++] = copy;
    }
  }
  const order = permutation(count, random);
  return { indices: order.map((at) => drawn[at]), copies: Uint8Array.from(order, (at) => copyOf[at]) };
}
