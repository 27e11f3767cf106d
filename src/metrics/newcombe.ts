/** The interval of a difference of two shares that were counted. */

import type { Interval } from "./bootstrap.js";
import { wilsonInterval } from "./wilson.js";

/** So many of all have the property. */
export interface Part {
  readonly count: number;
  readonly total: number;
}

/** Two counts of the same images. */
export interface Pairs {
  /** Images that have the property both times. */
  readonly both: number;
  readonly firstOnly: number;
  readonly secondOnly: number;
  readonly neither: number;
}

/**
 * The first share minus the second, of different images: 95 %, made of the Wilson intervals of both (Newcombe 1998,
 * doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I, method 10).
 *
 * @returns low and high, -1..1; all of that where either total is 0.
 */
export function differenceInterval(first: Part, second: Part): Interval {
  if (first.total === 0 || second.total === 0) return [-1, 1];
  return squareAndAdd(first, second, 0);
}

/**
 * The same, of the same images each time (Newcombe 1998,
 * doi:10.1002/(SICI)1097-0258(19981130)17:22<2635::AID-SIM954>3.0.CO;2-C, method 10): narrower the more alike both are.
 */
export function pairedDifferenceInterval({ both, firstOnly, secondOnly, neither }: Pairs): Interval {
  const total = both + firstOnly + secondOnly + neither;
  if (total === 0) return [-1, 1];
  const [first, second] = [both + firstOnly, both + secondOnly];
  const spread = first * (total - first) * second * (total - second);
  const product = both * neither - firstOnly * secondOnly;
  const corrected = product < 0 ? product : Math.max(0, product - total / 2);
  const correlation = spread === 0 ? 0 : corrected / Math.sqrt(spread);
  return squareAndAdd({ count: first, total }, { count: second, total }, correlation);
}

function squareAndAdd(first: Part, second: Part, correlation: number): Interval {
  const [a, b] = [first.count / first.total, second.count / second.total];
  const [lowA, highA] = wilsonInterval(first.count, first.total);
  const [lowB, highB] = wilsonInterval(second.count, second.total);
  const length = (x: number, y: number) => Math.sqrt(Math.max(0, x * x - 2 * correlation * x * y + y * y));
  return [a - b - length(a - lowA, highB - b), a - b + length(highA - a, b - lowB)];
}
