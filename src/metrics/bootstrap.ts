/** Intervals of metrics by the percentile bootstrap: the same metric over images that are drawn again and again. */

import { quantile } from "../core/quantile.js";
import { random } from "../core/random.js";
import type { Weights } from "./weights.js";

/** From and to. */
export type Interval = readonly [low: number, high: number];

/** How intervals are drawn. */
export interface BootstrapOptions {
  /** Images of the split. */
  readonly count: number;
  /** Number of the group that each image is drawn with, from 0; each image alone without it. */
  readonly groups?: ArrayLike<number>;
  /** How often images are drawn. */
  readonly draws?: number;
  readonly seed?: number;
}

/** Enough for the ends of a 95 % interval (Efron and Tibshirani 1993, 14.3). */
export const MOST_DRAWS = 1000;
/** From one end to the other. */
const ENDS = [0.025, 0.975] as const;

/**
 * Percentile intervals of 95 % (Efron 1979): as many images as there are, drawn with replacement, whole groups at once
 * where there are groups, since images of one patient say less than as many patients.
 *
 * @param metrics numbers by name, when image i counts `weights[i]` times.
 * @returns by name; `null` where fewer than half of the draws have the number.
 */
export function bootstrapIntervals(
  metrics: (weights: Weights) => Readonly<Record<string, number | null>>,
  { count, groups, draws = MOST_DRAWS, seed = 1 }: BootstrapOptions,
): Record<string, Interval | null> {
  const source = random(seed, "bootstrap");
  const values: Record<string, number[]> = {};
  const weights = new Uint32Array(count);
  let groupCount = count;
  if (groups) {
    groupCount = 0;
    for (let image = 0; image < count; image++) groupCount = Math.max(groupCount, groups[image] + 1);
  }
  const drawn = new Uint32Array(groupCount);
  for (let draw = 0; draw < draws; draw++) {
    drawn.fill(0);
    for (let i = 0; i < groupCount; i++) drawn[source.integer(groupCount)]++;
    for (let image = 0; image < count; image++) weights[image] = drawn[groups ? groups[image] : image];
    for (const [name, value] of Object.entries(metrics(weights))) {
      values[name] ??= [];
      if (value !== null) values[name].push(value);
    }
  }
  return Object.fromEntries(
    Object.entries(values).map(([name, all]) => [
      name,
      2 * all.length < draws ? null : ([quantile(all, ENDS[0]), quantile(all, ENDS[1])] as const),
    ]),
  );
}
