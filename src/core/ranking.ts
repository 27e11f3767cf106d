/** How well scores rank the positives before the rest: area under the ROC curve, and average precision. */

/** One scored answer, and whether it is a positive. */
export interface Ranked {
  readonly score: number;
  readonly isPositive: boolean;
}

/**
 * Share of the pairs (positive, negative) in which the positive scores higher; a tie counts half.
 *
 * @returns 0..1, or `null` where there are no positives or no negatives.
 */
export function areaUnderCurve(ranked: readonly Ranked[]): number | null {
  const positives = ranked.filter((item) => item.isPositive).length;
  const negatives = ranked.length - positives;
  if (positives === 0 || negatives === 0) return null;
  let below = 0;
  let pairs = 0;
  for (const tie of ties(ranked).reverse()) {
    pairs += tie.positives * (below + tie.negatives / 2);
    below += tie.negatives;
  }
  return pairs / (positives * negatives);
}

/**
 * Area under precision over recall, at every distinct score, as a plain sum of steps.
 *
 * @returns 0..1, or `null` where there are no positives.
 */
export function averagePrecision(ranked: readonly Ranked[]): number | null {
  let found = 0;
  let wrong = 0;
  let area = 0;
  for (const tie of ties(ranked)) {
    found += tie.positives;
    wrong += tie.negatives;
    area += (tie.positives * found) / (found + wrong);
  }
  return found > 0 ? area / found : null;
}

/**
 * Spearman's rank correlation; equal values share the mean of their ranks.
 *
 * @returns -1..1, or `null` where either side has fewer than two different values.
 */
export function rankCorrelation(pairs: readonly (readonly [number, number])[]): number | null {
  const [first, second] = [0, 1].map((side) => ranks(pairs.map((pair) => pair[side])));
  const middle = (pairs.length + 1) / 2;
  const product = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, rank, index) => sum + (rank - middle) * (b[index] - middle), 0);
  const spread = Math.sqrt(product(first, first) * product(second, second));
  return spread > 0 ? product(first, second) / spread : null;
}

/** From 1 for the least. */
function ranks(values: readonly number[]): number[] {
  const order = [...values.keys()].sort((a, b) => values[a] - values[b]);
  const found = new Array<number>(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end]] === values[order[start]]) end++;
    for (let at = start; at < end; at++) found[order[at]] = (start + 1 + end) / 2;
    start = end;
  }
  return found;
}

/** Items of equal score counted together, best score first. */
function ties(ranked: readonly Ranked[]): { score: number; positives: number; negatives: number }[] {
  const groups: { score: number; positives: number; negatives: number }[] = [];
  for (const { score, isPositive } of [...ranked].sort((a, b) => b.score - a.score)) {
    let group = groups.at(-1);
    if (group?.score !== score) {
      group = { score, positives: 0, negatives: 0 };
      groups.push(group);
    }
    if (isPositive) group.positives++;
    else group.negatives++;
  }
  return groups;
}
