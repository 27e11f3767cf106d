/** Counts with their shares and intervals, rounded alike everywhere. */

import { wilsonInterval } from "../../metrics/wilson.js";
import type { Counted } from "../summary.js";

/** Six digits behind the point. */
export function sixDigits(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

/** Six digits that count, of numbers that may be very small. */
export function sixSignificant(value: number): number {
  return Number(value.toPrecision(6));
}

/** So many of all. */
export function counted(count: number, total: number): Counted {
  const [low, high] = wilsonInterval(count, total);
  return { count, share: total > 0 ? sixDigits(count / total) : 0, interval: [sixDigits(low), sixDigits(high)] };
}
