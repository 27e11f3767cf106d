/** Matching pursuit: what several aspects share with the answer counts once, for the one that fits best. */

import type { AspectOverlap, MeasuredOverlap, TapSums } from "./overlap.js";

/**
 * Mallat and Zhang 1993 (doi:10.1109/78.258082), with the answer's `d` as the signal and each aspect's `p`, once, as an
 * atom.
 *
 * @returns of each aspect, in order, the part of the cosine that it explains, 0..1.
 */
export function matchingPursuit(
  aspects: readonly (readonly AspectOverlap[])[],
  measured: readonly MeasuredOverlap[],
  taps: Readonly<Record<string, TapSums>>,
): number[] {
  const remaining = measured.map(({ cosine }) => cosine);
  const explained = remaining.map(() => 0);
  const waiting = new Set(remaining.keys());
  while (waiting.size > 0) {
    const best = [...waiting].reduce((a, b) => (remaining[b] > remaining[a] ? b : a));
    waiting.delete(best);
    explained[best] = Math.min(1, Math.max(0, remaining[best]));
    if (explained[best] === 0) continue;
    // What it explains of d is `explained |d| / |p|` times p, with d in the layers of each.
    const { answerNorm, aspectNorm } = measured[best];
    for (const other of waiting) {
      const own = measured[other].answerNorm * measured[other].aspectNorm;
      const shared = sharedBy(aspects[best], aspects[other], taps);
      // Two causes may read the same channels with opposite signs. Subtracting one then raises the other's cosine, as
      // it should: the first hid the second. An aspect that itself speaks against the answer (cosine <= 0) must not
      // rise that way.
      if (shared < 0 && measured[other].cosine <= 0) continue;
      if (own > 0) remaining[other] -= ((explained[best] * answerNorm) / aspectNorm) * (shared / own);
    }
  }
  return explained;
}

/** `<p_a, p_b>` over the layers that both have. */
function sharedBy(
  a: readonly AspectOverlap[],
  b: readonly AspectOverlap[],
  taps: Readonly<Record<string, TapSums>>,
): number {
  let sum = 0;
  for (const { tap, index } of a) {
    const other = b.find((candidate) => candidate.tap === tap);
    const { shared } = taps[tap];
    if (other && shared) sum += shared.sums.data[pairIndex(index, other.index, shared.aspectCount)];
  }
  return sum;
}

/** Where two of `count` aspects stand in the order (0, 1), (0, 2), ..., (1, 2), ... */
function pairIndex(a: number, b: number, count: number): number {
  const [first, second] = [Math.min(a, b), Math.max(a, b)];
  const before = first * (count - 1) - (first * (first - 1)) / 2; // pairs that begin with an earlier aspect
  return before + (second - first - 1);
}
