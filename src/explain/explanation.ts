/** What an explanation is: the JSON that a caller stores (`aspectlens-explanation/1`), and the pictures that go beside it. */

import type { AspectKind } from "../core/annotation.js";
import type { Box } from "../core/box.js";
import type { MappingName, MaskingName, SaliencyName } from "./methods.js";
import type { Target } from "./target.js";

/** How an answer is explained; what is absent has its default. Anything but the defaults is traced anew from the model. */
export interface MethodChoice {
  readonly saliency?: SaliencyName;
  /** By default the method's first that fits: `multiply` for `evidence`, `filter-weights` where a method has them, else `multiply`. */
  readonly masking?: MaskingName;
  /** One layer that is masked for all heads, or `input`, the image; by default each head's own. */
  readonly tap?: string;
  /** `grey` turns the masked image grey on its way to the heads; it wants the tap `input`. */
  readonly mapping?: MappingName;
}

/** Task `single`; `scores` sum to 1. */
export interface ClassPrediction {
  readonly class: string;
  readonly score: number;
  readonly scores: Readonly<Record<string, number>>;
}

/** Task `multi`: `class` is the label that scores highest, `labels` those of 0.5 or more. */
export interface LabelsPrediction extends ClassPrediction {
  readonly labels: readonly string[];
}

/** Task `regression`, in the unit of the dataset. */
export interface ValuePrediction {
  readonly value: number;
}

export type Prediction = ClassPrediction | LabelsPrediction | ValuePrediction;

/** Shares of one region: 0..1 each, but survival, which is not clipped. */
export interface RegionExplanation {
  /** Mean probability over the region; with none, the largest probability. */
  readonly presence: number;
  /** `null` where the aspect is absent, or its head cannot tell its answer from nothing. */
  readonly relevance: number | null;
  /** `null` exactly where `relevance` is. */
  readonly survival: number | null;
}

/**
 * One connected region or box, in 0..1 of the image. Its relevance tells instances of an aspect apart; nothing is taken off for other
 * aspects, so that it can exceed the aspect's own, and no threshold is meant for it.
 */
export interface InstanceExplanation extends RegionExplanation {
  readonly box: Box;
  /** Share of the image; pixel regions only. */
  readonly area?: number;
}

export interface AspectExplanation extends RegionExplanation {
  readonly name: string;
  readonly kind: AspectKind;
  /** What it accounts for at places that it shares with no more relevant aspect, 0..1; `null` exactly where `relevance` is. */
  readonly relevanceApart: number | null;
  readonly relevanceInterval: readonly [low: number, high: number] | null;
  readonly isPresent: boolean;
  readonly isRelevant: boolean;
  /** Share of the image; pixel regions only. */
  readonly area?: number;
  /** File names beside the JSON; pixel regions only, `null` where the aspect is absent. */
  readonly mask?: string | null;
  readonly survivalMap?: string | null;
  /** Kinds that have a place (segmentation, boxes, an amount map), also where there is none (`[]`). */
  readonly instances?: readonly InstanceExplanation[];
}

export interface Explanation {
  readonly format: "aspectlens-explanation/1";
  readonly image: string;
  readonly prediction: Prediction;
  readonly target: Target;
  readonly saliency: SaliencyName;
  readonly masking: MaskingName;
  /** From this relevance on, an aspect is relevant, */
  readonly threshold: number;
  /** and beside such an aspect from this `relevanceApart` on. */
  readonly thresholdBeside: number;
  readonly isExplained: boolean;
  /** In the order of the model's heads. */
  readonly aspects: readonly AspectExplanation[];
  /** Share of the saliency that lies outside every relevant region, 0..1. */
  readonly unexplained: number | null;
}

/** What the pictures need and the JSON does not hold. Rows from the top, at the model's input size unless said. */
export interface ExplanationMaps {
  /** Height and width of the masks below. */
  readonly size: number;
  /** By aspect, `[size * size]` of 0 and 1; boxes are filled. Only aspects that are present and have a place. */
  readonly regions: Readonly<Record<string, Uint8Array>>;
  /** By aspect, `[size * size]`, 0..255 for a survival of 0..1 at each pixel, 0 outside the region. Pixel regions only. */
  readonly survival: Readonly<Record<string, Uint8Array>>;
  /** The method's map, of the source layer or the one that was asked for, at its own grid, zero or more, in no unit. */
  readonly saliency: {
    readonly height: number;
    readonly width: number;
    readonly values: Float32Array;
    /** How far right of and below equal cells the layer's own lie, as a share of the image's side. */
    readonly offset: number;
  };
}

/** One image explained. */
export interface Explained {
  /** How the names of its mask files begin. */
  readonly stem?: string;
  readonly explanation: Explanation;
  readonly maps: ExplanationMaps;
}
