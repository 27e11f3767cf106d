/** Counts once what several aspects share with the answer (Mallat and Zhang 1993). */

import type { AspectOverlap, Measured, TapSums } from "./overlap.js";

/** Of each aspect's cosine what more fitting aspects leave of it, 0..1. */
export function pursued(
  aspects: readonly (readonly AspectOverlap[])[],
  measured: readonly Measured[],
  taps: Readonly<Record<string, TapSums>>,
): number[] {
  const left = measured.map(({ cosine }) => cosine);
  const taken = left.map(() => 0);
  const waiting = new Set(left.keys());
  while (waiting.size > 0) {
    const best = [...waiting].reduce((a, b) => (left[b] > left[a] ? b : a));
    waiting.delete(best);
    taken[best] = Math.min(1, Math.max(0, left[best]));
    if (taken[best] === 0) continue;
    // What is taken of d is `taken |d| / |p|` times p, with d in the layers of each.
    const { answer, norm } = measured[best];
    for (const other of waiting) {
      const own = measured[other].answer * measured[other].norm;
      const shared = sharedBy(aspects[best], aspects[other], taps);
      // Of two causes that read the same channels with opposite signs, one hides the other until it is taken off. But what speaks
      // against the answer is not read for being the opposite of a cause.
      if (shared < 0 && measured[other].cosine <= 0) continue;
      if (own > 0) left[other] -= ((taken[best] * answer) / norm) * (shared / own);
    }
  }
  return taken;
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
