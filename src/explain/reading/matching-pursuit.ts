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
    const { pairs } = taps[tap];
    if (!other || !pairs) continue;
    const [first, second] = [Math.min(index, other.index), Math.max(index, other.index)];
    const count = (1 + Math.sqrt(1 + 8 * pairs.data.length)) / 2; // n of n (n - 1) / 2
    sum += pairs.data[first * count - (first * (first + 1)) / 2 + second - first - 1];
  }
  return sum;
}
