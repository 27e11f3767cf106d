/**
 * The report of a measurement (`aspectlens-faithfulness/2`): do explanations name the cause, and not what is merely
 * there?
 */

import type { ScoreScale } from "../core/relevance-scale.js";
import type { MaskingName, SaliencyName } from "../explain/methods.js";
import type { Curves } from "./deletion-curves.js";
import type { PairedModels } from "./paired-models.js";
import type { Verdict } from "./verdict.js";

/** The numbers of one saliency method with one masking. */
export interface FaithfulnessMethod {
  readonly saliency: SaliencyName;
  readonly masking: MaskingName;
  readonly isDefault: boolean;
  /** What the scores meant; `null` where no image was explained. */
  readonly scale: ScoreScale | null;
  /** Share of the images whose most relevant aspect is a cause; k-way ties count 1/k. */
  readonly namedCause: number | null;
  /** Of the causes, the share called relevant. */
  readonly causeRelevant: number | null;
  /** Of the aspects labelled present that are no cause, the share called relevant. */
  readonly distractorNamed: number | null;
  /** Of all pairs of a cause and a distractor, the share in which the cause is more relevant. */
  readonly auc: number | null;
  /** Of the images in which two or more causes are seen, the share in which all of them are called relevant. */
  readonly allCausesRelevant: number | null;
  /** The same where painting over any of them lowers the target: a cause that is seen need not be used. */
  readonly allUsedCausesRelevant: number | null;
  /**
   * Of the images in which a cause is seen, the share with no relevant aspect, wrongly.
   */
  readonly unexplainedWithCause: number | null;
  /** Of the same images, the share whose headline says that much of the evidence, or all of it, lies elsewhere. */
  readonly elsewhereWithCause: number | null;
  /**
   * Of the images whose cause is none of the aspects, some of which are seen, the share with no relevant aspect:
   * rightly.
   */
  readonly unexplainedWithoutCause: number | null;
  /**
   * Spearman's, between an aspect's relevance and what the target loses when it is painted over; of all such aspects.
   */
  readonly removalCorrelation: number | null;
  /**
   * Of the aspects whose painting over changes the answer, and of those that it leaves, the share called relevant; of
   * all images, whether or not their causes are known. `null` where none was painted over.
   */
  readonly removal: { readonly changed: RemovedAspects; readonly kept: RemovedAspects } | null;
  /** Mean score of the answered class while the most salient places go, and while they come; of the method's map. */
  readonly curves: Curves | null;
  /** The same by survival. */
  readonly bySurvival: { readonly namedCause: number | null; readonly auc: number | null };
}

/** Aspects that were painted over, one at a time. */
export interface RemovedAspects {
  readonly count: number;
  /** Share called relevant before. */
  readonly relevant: number | null;
}

/** How one aspect was judged. */
export interface FaithfulnessAspect {
  readonly count: number;
  /** Share called relevant. */
  readonly relevant: number | null;
  /** Where it was painted over: how many images, by how much the target fell in the mean, share of other answers. */
  readonly removal: { readonly count: number; readonly lost: number; readonly flipped: number } | null;
}

/** `aspectlens-faithfulness/2`; a share of nothing is `null`. */
export interface Faithfulness {
  readonly format: "aspectlens-faithfulness/2";
  /** What it comes to, by the default method. */
  readonly verdict: Verdict;
  /** Images that the shares are taken over. */
  readonly count: number;
  /** Share of the labelled images answered right; `null` for a regression. */
  readonly classifier: { readonly accuracy: number | null };
  readonly methods: readonly FaithfulnessMethod[];
  /**
   * Images answered right in which two or more causes are seen, and all are used; a cause; aspects, none of which is a
   * cause.
   */
  readonly counts: {
    readonly severalCauses: number;
    readonly severalUsedCauses: number;
    readonly withCause: number;
    readonly withoutCause: number;
  };
  /** By the default method, of the images answered right in which an aspect is labelled and seen. */
  readonly aspects: Readonly<Record<string, FaithfulnessAspect>>;
  /** One sentence for each aspect that always comes with one class, and with no other, though it is no cause of it. */
  readonly inseparable: readonly string[];
  /** `count` over the images labelled with a cause and another aspect: it measures heads and classifier. */
  readonly coverage: number | null;
  /** What drawing an aspect, or a place, at random would give on the same images. */
  readonly chance: { readonly namedCause: number | null; readonly auc: 0.5; readonly curves: Curves | null };
  readonly controls: {
    readonly presenceOnly: { readonly namedCause: number | null };
    readonly survival: { readonly namedCause: number | null };
    readonly randomClassifier: RandomControl | null;
    /** Aspect heads re-initialised; for information: no value is asked of it. */
    readonly randomHeads: RandomControl | null;
  };
  /** The paired models: this one, and one of the same images with other causes; `null` where none was given. */
  readonly twins: PairedModels | null;
}

/**
 * A part of the model is randomized: it should name causes as often as drawing at random does, and call nothing
 * relevant.
 */
export interface RandomControl {
  /** Over all randomized models and images. */
  readonly namedCause: number | null;
  /** Of all aspects labelled present, the share called relevant. */
  readonly relevant: number | null;
  readonly draws: number;
}
