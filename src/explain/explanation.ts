/** What an explanation is: its JSON (`aspectlens-explanation/2`), and the maps that pictures are made of. */

import type { AspectKind } from "../core/annotation.js";
import type { Crop } from "../core/augmented-view.js";
import type { Box } from "../core/box.js";
import type { MappingKind } from "../core/mapping-kind.js";
import type { ScoreScale } from "../core/relevance-scale.js";
import type { Size } from "../core/size.js";
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

/** One region: 0..1 each, but survival, which is not clipped. */
export interface RegionExplanation {
  /** Mean probability over the region; with none, the largest probability. */
  readonly presence: number;
  /**
   * The part of the answer's evidence that this evidence accounts for; `null` where the aspect is absent, or its head
   * answers the image hardly higher than the reference. It ranks; `relevance` says what it means.
   */
  readonly score: number | null;
  /** `null` exactly where `score` is. */
  readonly survival: number | null;
}

/**
 * One connected region or box, in 0..1 of the image. Its score ranks the instances of one aspect: nothing is left to
 * other aspects or instances, so that it can exceed the aspect's own, and it has no relevance.
 */
export interface InstanceExplanation extends RegionExplanation {
  readonly box: Box;
  /** Share of the image; pixel regions only. */
  readonly area?: number;
}

/** How much of the answer's evidence a relevant aspect holds; docs/explanations.md has the limits. */
export type Strength = "decisive" | "strong" | "some";

/** What an explanation says about one aspect. */
export interface AspectExplanation extends RegionExplanation {
  readonly name: string;
  readonly kind: AspectKind;
  /**
   * 0..1: how likely the score is that of a cause rather than a distractor, both being equally frequent; relevant from
   * 0.5 on, in every model. `null` where there is no score, or the explanation's `scale` is no probability.
   */
  readonly relevance: number | null;
  readonly relevanceInterval: readonly [low: number, high: number] | null;
  readonly isPresent: boolean;
  /** `null` where the aspect has a score, and nothing says from which on it would be relevant. */
  readonly isRelevant: boolean | null;
  /** Of a relevant aspect, the share of the map that lies in it, 0..1; 0 of others; `null` where there is no map. */
  readonly share: number | null;
  /** The part of the explanation's `elsewhere` that lies in this aspect's region, 0..1; `null` where that is. */
  readonly elsewhere: number | null;
  /** Of a relevant aspect, by its share. */
  readonly strength: Strength | null;
  /** As `score`, of the evidence against the answer; `null` exactly where that is. */
  readonly against: number | null;
  /** Share of the image; pixel regions only. */
  readonly area?: number;
  /** File names beside the JSON; pixel regions only, `null` where the aspect is absent. */
  readonly mask?: string | null;
  /** Not of a derived place. */
  readonly survivalMap?: string | null;
  /** Connected regions, or boxes. */
  readonly instances: readonly InstanceExplanation[];
  /**
   * The head says only that the aspect is there, with one number: `area`, `mask` and the instances' boxes are where its
   * evidence lies, and each instance's presence and survival are the aspect's.
   */
  readonly isPlaceDerived?: true;
  /** How the classifier's features reach the network that the head has to itself; absent where it reads the classifier's. */
  readonly mapping?: AspectMapping;
}

/** The mapping to the network of an aspect. */
export interface AspectMapping {
  readonly network: string;
  readonly kind: MappingKind;
  /** Layers: of the classifier's network, and of the aspect's. */
  readonly from: string;
  readonly to: string;
  /** Share of the variance of the features at `to` that is predicted on held-out images; `null` where none was measured. */
  readonly r2: number | null;
  /** How far the head's answers rank alike on mapped and on true features there: 1 alike, 0 by chance; `null`: not known. */
  readonly agreement: number | null;
  /** The head answers too differently for its relevance to be read: score, survival and relevance are `null`. */
  readonly isTooPoor: boolean;
}

/** An aspect that does not explain, but is explained. */
export interface TargetAspect {
  /** As of the other aspects, 0..1. */
  readonly presence: number;
  readonly isPresent: boolean;
  /** As of the other aspects; where it is too poor, nothing is said of the target. */
  readonly mapping?: AspectMapping;
}

/** What an explanation comes to; docs/explanations.md lists all cases. */
export type HeadlineCase =
  /** Relevant aspects explain the answer. */
  | "named"
  /** Aspects are relevant, but most of the evidence, or its highest place, lies elsewhere. */
  | "partly-elsewhere"
  /** Aspects are seen, and none is relevant. */
  | "elsewhere"
  /** Aspects are seen, and nothing at all speaks for the target. */
  | "no-evidence"
  /** Aspects are seen, but of none can it be read whether it is relevant. */
  | "unreadable"
  /** No aspect that is seen explains the answer, but that some are not seen: with them it would be another. */
  | "absence"
  /** No aspect is seen. */
  | "nothing-seen"
  /** None is seen, and no head of the model sees anything. */
  | "blind"
  /** An aspect is to be explained that is not seen, and whose head gives no number without it. */
  | "target-absent"
  /** Scores are not calibrated: they rank. */
  | "ranked";

/** The explanation in one sentence. */
export interface Headline {
  readonly case: HeadlineCase;
  /** "malignant 97 % because of necrosis (decisive) and mitosis (some)". */
  readonly text: string;
}

/**
 * Why the model answered as it did, by named aspects: the JSON that `explain` writes, as docs/formats.md describes it.
 */
export interface Explanation {
  readonly format: "aspectlens-explanation/2";
  readonly image: string;
  /** The middle that the model saw of it, pixels of the upright original; absent where it saw all. All places lie in it. */
  readonly crop?: Crop;
  readonly prediction: Prediction;
  readonly target: Target;
  /** Of a target of kind `aspect` or `image`, that aspect itself; else `null`. */
  readonly targetAspect: TargetAspect | null;
  readonly saliency: SaliencyName;
  readonly masking: MaskingName;
  /** What the scores mean. */
  readonly scale: ScoreScale;
  readonly headline: Headline;
  /** In the order of the model's heads. */
  readonly aspects: readonly AspectExplanation[];
  /**
   * The share of the map that lies in no relevant aspect, 0..1; with the aspects' shares it sums to 1. `null` where
   * there is no map, or nothing says which aspects are relevant.
   */
  readonly elsewhere: number | null;
  /** The part of `elsewhere` that lies in no aspect at all; `null` where that is. */
  readonly outside: number | null;
  /** Of the evidence for and against the answer, the share against, 0..1; `null` where there is none. */
  readonly against: number | null;
  /** Aspects that are not seen, and with which such an answer changes: their absence is a reason. */
  readonly absenceOf: readonly string[];
}

/** What the pictures need and the JSON does not hold. Rows from the top, at the model's input size unless said. */
export interface ExplanationMaps {
  /** Of the masks below: the side of a square, or height and width. */
  readonly size: Size;
  /** By aspect, `[height * width]` of 0 and 1; boxes are filled. Only aspects that are present and have a place. */
  readonly regions: Readonly<Record<string, Uint8Array>>;
  /**
   * By aspect, `[height * width]`, 0..255 for a survival of 0..1 at each pixel, 0 outside the region. Pixel regions only.
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
    /** How far a cell lies right of and below where a grid of equal cells has it, as a share of the image's height. */
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
