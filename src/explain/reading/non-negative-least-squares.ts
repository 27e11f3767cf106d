/** Least squares with coefficients of zero or more, from the products of the columns alone. */

/** Added to the diagonal, as a share of it: two equal columns then get half each, and the descent converges. */
const RIDGE = 1e-3;
/** Of the largest correlation: a sweep that changes no coefficient by more has converged. */
const TOLERANCE = 1e-9;
const MOST_SWEEPS = 100_000;

/**
 * The `b >= 0` that minimises `|y - sum_a b_a x_a|^2`, by coordinate descent (Franc, Hlavac and Navara 2005,
 * doi:10.1007/11556121_50), with columns scaled to length 1. An active set method (Lawson and Hanson 1974) needs fewer
 * steps, but a solver for each; there are as many columns here as an image has aspects.
 *
 * @param gram `<x_a, x_b>`, `[n][n]`, symmetric.
 * @param products `<x_a, y>`, `[n]`.
 * @returns `[n]`; 0 for a column of length 0.
 */
export function nonNegativeLeastSquares(gram: readonly (readonly number[])[], products: readonly number[]): number[] {
  const lengths = gram.map((row, a) => Math.sqrt(row[a]));
  const over = (value: number, length: number) => (length > 0 ? value / length : 0);
  const unit = gram.map((row, a) => row.map((value, b) => over(value, lengths[a] * lengths[b])));
  const wanted = products.map((product, a) => over(product, lengths[a]));
  const tolerance = TOLERANCE * Math.max(0, ...wanted.map(Math.abs));
  const found = wanted.map(() => 0);
  for (let sweep = 0, change = Number.POSITIVE_INFINITY; change > tolerance && sweep < MOST_SWEEPS; sweep++) {
    change = 0;
    for (const [a, row] of unit.entries()) {
      const others = row.reduce((sum, value, b) => (a === b ? sum : sum + value * found[b]), 0);
      const next = Math.max(0, (wanted[a] - others) / (1 + RIDGE));
      change = Math.max(change, Math.abs(next - found[a]));
      found[a] = next;
    }
  }
  return found.map((value, a) => over(value, lengths[a]));
}
