/** The interval of a share that was counted. */

import type { Interval } from "./bootstrap.js";

/** Standard normal quantile of 97.5 %. */
export const Z = 1.959963984540054;

/**
 * Wilson's score interval of 95 % (Wilson 1927, doi:10.1080/01621459.1927.10502953), which stays within 0..1 and is
 * close to its level for few images and for shares near 0 and 1 too (Brown, Cai and DasGupta 2001,
 * doi:10.1214/ss/1009213286).
 *
 * @param count of `total` that have the property.
 * @returns low and high, 0..1; all of 0..1 where `total` is 0.
 */
export function wilsonInterval(count: number, total: number): Interval {
  if (total === 0) return [0, 1];
  const share = count / total;
  const square = Z * Z;
  const middle = (share + square / (2 * total)) / (1 + square / total);
  const half = (Z / (1 + square / total)) * Math.sqrt((share * (1 - share)) / total + square / (4 * total * total));
  // Exact at the ends, where rounding could leave them.
  return [count === 0 ? 0 : Math.max(0, middle - half), count === total ? 1 : Math.min(1, middle + half)];
}
