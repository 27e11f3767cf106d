/** How near numbers come to those that an expert gave. */

import { rankCorrelation } from "../core/ranking.js";
import { ratio, type Weights } from "./weights.js";

/** A number that was said, the true one, and the image that both are of. */
export interface SaidNumber {
  readonly said: number;
  readonly truth: number;
  readonly image: number;
}

/** Errors in the numbers' unit; `null` where there are no numbers. */
export interface RegressionScores {
  /** Mean absolute error. */
  readonly mae: number | null;
  /** That of always saying the mean of the true numbers. */
  readonly maeBaseline: number | null;
  /** Root of the mean squared error. */
  readonly rmse: number | null;
  /** 1 - squared error / variance; `null` where all true numbers are the same. */
  readonly r2: number | null;
}

export function regressionScores(numbers: readonly SaidNumber[], weights?: Weights): RegressionScores {
  const weightOf = ({ image }: SaidNumber) => (weights ? weights[image] : 1);
  const sum = (of: (number: SaidNumber) => number) =>
    numbers.reduce((total, number) => total + weightOf(number) * of(number), 0);
  const count = sum(() => 1);
  const mean = sum(({ truth }) => truth) / count;
  const squared = sum(({ said, truth }) => (said - truth) ** 2);
  const unexplained = ratio(
    squared,
    sum(({ truth }) => (truth - mean) ** 2),
  );
  return {
    mae: ratio(
      sum(({ said, truth }) => Math.abs(said - truth)),
      count,
    ),
    maeBaseline: ratio(
      sum(({ truth }) => Math.abs(truth - mean)),
      count,
    ),
    rmse: count > 0 ? Math.sqrt(squared / count) : null,
    r2: unexplained === null ? null : 1 - unexplained,
  };
}

/** Spearman's; `null` where all are the same. */
export function rankCorrelationOf(numbers: readonly SaidNumber[]): number | null {
  return rankCorrelation(numbers.map(({ said, truth }) => [said, truth]));
}
