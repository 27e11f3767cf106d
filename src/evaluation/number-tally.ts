/** A regression, and an amount head, measured: heads that say a number. */

import type { Annotation, ClassAnnotation } from "../core/annotation.js";
import { sigmoid } from "../core/logistic.js";
import { type AmountMetrics, amountsOf } from "../heads/amount-reading.js";
import type { RegressionMetrics } from "../heads/classifier-reading.js";
import type { AmountSpec } from "../heads/head-spec.js";
import { rankCorrelationOf, regressionScores, type SaidNumber } from "../metrics/regression.js";
import { ratio, type Weights } from "../metrics/weights.js";
import { countOf, type HeadTally } from "./head-tally.js";

/** Errors in the value's unit. */
export interface RegressionEvaluation extends RegressionMetrics {
  /** Mean absolute error of always saying the mean of the true values. */
  readonly maeBaseline: number | null;
  /** Spearman's, -1..1. */
  readonly rankCorrelation: number | null;
}

export function regressionTally(): HeadTally<RegressionEvaluation> {
  const values: SaidNumber[] = [];
  return {
    add({ image, logits, label }) {
      const { value } = (label ?? {}) as ClassAnnotation;
      if (value !== undefined) values.push({ said: logits[0], truth: value, image });
    },
    count: (weights) => countOf(values.map(({ image }) => image), weights), // biome-ignore format: one call
    numbers(weights) {
      const { mae, rmse, r2 } = regressionScores(values, weights);
      return { mae, rmse, r2 };
    },
    result: () => ({
      kind: "classifier",
      task: "regression",
      ...regressionScores(values),
      rankCorrelation: rankCorrelationOf(values),
      count: values.length,
    }),
    size: () => values.length,
  };
}

/** Of a map, `mae` is over its pixels; the others compare the mean of what was said with that of the map. */
export interface AmountEvaluation extends AmountMetrics {
  /** Mean absolute error of always saying the mean amount of the images. */
  readonly maeBaseline: number | null;
  readonly r2: number | null;
  /** Spearman's, -1..1. */
  readonly rankCorrelation: number | null;
}

export function amountTally({ form }: AmountSpec): HeadTally<AmountEvaluation> {
  const means: (SaidNumber & { readonly error: number })[] = [];
  const numbers = (weights?: Weights) => {
    const weightOf = ({ image }: SaidNumber) => (weights ? weights[image] : 1);
    const count = means.reduce((sum, own) => sum + weightOf(own), 0);
    const error = means.reduce((sum, own) => sum + weightOf(own) * own.error, 0);
    return { mae: ratio(error, count), r2: regressionScores(means, weights).r2 };
  };
  return {
    add({ image, logits, label }) {
      const annotation = label as Annotation | undefined;
      const amounts = amountsOf(annotation, { form, pixels: logits.length });
      if (!amounts) return;
      const ignored = form === "map" ? annotation?.ignored : undefined;
      const sums = { said: 0, truth: 0, error: 0, known: 0 };
      for (let pixel = 0; pixel < logits.length; pixel++) {
        if (ignored?.[pixel]) continue;
        const said = sigmoid(logits[pixel]);
        sums.said += said;
        sums.truth += amounts[pixel];
        sums.error += Math.abs(said - amounts[pixel]);
        sums.known++;
      }
      const { said, truth, error, known } = sums;
      means.push({ said: said / known, truth: truth / known, error: error / known, image });
    },
    count: (weights) => countOf(means.map(({ image }) => image), weights), // biome-ignore format: one call
    numbers,
    result: () => ({
      kind: "amount",
      form,
      ...numbers(),
      maeBaseline: regressionScores(means).maeBaseline,
      rankCorrelation: rankCorrelationOf(means),
      count: means.length,
    }),
    size: () => means.length,
  };
}
