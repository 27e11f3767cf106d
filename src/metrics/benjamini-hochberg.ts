/** Many tests at once: p-values as q-values, so that of what is called a difference few are none. */

/**
 * The p-values adjusted after Benjamini and Hochberg 1995 (doi:10.1111/j.2517-6161.1995.tb02031.x): where all with a
 * value of at most q are called differences, the expected share of false ones among them is at most q. The tests may be
 * independent or positively dependent.
 *
 * @returns in the order given, each `min over j >= i of (m / j) p_(j)`, at most 1.
 */
export function adjustedForMany(values: readonly number[]): number[] {
  const order = values.map((value, index) => ({ value, index })).sort((a, b) => b.value - a.value);
  const adjusted = new Array<number>(values.length);
  let least = 1;
  order.forEach(({ value, index }, at) => {
    least = Math.min(least, (value * values.length) / (values.length - at));
    adjusted[index] = least;
  });
  return adjusted;
}
