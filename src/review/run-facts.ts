/** What the page of a run tells, gathered from configuration, history, metrics and reviews. */

import type { EpochRecord } from "../core/epoch-record.js";
import type { Size } from "../core/size.js";
import type { HeadReview } from "./head-review.js";

/** One head of the run. */
export interface HeadFacts {
  readonly name: string;
  readonly kind: string;
  /** Training images by label state; absent of a head that was trained before. */
  readonly labels?: { readonly labelled: number; readonly empty: number; readonly unlabelled: number };
  /** Smallest stride of the layers that it reads, pixels. */
  readonly stride?: number;
  /** A layer of half that stride, where the trunk has one. */
  readonly finerTap?: string;
}

/** A run as its page shows it; what is absent is not shown. */
export interface RunFacts {
  readonly title: string;
  readonly heads: readonly HeadFacts[];
  /** The metric that the score is: `mean`, or a head. */
  readonly score: string;
  readonly stages: readonly { readonly train: string; readonly epochs: number }[];
  readonly inputSize: Size;
  /** Longer side of the images, pixels; where it is known. */
  readonly imageSide?: number;
  /** A run that learned from some of the training images only: from how many, of how many. */
  readonly part?: { readonly train: number; readonly of: number };
  /** The configuration with all defaults filled in. */
  readonly config: object;
  /** By key as `--set` takes it: why it has its value. */
  readonly reasons?: Readonly<Record<string, string>>;
  readonly dataset?: {
    readonly name: string;
    readonly hash: string;
    readonly counts: Readonly<Record<string, number>>;
  };
  /** By what, such as `processor`. */
  readonly machine?: Readonly<Record<string, string>>;
  readonly history: readonly EpochRecord[];
  readonly best: Pick<EpochRecord, "stage" | "epoch"> | null;
  /** By head, once training is over. */
  readonly reviews?: Readonly<Record<string, HeadReview>>;
  /** Sentences of the training. */
  readonly warnings?: readonly string[];
}

/** Place of the best epoch in the history, -1 where there is none. */
export function bestIndex({ history, best }: Pick<RunFacts, "history" | "best">): number {
  return history.findIndex((record) => record.stage === best?.stage && record.epoch === best.epoch);
}
