/** Every head of a cross-validation: each metric fold by fold, and over the held-out images of all folds together. */

import type { Size } from "../core/size.js";
import type { HeadSpec } from "../heads/head-spec.js";
import { bootstrapIntervals, type Interval } from "../metrics/bootstrap.js";
import { meanOf, type Weights } from "../metrics/weights.js";
import { atHalf, movedToHalf } from "./common-threshold.js";
import { createTally } from "./create-tally.js";
import { drawsFor } from "./draws.js";
import { imageGroups } from "./image-groups.js";
import { answerOf, type EvaluatedImage } from "./split-evaluation.js";

/** One metric over the folds; `null` where no labelled image allows it. */
export interface FoldMetric {
  /** Over the folds that have one. */
  readonly mean: number | null;
  /** Standard deviation over the folds (n - 1). */
  readonly deviation: number | null;
  readonly folds: readonly (number | null)[];
  /**
   * Of all held-out images together; `null` for metrics of a ranking, since scores of one model say nothing of those of
   * another (Forman and Scholz 2010).
   */
  readonly pooled: number | null;
  /** 95 %, of `pooled`; of a ranking of `mean`. */
  readonly interval: Interval | null;
}

/** A head over all folds. */
export interface FoldHead {
  readonly kind: HeadSpec["kind"];
  /** Labelled images. */
  readonly count: number;
  readonly metrics: Readonly<Record<string, FoldMetric>>;
}

/** What a cross-validation comes to. */
export interface FoldsEvaluation {
  readonly heads: Readonly<Record<string, FoldHead>>;
  readonly intervals: { readonly level: 0.95; readonly drawn: string };
}

/** Gathers the held-out images fold after fold. */
export interface FoldTally {
  /** @param fold from 0. */
  add(fold: number, image: EvaluatedImage): void;
  result(): FoldsEvaluation;
}

/** Metrics that compare scores with scores. */
const RANKED = ["auc", "meanAuc", "averagePrecision", "meanAveragePrecision", "ap", "ap50"];

/**
 * @param models heads of each fold's model, in the same order.
 * @param options.size height and width of the models' input.
 */
export function foldTally(models: readonly (readonly HeadSpec[])[], { size }: { size: Size }): FoldTally {
  const tallies = models[0].map((spec, index) => ({
    spec,
    folds: models.map((heads) => createTally(heads[index], { size })),
    pooled: createTally(atHalf(spec), { size }),
  }));
  const groups = imageGroups();
  let count = 0;
  return {
    add(fold, image) {
      for (const [index, { spec, folds, pooled }] of tallies.entries()) {
        const answer = answerOf(image, spec.name, count);
        folds[fold].add(answer);
        pooled.add({ ...answer, logits: movedToHalf(answer.logits, models[fold][index]) });
      }
      groups.add(image.groups);
      count++;
    },
    result() {
      const drawn = groups.drawn();
      const headOf = ({ spec, folds, pooled }: (typeof tallies)[number]): FoldHead => {
        const byFold = folds.map((tally) => tally.numbers());
        const together = pooled.numbers();
        /** The number that has an interval. */
        const headline = (weights: Weights) => {
          const all = pooled.numbers(weights);
          const each = folds.map((tally) => tally.numbers(weights));
          return Object.fromEntries(
            Object.keys(all).map((name) => [
              name,
              RANKED.includes(name) ? meanOf(each.map((own) => own[name])) : all[name],
            ]),
          );
        };
        const draws = drawsFor(2 * pooled.size() + count);
        const intervals =
          pooled.count() > 0 ? bootstrapIntervals(headline, { count, groups: drawn?.groups, draws }) : {};
        const metricOf = (name: string): FoldMetric => {
          const values = byFold.map((own) => own[name]);
          return {
            ...{ mean: meanOf(values), deviation: deviationOf(values), folds: values },
            pooled: RANKED.includes(name) ? null : together[name],
            interval: intervals[name] ?? null,
          };
        };
        const metrics = Object.fromEntries(Object.keys(together).map((name) => [name, metricOf(name)]));
        return { kind: spec.kind, count: pooled.count(), metrics };
      };
      return {
        heads: Object.fromEntries(tallies.map((own) => [own.spec.name, headOf(own)])),
        intervals: { level: 0.95, drawn: drawn?.name ?? "image" },
      };
    },
  };
}

function deviationOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  const mean = meanOf(known);
  if (mean === null || known.length < 2) return null;
  return Math.sqrt(known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (known.length - 1));
}
