/** How intervals are told: a range, what was drawn for it, and a number that may be absent. */

import { metricText } from "../core/metric-numbers.js";

/** Empty where there is none. */
export function rangeText(interval: readonly [low: number, high: number] | null | undefined): string {
  return interval ? `${metricText(interval[0])} to ${metricText(interval[1])}` : "";
}

/** @param drawn `image`, or the name of the groups that a bootstrap draws whole. */
export function drawnText(drawn: string): string {
  return drawn === "image" ? "images" : `all images of a "${drawn}" at once`;
}

/** A number in a table. */
export function cell(value: number | null): string {
  return value === null ? "-" : metricText(value);
}
