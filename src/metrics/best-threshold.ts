/** The threshold of a head's score that makes its decisions best. */

/**
 * 0.10, 0.11, ..., 0.90. Of calibrated scores the best threshold for F1 is half of the best F1 (Lipton et al. 2014,
 * arXiv:1402.1892), so that one below 0.1 would be that of a head that finds next to nothing.
 */
export const THRESHOLDS: readonly number[] = Array.from({ length: 81 }, (_, i) => (10 + i) / 100);

/**
 * @param scoreAt of decisions at a threshold, 0..1, more is better; `null` where it cannot be told.
 * @param options.usual taken where no other is better; of equally good ones the nearest to it.
 * @param options.baseline what always saying yes reaches: the usual one stays where no threshold is better than that.
 */
export function bestThreshold(
  scoreAt: (threshold: number) => number | null,
  { usual, baseline }: { usual: number; baseline: number },
): number {
  let best = usual;
  let most = Math.max(baseline, scoreAt(usual) ?? 0);
  const nearestFirst = [...THRESHOLDS].sort((a, b) => Math.abs(a - usual) - Math.abs(b - usual));
  for (const threshold of nearestFirst) {
    const score = scoreAt(threshold) ?? 0;
    if (score <= most) continue;
    best = threshold;
    most = score;
  }
  return best;
}
