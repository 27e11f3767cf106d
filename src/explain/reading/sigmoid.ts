/** The probability that a logit stands for. */

/** 1 / (1 + exp(-x)), in float64. */
export function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}
