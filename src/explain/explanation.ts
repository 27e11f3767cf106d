/** What an explanation is: its JSON (`aspectlens-explanation/1`), and the maps that pictures are made of. */

import type { AspectKind } from "../core/annotation.js";
import type { Box } from "../core/box.js";
import type { MappingName, MaskingName, SaliencyName } from "./methods.js";
import type { Target } from "./target.js";

/**
 * How an answer is explained; what is absent has its default. All but the defaults needs a graph that is traced first.
 */
export interface MethodChoice {
  readonly saliency?: SaliencyName;
  /** By default `multiply` for `evidence`; `filter-weights` for other methods that have them; else `multiply`. */
  readonly masking?: MaskingName;
  /** One layer that is masked for all heads, or `input`, the image; by default each head's own. */
  readonly tap?: string;
  /** `grey` shows the heads the masked image without colours; it needs the tap `input`. */
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

/** The classifier's answer, by task. */
export type Prediction = ClassPrediction | LabelsPrediction | ValuePrediction;

/** Shares of one region: 0..1 each, but survival, which is not clipped. */
export interface RegionExplanation {
  /** Mean probability over the region; with none, the largest probability. */
  readonly presence: number;
  /** `null` where the aspect is absent, or its head answers the image hardly higher than the reference. */
  readonly relevance: number | null;
  /** `null` exactly where `relevance` is. */
  readonly survival: number | null;
}

/**
 * One connected region or box, in 0..1 of the image. Its relevance ranks the instances of one aspect: nothing is
 * subtracted for other aspects, so that it can exceed the aspect's own, and it is not for comparing with a threshold.
 */
export interface InstanceExplanation extends RegionExplanation {
  readonly box: Box;
  /** Share of the image; pixel regions only. */
  readonly area?: number;
}

/** What an explanation says about one aspect. */
export interface AspectExplanation extends RegionExplanation {
  readonly name: string;
  readonly kind: AspectKind;
  /** Relevance at places that no more relevant aspect occupies, 0..1; `null` exactly where `relevance` is. */
  readonly relevanceApart: number | null;
  readonly relevanceInterval: readonly [low: number, high: number] | null;
  readonly isPresent: boolean;
  readonly isRelevant: boolean;
  /** Share of the image; pixel regions only. */
  readonly area?: number;
  /** File names beside the JSON; pixel regions only, `null` where the aspect is absent. */
  readonly mask?: string | null;
  /** Not of a derived place. */
  readonly survivalMap?: string | null;
  /** Kinds that have a place (all but an amount of one number), also where there is none (`[]`). */
  readonly instances?: readonly InstanceExplanation[];
  /**
   * The head says only that the aspect is there (`presence`): `area`, `mask` and the instances' boxes are where its
   * evidence lies, and each instance's presence and survival are the aspect's.
   */
  readonly isPlaceDerived?: true;
}

/**
 * Why the model answered as it did, by named aspects: the JSON that `explain` writes, as docs/formats.md describes it.
 */
export interface Explanation {
  readonly format: "aspectlens-explanation/1";
  readonly image: string;
  readonly prediction: Prediction;
  readonly target: Target;
  readonly saliency: SaliencyName;
  readonly masking: MaskingName;
  /** An aspect is relevant from this `relevance` on. */
  readonly threshold: number;
  /** Beside an aspect that reaches `threshold`, another is relevant from this `relevanceApart` on. */
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
  /**
   * By aspect, `[size * size]`, 0..255 for a survival of 0..1 at each pixel, 0 outside the region. Pixel regions only.
   */
  readonly survival: Readonly<Record<string, Uint8Array>>;
  /**
   * The method's map, of the source layer or the tap that was asked for, on that layer's grid; zero or more, in no
   * unit.
   */
  readonly saliency: {
    readonly height: number;
    readonly width: number;
    readonly values: Float32Array;
    /** How far a cell lies right of and below where a grid of equal cells has it, as a share of the image's side. */
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
