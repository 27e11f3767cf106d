/** What the boxes head's numbers mean: peaks, boxes, and how well they find the experts', on plain arrays. */

import type { Annotation } from "../core/annotation.js";
import { type Box, nonMaximumSuppression } from "../core/box.js";
import { logit, sigmoid } from "../core/logistic.js";
import { type NdArray, sizeOf } from "../core/nd-array.js";
import { detectionTally } from "../metrics/coco-average-precision.js";
import { matchDetections } from "../metrics/coco-matching.js";
import { ratio } from "../metrics/weights.js";
import type { Label } from "./head.js";
import type { BoxesSpec } from "./head-spec.js";

/** One instance as the head sees it. */
export interface Detection {
  readonly box: Box;
  /** Sigmoid of the heat at its centre cell, 0..1. */
  readonly score: number;
  /** Row and column of the centre cell in the head's grid. */
  readonly cell: readonly [y: number, x: number];
}

/** Metrics of a boxes head. */
export interface BoxesMetrics {
  readonly kind: "boxes";
  /** COCO's average precision at an overlap of one half. */
  readonly ap50: number | null;
  /** Share of the experts' boxes that are found at the head's threshold. */
  readonly recall: number | null;
  /** The experts' boxes in the labelled images. */
  readonly instanceCount: number;
  readonly count: number;
}

const MOST_DETECTIONS = 100;
/** Average precision needs the doubtful detections too. */
const DOUBTFUL = 0.01;

/**
 * Cells whose heat is the largest of their 3x3 neighbourhood and reaches the threshold; the same cells as `peaks`.
 *
 * @param logits one image's, `shape` = `[h, w, 5]`.
 */
export function peakCells(
  logits: ArrayLike<number>,
  [rows, columns, channels]: readonly number[],
  { threshold }: { threshold: number },
): (readonly [y: number, x: number])[] {
  const least = Math.fround(logit(threshold));
  const cells: [number, number][] = [];
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const heat = logits[(y * columns + x) * channels];
      if (!(heat >= least)) continue;
      let isPeak = true;
      for (let r = Math.max(0, y - 1); r <= Math.min(rows - 1, y + 1); r++) {
        for (let c = Math.max(0, x - 1); c <= Math.min(columns - 1, x + 1); c++) {
          if (logits[(r * columns + c) * channels] > heat) isPeak = false;
        }
      }
      if (isPeak) cells.push([y, x]);
    }
  }
  return cells;
}

/**
 * The instances of one image, best first: peaks, their boxes cut off at the image's edge, and of boxes that overlap by
 * more than half the better one. At most 100.
 *
 * @param logits one image's, `shape` = `[h, w, 5]`.
 */
export function decodeBoxes(
  logits: ArrayLike<number>,
  shape: readonly number[],
  { threshold }: { threshold: number },
): Detection[] {
  const [rows, columns, channels] = shape;
  const heatAt = ([y, x]: readonly [number, number]) => logits[(y * columns + x) * channels];
  const cells = peakCells(logits, shape, { threshold })
    .sort((a, b) => heatAt(b) - heatAt(a))
    .slice(0, MOST_DETECTIONS);
  const found = cells.map((cell): Detection => {
    const [y, x] = cell;
    const at = (y * columns + x) * channels;
    const [height, width] = [Math.exp(logits[at + 1]), Math.exp(logits[at + 2])];
    const centreY = (y + logits[at + 3]) / rows;
    const centreX = (x + logits[at + 4]) / columns;
    const box: Box = [
      clipped(centreY - height / 2),
      clipped(centreX - width / 2),
      clipped(centreY + height / 2),
      clipped(centreX + width / 2),
    ];
    return { box, score: sigmoid(logits[at]), cell };
  });
  const kept = nonMaximumSuppression(
    found.map((item) => item.box),
    found.map((item) => item.score),
  );
  return kept.map((index) => found[index]);
}

/** The instances that average precision is measured with, doubtful ones too; see `decodeBoxes`. */
export function decodeForPrecision(logits: ArrayLike<number>, shape: readonly number[]): Detection[] {
  return decodeBoxes(logits, shape, { threshold: DOUBTFUL });
}

/** Streaming metrics over the labelled images. */
export function boxesMetrics({ threshold }: BoxesSpec): {
  add(logits: NdArray, labels: readonly Label[]): void;
  result(): BoxesMetrics;
} {
  const tally = detectionTally();
  let count = 0;
  return {
    add(logits, labels) {
      const shape = logits.shape.slice(1);
      const size = sizeOf(shape);
      labels.forEach((label, i) => {
        const { boxes, ignoredBoxes } = (label ?? {}) as Annotation;
        if (!boxes) return;
        const detections = decodeForPrecision(logits.data.subarray(i * size, (i + 1) * size), shape);
        tally.add(count++, matchDetections(detections, { boxes, crowds: ignoredBoxes }), boxes.length);
      });
    },
    result() {
      const { right, boxes } = tally.countsFrom(threshold);
      return { kind: "boxes", ap50: tally.precisionAt(0), recall: ratio(right, boxes), instanceCount: boxes, count };
    },
  };
}

function clipped(value: number): number {
  return Math.min(1, Math.max(0, value));
}
