/** What decides the shape of each kind of head: plain data, without a type of TensorFlow.js. */

import type { Task } from "../core/annotation.js";

/** What every head has. */
export interface HeadBase {
  /** `"class"` for the classifier, else the aspect's name. */
  readonly name: string;
  /** Names of the layers that it reads. */
  readonly taps: readonly string[];
  /** Of an aspect head: the network of its own whose layers these are; absent, they are the classifier's. */
  readonly network?: string;
  /** Of an aspect head: it is an output of that network, which was imported, and has no layers of its own. */
  readonly output?: ImportedOutput;
}

/** One of the numbers, or maps, in which an imported network ends. */
export interface ImportedOutput {
  readonly index: number;
  /** How many there are. */
  readonly of: number;
  /** With a sigmoid of its own, or one of those that a softmax compares. */
  readonly is: "alone" | "against";
}

/** How a classifier makes one number of a channel; `ops/generalized-mean.ts` has the second. */
export type Pooling = "mean" | "generalized-mean";
export const POOLINGS: readonly Pooling[] = ["mean", "generalized-mean"];

/** The head that gives the answer: a class, labels, or a number. */
export interface ClassifierSpec extends HeadBase {
  readonly kind: "classifier";
  readonly task: Task;
  /** Empty for a regression. */
  readonly classes: readonly string[];
  /** `mean` where absent. */
  readonly pooling?: Pooling;
  /** It is the rest of an imported network, as it was there: pooling and all that follows. */
  readonly isImported?: true;
  /** Regression only: mean and deviation of the training values; logits are in the values' own unit. */
  readonly scale?: { readonly mean: number; readonly deviation: number };
  /** Scores are of the logits divided by it (Guo et al. 2017); 1 where absent. Of a regression there is none. */
  readonly temperature?: number;
}

/** A head that says of each pixel whether it shows its aspect. */
export interface SegmentationSpec extends HeadBase {
  readonly kind: "segmentation";
  /** A pixel belongs to the region where the sigmoid of its logit is at least this. */
  readonly threshold: number;
}

/** A head that finds boxes of its aspect. */
export interface BoxesSpec extends HeadBase {
  readonly kind: "boxes";
  readonly threshold: number;
}

/** A head that says whether its aspect is in the image. */
export interface PresenceSpec extends HeadBase {
  readonly kind: "presence";
  /** Of the calibrated score. */
  readonly threshold: number;
  /** The score is the sigmoid of the logit divided by it; 1 where absent. */
  readonly temperature?: number;
}

/** A head that says how much of its aspect there is, 0..1. */
export interface AmountSpec extends HeadBase {
  readonly kind: "amount";
  /** One number an image, or one at each pixel. */
  readonly form: "number" | "map";
  readonly threshold: number;
}

/** A head that reads an aspect. */
export type AspectSpec = SegmentationSpec | BoxesSpec | PresenceSpec | AmountSpec;

/** Everything that decides the shape of a head. */
export type HeadSpec = ClassifierSpec | AspectSpec;
