/** One way to measure every kind of head: batches in, numbers out, and one score to compare runs by. */

import type { NdArray } from "../core/nd-array.js";
import { type AmountMetrics, amountMetrics } from "./amount-reading.js";
import { type BoxesMetrics, boxesMetrics } from "./boxes-reading.js";
import { type ClassifierMetrics, classifierMetrics } from "./classifier-reading.js";
import type { Label } from "./head.js";
import type { HeadSpec } from "./head-spec.js";
import { type PresenceMetrics, presenceMetrics } from "./presence-reading.js";
import { type SegmentationMetrics, segmentationMetrics } from "./segmentation-reading.js";

/** What a head achieved on the labelled images, `count` of them; a metric that none of them allows is `null`. */
export type HeadMetrics = ClassifierMetrics | SegmentationMetrics | BoxesMetrics | PresenceMetrics | AmountMetrics;

/** Gathers batch after batch; holds numbers, never images. */
export interface MetricsAccumulator {
  /**
   * Adds a batch.
   *
   * @param logits `[batch, ...outputShape]`; rows beyond the labels (padding) are ignored.
   * @param labels of the first rows, in order; unlabelled ones count for nothing.
   */
  add(logits: NdArray, labels: readonly Label[]): void;
  /** The metrics of all that was added. */
  result(): HeadMetrics;
}

/** Starts to measure one head: answers and labels in, batch by batch, its metrics out. */
export function createMetrics(spec: HeadSpec): MetricsAccumulator {
  switch (spec.kind) {
    case "classifier":
      return classifierMetrics(spec);
    case "segmentation":
      return segmentationMetrics(spec);
    case "boxes":
      return boxesMetrics(spec);
    case "presence":
      return presenceMetrics(spec);
    case "amount":
      return amountMetrics(spec);
  }
}

/**
 * One number 0..1, more is better: accuracy, mean average precision or R squared (0 where negative); IoU; AP50; area
 * under the ROC curve (accuracy where all labels are the same); 1 - mean absolute error. `null` where not evaluated.
 */
export function scoreOf(metrics: HeadMetrics): number | null {
  switch (metrics.kind) {
    case "classifier":
      if (metrics.task === "single") return metrics.accuracy;
      if (metrics.task === "multi") return metrics.meanAveragePrecision;
      return metrics.r2 === null ? null : Math.max(0, metrics.r2);
    case "segmentation":
      return metrics.iou;
    case "boxes":
      return metrics.ap50;
    case "presence":
      return metrics.auc ?? metrics.accuracy;
    case "amount":
      return metrics.mae === null ? null : 1 - metrics.mae;
  }
}
