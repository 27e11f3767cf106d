/** What the classifier's numbers mean: targets, predictions and metrics on plain arrays. */

import type { ClassAnnotation } from "../core/annotation.js";
import { classLabels } from "../core/annotation.js";
import { DatasetError } from "../core/errors.js";
import { sigmoid, softmax } from "../core/logistic.js";
import type { NdArray } from "../core/nd-array.js";
import { areaUnderCurve, averagePrecision, type Ranked } from "../core/ranking.js";
import { confusionScores } from "../metrics/confusion.js";
import { meanOf, ratio } from "../metrics/weights.js";
import { encodeLabels } from "./encode-labels.js";
import type { Label } from "./head.js";
import type { ClassifierSpec } from "./head-spec.js";

/** What one image was taken for; a regression has a value and no classes. */
export type DecodedClasses =
  | { readonly class: string; readonly score: number; readonly scores: Readonly<Record<string, number>> }
  | { readonly value: number };

/** Metrics of a classifier with one class for each image. */
export interface SingleMetrics {
  readonly kind: "classifier";
  readonly task: "single";
  readonly accuracy: number | null;
  /** What always naming the most frequent class would reach. */
  readonly majorityBaseline: number | null;
  /** Share of each class's images that were recognised. */
  readonly recall: Readonly<Record<string, number | null>>;
  /** Row: the true class; column: the predicted one; in the order of the classes. */
  readonly confusion: readonly (readonly number[])[];
  readonly count: number;
}

/** Metrics of a multi-label classifier. */
export interface MultiMetrics {
  readonly kind: "classifier";
  readonly task: "multi";
  /** Mean of `averagePrecision` over the classes that occur. */
  readonly meanAveragePrecision: number | null;
  readonly averagePrecision: Readonly<Record<string, number | null>>;
  /** Area under the ROC curve of each class. */
  readonly auc: Readonly<Record<string, number | null>>;
  /** Share of each class's images whose score is at least 0.5. */
  readonly recall: Readonly<Record<string, number | null>>;
  /** Share of the images that have each class: what chance reaches as average precision. */
  readonly prevalence: Readonly<Record<string, number | null>>;
  /** Over all decisions of all classes at a score of 0.5 (micro). */
  readonly f1: number | null;
  readonly count: number;
}

/** Metrics of a regression. */
export interface RegressionMetrics {
  readonly kind: "classifier";
  readonly task: "regression";
  /** In the value's unit. */
  readonly mae: number | null;
  readonly rmse: number | null;
  /** 1 - squared error / variance; `null` where all values are the same. */
  readonly r2: number | null;
  readonly count: number;
}

/** Metrics of a classifier, by task. */
export type ClassifierMetrics = SingleMetrics | MultiMetrics | RegressionMetrics;

export function classifierShapes({ task, classes }: ClassifierSpec): Record<string, readonly number[]> {
  return { target: [task === "regression" ? 1 : classes.length], labelled: [] };
}

/**
 * `target` `[batch, classes]` (1 for the label, or each of the labels) or `[batch, 1]` (the value), and `labelled`.
 *
 * @throws DatasetError where a label is none of the classes.
 */
export function encodeClasses(labels: readonly Label[], spec: ClassifierSpec): Record<string, Float32Array> {
  return encodeLabels(labels, classifierShapes(spec), (label, { target }) => {
    const annotation = label as ClassAnnotation; // the classifier is given class annotations
    if (spec.task === "regression") {
      if (annotation.value === undefined) return false;
      target[0] = annotation.value;
      return true;
    }
    const given = classLabels(annotation);
    for (const each of given ?? []) target[classIndex(spec, each)] = 1;
    return given !== undefined;
  });
}

/** @param logits the head's output for one image. */
export function decodeClasses(logits: ArrayLike<number>, spec: ClassifierSpec): DecodedClasses {
  const { task, classes } = spec;
  if (task === "regression") return { value: logits[0] };
  const scores = classScores(logits, spec);
  const best = largest(logits);
  return {
    class: classes[best],
    score: scores[best],
    scores: Object.fromEntries(classes.map((name, i) => [name, scores[i]])),
  };
}

/** Probabilities as they are shown: calibrated where the head has a temperature. @param logits of one image. */
export function classScores(logits: ArrayLike<number>, { task, temperature = 1 }: ClassifierSpec): number[] {
  const tempered = Array.from(logits, (logit) => logit / temperature);
  return task === "multi" ? tempered.map(sigmoid) : softmax(tempered);
}

