/** Whether probabilities mean what they say: expected calibration error, and the bins of the reliability curve. */

/** One bin of the reliability curve. */
export interface ReliabilityBin {
  readonly count: number;
  /** Mean probability that was said, 0..1. */
  readonly said: number;
  /** Share that came true, 0..1. */
  readonly cameTrue: number;
}

/** Naeini et al. 2015, and Guo et al. 2017 (arXiv:1706.04599), use as many. */
const BIN_COUNT = 15;

/**
 * Expected calibration error: over 15 bins of equal width, the mean distance between the probability that was said and
 * the share that came true, each bin by its count (Guo et al. 2017, eq. 3).
 *
 * @param said probabilities 0..1: of the predicted class, or of a yes.
 * @param cameTrue 1 where it was so, else 0.
 * @returns `null` and no bins where nothing was said; bins without a member are left out.
 */
export function calibrationError(
  said: ArrayLike<number>,
  cameTrue: ArrayLike<number>,
): { error: number | null; bins: readonly ReliabilityBin[] } {
  const bins = Array.from({ length: BIN_COUNT }, () => ({ count: 0, said: 0, cameTrue: 0 }));
  for (let i = 0; i < said.length; i++) {
    const bin = bins[Math.min(BIN_COUNT - 1, Math.floor(said[i] * BIN_COUNT))];
    bin.count++;
    bin.said += said[i];
    bin.cameTrue += cameTrue[i];
  }
  const apart = bins.reduce((sum, bin) => sum + Math.abs(bin.said - bin.cameTrue), 0);
  return {
    error: said.length > 0 ? apart / said.length : null,
    bins: bins
      .filter(({ count }) => count > 0)
      .map((bin) => ({ count: bin.count, said: bin.said / bin.count, cameTrue: bin.cameTrue / bin.count })),
  };
}
