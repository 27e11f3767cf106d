/** What a page shows of one head's answers on a split: curves, a confusion with images, the best and the worst. */

import type { Box } from "../core/box.js";
import type { NdArray } from "../core/nd-array.js";
import type { Size } from "../core/size.js";
import type { Label } from "../heads/head.js";
import type { ReliabilityBin } from "../metrics/calibration-error.js";

/** Where the experts and the head see the aspect, to be drawn on the image. */
export type Outlines =
  | {
      readonly kind: "mask";
      /** Of both masks, pixels. */
      readonly size: Size;
      /** `[height * width]`, 0 and 1. */
      readonly expert: Uint8Array;
      readonly head: Uint8Array;
    }
  | { readonly kind: "boxes"; readonly expert: readonly Box[]; readonly head: readonly Box[] };

/** An image and how the head did on it. */
export interface ReviewedImage {
  /** As it stands in the dataset. */
  readonly path: string;
  /** Such as `IoU 0.31`. */
  readonly text: string;
  readonly outlines?: Outlines;
}

/** Images of one true class that were taken for another (or the same) one. */
export interface ConfusionCell {
  readonly count: number;
  /** Some of them, those that the head was surest of first. */
  readonly images: readonly ReviewedImage[];
}

export interface HeadReview {
  /** What the best answer that is the same for every image scores, as `scoreOf` counts; `null` where unknown. */
  readonly constant: number | null;
  /** By name (a class, or the head), precision at recalls 0, 0.01, ..., 1. */
  readonly precision: Readonly<Record<string, readonly number[]>>;
  readonly reliability: readonly ReliabilityBin[];
  /** Classifier of one class: row the true class, column the answered one. */
  readonly confusion?: readonly (readonly ConfusionCell[])[];
  /** Of the confusion's rows and columns. */
  readonly classes?: readonly string[];
  /** Numbers: true value and answer of some images. */
  readonly pairs?: readonly (readonly [truth: number, answer: number])[];
  readonly best: readonly ReviewedImage[];
  readonly worst: readonly ReviewedImage[];
  /** Median side of the aspect's things at the model's size, pixels; of a mask the root of its area. */
  readonly medianSide?: number;
}

/** Gathers batch after batch. */
export interface HeadReviewer {
  /**
   * @param logits `[batch, ...outputShape]`; rows beyond the labels are ignored.
   * @param labels of the first rows; `undefined` is unlabelled.
   * @param paths of the same images.
   */
  add(logits: NdArray, labels: readonly Label[], paths: readonly string[]): void;
  result(): HeadReview;
}

/** Images shown of each head. */
export const SHOWN = { best: 4, worst: 7 } as const;