/** Streaming metrics of a classifier. */
export function classifierMetrics(spec: ClassifierSpec): {
  add(logits: NdArray, labels: readonly Label[]): void;
  result(): ClassifierMetrics;
} {
  const reading = spec.task === "single" ? single(spec) : spec.task === "multi" ? multi(spec) : regression();
  return {
    add(logits, labels) {
      const width = logits.shape[1];
      labels.forEach((label, i) => {
        if (label) reading.add(logits.data.subarray(i * width, (i + 1) * width), label as ClassAnnotation);
      });
    },
    result: reading.result,
  };
}

function single(spec: ClassifierSpec) {
  const { classes } = spec;
  const confusion = classes.map(() => classes.map(() => 0));
  return {
    add(row: ArrayLike<number>, { label }: ClassAnnotation) {
      if (label !== undefined) confusion[classIndex(spec, label)][largest(row)]++;
    },
    result(): SingleMetrics {
      const { accuracy, majorityBaseline, recall: recalls } = confusionScores(confusion);
      const recall = Object.fromEntries(classes.map((name, i) => [name, recalls[i]]));
      const count = confusion.flat().reduce((sum, own) => sum + own, 0);
      return { kind: "classifier", task: "single", accuracy, majorityBaseline, recall, confusion, count };
    },
  };
}

const isPositive = (item: Ranked) => item.isPositive;
/** A score of 0.5 is a logit of 0. */
const isHit = (item: Ranked) => item.score >= 0 && item.isPositive;

function multi(spec: ClassifierSpec) {
  const { classes } = spec;
  const ranked: Ranked[][] = classes.map(() => []);
  let count = 0;
  return {
    add(row: ArrayLike<number>, { labels }: ClassAnnotation) {
      if (!labels) return;
      const present = new Set(labels.map((name) => classIndex(spec, name)));
      for (let i = 0; i < classes.length; i++) ranked[i].push({ score: row[i], isPositive: present.has(i) });
      count++;
    },
    result(): MultiMetrics {
      const precisions = ranked.map((items) => averagePrecision(items));
      const all = ranked.flat();
      const hits = all.filter(isHit).length;
      const said = all.filter((item) => item.score >= 0).length;
      const positives = all.filter((item) => item.isPositive).length;
      return {
        kind: "classifier",
        task: "multi",
        meanAveragePrecision: meanOf(precisions),
        averagePrecision: Object.fromEntries(classes.map((name, i) => [name, precisions[i]])),
        auc: Object.fromEntries(classes.map((name, i) => [name, areaUnderCurve(ranked[i])])),
        recall: Object.fromEntries(
          classes.map((name, i) => [name, ratio(ranked[i].filter(isHit).length, ranked[i].filter(isPositive).length)]),
        ),
        prevalence: Object.fromEntries(
          classes.map((name, i) => [name, ratio(ranked[i].filter(isPositive).length, count)]),
        ),
        f1: ratio(2 * hits, said + positives),
        count,
      };
    },
  };
}

function regression() {
  let count = 0;
  let absolute = 0;
  let squared = 0;
  let mean = 0;
  let spread = 0; // sum of squared distances from the mean so far (Welford 1962)
  return {
    add(row: ArrayLike<number>, { value }: ClassAnnotation) {
      if (value === undefined) return;
      const error = row[0] - value;
      absolute += Math.abs(error);
      squared += error ** 2;
      const before = value - mean;
      mean += before / ++count;
      spread += before * (value - mean);
    },
    result(): RegressionMetrics {
      const share = ratio(squared, spread);
      return {
        kind: "classifier",
        task: "regression",
        mae: ratio(absolute, count),
        rmse: count > 0 ? Math.sqrt(squared / count) : null,
        r2: share === null ? null : 1 - share,
        count,
      };
    },
  };
}

/** In a message: imported classifiers may have a thousand classes. */
const MOST_NAMED = 20;

/** @throws DatasetError where the label is none of the classes. */
export function classIndex({ name, classes }: ClassifierSpec, label: string): number {
  const index = classes.indexOf(label);
  if (index >= 0) return index;
  const more = classes.length > MOST_NAMED ? ` and ${classes.length - MOST_NAMED} more` : "";
  const known = `${classes.slice(0, MOST_NAMED).join(", ")}${more}`;
  throw new DatasetError(`head "${name}": label "${label}" is none of its classes: ${known}.`);
}

/** Index of the largest number, the first of several. */
export function largest(row: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (row[i] > row[best]) best = i;
  return best;
}
