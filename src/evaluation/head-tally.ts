/** What an evaluation keeps of every image for a head, and what can be computed of it again and again. */

import type { OriginalMask } from "../core/annotation.js";
import type { Label } from "../heads/head.js";
import type { Weights } from "../metrics/weights.js";

/** One head's answer for one image, and what the expert said. */
export interface HeadAnswer {
  /** Number of the image in the split, from 0. */
  readonly image: number;
  /** Before the sigmoid or softmax. */
  readonly logits: Float32Array | Int32Array;
  /** Of the logits, without the batch. */
  readonly shape: readonly number[];
  readonly label: Label;
  /** Of a segmentation, where it is read. */
  readonly original?: OriginalMask;
}

/** Gathers image after image; holds counts and scores, never pixels. */
export interface HeadTally<Result> {
  /** Unlabelled images count for nothing. */
  add(answer: HeadAnswer): void;
  /** Labelled images. */
  count(weights?: Weights): number;
  /** The metrics that an interval is given for, when image i counts `weights[i]` times. */
  numbers(weights?: Weights): Readonly<Record<string, number | null>>;
  /** Every metric, each image once. */
  result(): Result;
  /** Scores or counts that `numbers` goes through. */
  size(): number;
}

/** How many of these images count. */
export function countOf(images: readonly number[], weights?: Weights): number {
  return weights ? images.reduce((sum, image) => sum + weights[image], 0) : images.length;
}
