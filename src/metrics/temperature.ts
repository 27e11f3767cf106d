/**
 * Temperature scaling (Guo et al. 2017, arXiv:1706.04599): one number that all logits are divided by, so that scores
 * mean what they say. It moves no score past another, so no decision changes.
 */

import { logSumExp, softplus } from "../core/logistic.js";

/** Logits, and what was true. */
export interface LabelledLogits {
  /** Of one answer after the other. */
  readonly logits: ArrayLike<number>;
  /** 1 where it was so, else 0; as many as logits. */
  readonly isTrue: ArrayLike<number>;
  /** Logits of one answer. */
  readonly width: number;
  /** One of each answer's logits is true (softmax); else each for itself (sigmoid). */
  readonly isExclusive: boolean;
}

const [LOWEST, HIGHEST] = [0.05, 20];
/** Of the search; each leaves 0.618 of the range of the logarithm, so that 1e-5 of it is left. */
const STEPS = 30;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * The temperature of the least mean negative log-likelihood. As Platt (1999) does, of n answers that were true each
 * counts as 1 - 1 / (n + 2) true: n right answers do not prove that the next one is.
 *
 * @returns 0.05..20, or `null` where it does not help: fitted on either half of the answers, it must lower the
 *   likelihood's negative logarithm on the other half.
 */
export function fitTemperature(given: LabelledLogits): number | null {
  const count = given.logits.length / given.width;
  if (count < 2) return null;
  const targets = softTargets(given);
  const loss = (temperature: number, half?: number) => meanLoss(given, { targets, temperature, half });
  const isBetter = [0, 1].map(
    (half) =>
      loss(
        search((t) => loss(t, half)),
        1 - half,
      ) - loss(1, 1 - half),
  );
  return isBetter[0] + isBetter[1] < 0 ? search((t) => loss(t)) : null;
}

/** Golden section over the logarithm; the loss has one valley. */
function search(loss: (temperature: number) => number): number {
  let [low, high] = [Math.log(LOWEST), Math.log(HIGHEST)];
  for (let step = 0; step < STEPS; step++) {
    const [left, right] = [high - GOLDEN * (high - low), low + GOLDEN * (high - low)];
    if (loss(Math.exp(left)) <= loss(Math.exp(right))) high = right;
    else low = left;
  }
  return Math.exp((low + high) / 2);
}

/** @param half every second answer, from the first (0) or the second (1) on; all without it. */
function meanLoss(
  { logits, width, isExclusive }: LabelledLogits,
  { targets, temperature, half }: { targets: Float64Array; temperature: number; half?: number },
): number {
  let sum = 0;
  let count = 0;
  const row = new Float64Array(width);
  for (let start = (half ?? 0) * width; start < logits.length; start += half === undefined ? width : 2 * width) {
    for (let i = 0; i < width; i++) row[i] = logits[start + i] / temperature;
    sum += isExclusive ? logSumExp(row) : row.reduce((norms, logit) => norms + softplus(logit), 0);
    for (let i = 0; i < width; i++) sum -= targets[start + i] * row[i];
    count++;
  }
  return count > 0 ? sum / count : 0;
}

function softTargets({ logits, isTrue, width, isExclusive }: LabelledLogits): Float64Array {
  const rows = logits.length / width;
  const trueCounts = new Float64Array(width);
  for (let at = 0; at < logits.length; at++) trueCounts[at % width] += isTrue[at];
  const targets = new Float64Array(logits.length);
  for (let start = 0; start < logits.length; start += width) {
    for (let i = 0; i < width; i++) {
      const [yes, no] = [1 / (trueCounts[i] + 2), 1 / (rows - trueCounts[i] + 2)];
      if (!isExclusive) targets[start + i] = isTrue[start + i] ? 1 - yes : no;
      else if (isTrue[start + i]) {
        targets.fill(width > 1 ? yes / (width - 1) : 0, start, start + width);
        targets[start + i] = 1 - yes;
        break;
      }
    }
  }
  return targets;
}
