/** Exact tests of counts: whether two shares differ, of different images or of the same ones. */

/** Relative to the highest, what is added up no further. */
const NEGLIGIBLE = 1e-20;
/** Of what is as likely as the observed, up to rounding (as R has it). */
const TIE = 1 + 1e-7;

/**
 * Fisher's exact test, two-sided: of all tables with the same sums, the share of those that are at most as likely
 * (Fisher 1935; the rule of R's `fisher.test`).
 *
 * @param first `count` of `total` images have the property.
 * @param second the same of other images.
 */
export function fisherExact(
  first: { readonly count: number; readonly total: number },
  second: { readonly count: number; readonly total: number },
): number {
  const having = first.count + second.count;
  const all = first.total + second.total;
  return twoSided(first.count, {
    from: Math.max(0, having - second.total),
    to: Math.min(having, first.total),
    mode: Math.floor(((having + 1) * (first.total + 1)) / (all + 2)),
    // Hypergeometric: P(k + 1) / P(k).
    ratio: (k) => ((having - k) * (first.total - k)) / ((k + 1) * (all - having - first.total + k + 1)),
  });
}

/**
 * McNemar's test, exact and two-sided (McNemar 1947, doi:10.1007/BF02295996): of the images that changed, as many
 * should have gained the property as lost it.
 */
export function mcNemarExact(gained: number, lost: number): number {
  const all = gained + lost;
  return twoSided(gained, {
    from: 0,
    to: all,
    mode: Math.floor(all / 2),
    ratio: (k) => (all - k) / (k + 1),
  });
}

/** Walks from the most likely count to both sides, since the weights fall from there. */
function twoSided(
  observed: number,
  { from, to, mode, ratio }: { from: number; to: number; mode: number; ratio: (k: number) => number },
): number {
  const start = Math.min(to, Math.max(from, mode));
  const weights = new Map([[start, 1]]);
  let weight = 1;
  for (let k = start; k < to && (weight > NEGLIGIBLE || k < observed); k++) {
    weight *= ratio(k);
    weights.set(k + 1, weight);
    if (weight === 0) break;
  }
  weight = 1;
  for (let k = start; k > from && (weight > NEGLIGIBLE || k > observed); k--) {
    weight /= ratio(k - 1);
    weights.set(k - 1, weight);
    if (weight === 0) break;
  }
  const own = weights.get(observed) ?? 0;
  let [sum, tail] = [0, 0];
  for (const each of weights.values()) {
    sum += each;
    if (each <= own * TIE) tail += each;
  }
  return Math.min(1, tail / sum);
}
