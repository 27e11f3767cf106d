/** The logistic function and its relatives on plain numbers, safe far from zero. */

/** 1 / (1 + exp(-x)), 0..1. */
export function sigmoid(x: number): number {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
}

/** The logit whose sigmoid is `probability`; -Infinity at 0, Infinity at 1. */
export function logit(probability: number): number {
  return Math.log(probability) - Math.log1p(-probability);
}

/** log(1 + exp(x)). */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** log of the sum of exponentials; -Infinity for none. */
export function logSumExp(values: ArrayLike<number>): number {
  let largest = -Infinity;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, values[i]);
  if (largest === -Infinity) return largest;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.exp(values[i] - largest);
  return largest + Math.log(sum);
}

/** Probabilities that sum to 1. */
export function softmax(logits: ArrayLike<number>): number[] {
  const norm = logSumExp(logits);
  return Array.from(logits, (value) => Math.exp(value - norm));
}
