/** Counts answers by their logit, right and wrong ones, in flat memory: precision over recall, and reliability. */

import { sigmoid } from "../core/logistic.js";
import type { ReliabilityBin } from "../metrics/calibration-error.js";

/** Logits beyond are counted at the end: their probabilities differ by less than 1e-6 from 0 or 1. */
const FARTHEST = 14;
const BINS_PER_UNIT = 40;
const BIN_COUNT = 2 * FARTHEST * BINS_PER_UNIT;
/** Recalls at which precision is read, as in COCO. */
const RECALL_POINTS = 101;
const TENTHS = 10;

export interface ScoreBins {
  add(logit: number, isPositive: boolean): void;
  /**
   * Precision at recalls 0, 0.01, ..., 1: the best at that recall or any higher one; 0 where it is not reached.
   *
   * @param positives how many there are in all; more than were added where some were never found.
   * @returns `null` where there are no positives.
   */
  precision(positives?: number): number[] | null;
  /** Tenths of the probability that have answers, in ascending order. */
  reliability(): ReliabilityBin[];
}

/** Bins of 1/40 in the logit: scores that lie closer count as equal. */
export function scoreBins(): ScoreBins {
  const right = new Float64Array(BIN_COUNT);
  const wrong = new Float64Array(BIN_COUNT);
  const tenths = Array.from({ length: TENTHS }, () => ({ said: 0, right: 0, count: 0 }));
  return {
    add(logit, isPositive) {
      const bin = Math.floor((logit + FARTHEST) * BINS_PER_UNIT);
      const at = Math.min(BIN_COUNT - 1, Math.max(0, bin || 0));
      if (isPositive) right[at]++;
      else wrong[at]++;
      const probability = sigmoid(logit);
      const tenth = tenths[Math.min(TENTHS - 1, Math.floor(probability * TENTHS))] ?? tenths[0];
      tenth.said += probability;
      tenth.right += isPositive ? 1 : 0;
      tenth.count++;
    },
    precision(positives = right.reduce((sum, count) => sum + count, 0)) {
      if (positives === 0) return null;
      const points: { recall: number; precision: number }[] = [];
      let found = 0;
      let said = 0;
      for (let at = BIN_COUNT - 1; at >= 0; at--) {
        if (right[at] + wrong[at] === 0) continue;
        found += right[at];
        said += right[at] + wrong[at];
        points.push({ recall: found / positives, precision: found / said });
      }
      const curve = new Array<number>(RECALL_POINTS).fill(0);
      let best = 0;
      let next = points.length - 1;
      for (let at = RECALL_POINTS - 1; at >= 0; at--) {
        for (; next >= 0 && points[next].recall >= at / (RECALL_POINTS - 1) - 1e-12; next--)
          best = Math.max(best, points[next].precision);
        curve[at] = best;
      }
      return curve;
    },
    reliability: () =>
      tenths
        .filter(({ count }) => count > 0)
        .map(({ said, right, count }) => ({ said: said / count, cameTrue: right / count, count })),
  };
}
