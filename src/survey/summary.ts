/** What `summary.json` holds: counts of a report, without times, hosts or folders, so that it can be compared. */

import type { HeadlineCase } from "../explain/explanation.js";
import type { Interval } from "../metrics/bootstrap.js";
import type { PlannedBundle } from "./plan.js";

/** So many of the images, their share, and its interval of 95 % (Wilson). */
export interface Counted {
  readonly count: number;
  readonly share: number;
  readonly interval: Interval;
}

/** One aspect in some images. */
export interface AspectCount {
  readonly aspect: string;
  readonly present: Counted;
  readonly relevant: Counted;
  /** Of the evidence, the mean over all images that have a map; `null` where none has. */
  readonly meanShare: number | null;
}

/** The images of one class, by answer or by truth. */
export interface ClassCount {
  /** `null` of a regression. */
  readonly class: string | null;
  readonly images: number;
  /** Of the labelled ones; `null` where none is. */
  readonly right: Counted | null;
  /** How often the headline came to what (`headline.case` of explanations). */
  readonly cases: Readonly<Partial<Record<HeadlineCase, number>>>;
  /** Without a relevant aspect, and not because something could not be said or is absent. */
  readonly noKnownAspect: Counted;
  readonly cannotBeSaid: Counted;
  /** Mean share of the evidence in no relevant aspect. */
  readonly elsewhere: number | null;
  readonly aspects: readonly AspectCount[];
}

/** Two aspects that are relevant in the same image. */
export interface PairCount {
  readonly class: string | null;
  readonly first: string;
  readonly second: string;
  readonly count: number;
  /** How often it would be if the two did not depend on each other. */
  readonly expected: number;
}

/** A difference in how often an aspect is relevant, with its exact test. */
export interface Difference {
  readonly class: string | null;
  readonly aspect: string;
  readonly here: Counted;
  readonly there: Counted;
  readonly p: number;
  /** `p` adjusted for all tests of the list (Benjamini and Hochberg). */
  readonly q: number;
}

/** Images of one class that were taken for another, beside those that were rightly answered so. */
export interface Mistake {
  /** `null` where images have several labels. */
  readonly truth: string | null;
  readonly answer: string;
  readonly images: number;
  readonly rightImages: number;
  /** `here` are the mistakes, `there` the right answers. */
  readonly aspects: readonly Difference[];
}

/** Images whose combination of aspects is rare for their answer. */
export interface UnusualImages {
  /** Classes of fewer images are not judged. */
  readonly leastImages: number;
  /** From which `p` down an image is called unusual. */
  readonly from: number;
  readonly classes: readonly {
    readonly class: string | null;
    readonly images: number;
    readonly isJudged: boolean;
    readonly unusual: number;
  }[];
  /** The most unusual first, at most 100; all are in `unusual.csv`. */
  readonly images: readonly UnusualImage[];
}

/** One of them. */
export interface UnusualImage {
  readonly image: number;
  readonly path: string;
  readonly class: string | null;
  /** Share of the other images of the class that are at least as unusual. */
  readonly p: number;
  /** The aspect whose change would make it the most usual. */
  readonly aspect: string | null;
}

/** The images by the value of a group. */
export interface GroupSurvey {
  readonly key: string;
  readonly values: readonly {
    readonly value: string;
    readonly images: number;
    readonly answers: readonly ClassCount[];
  }[];
  /** Values beyond the 100 with the most images. */
  readonly leftOut: number;
  readonly tests: number;
  /** Each value (`here`) against all others, where `q` is at most 0.05; the smallest first. */
  readonly differences: readonly (Difference & { readonly value: string })[];
}

/** This report (`here`) beside another one (`there`). */
export interface Drift {
  readonly bundle: Pick<PlannedBundle, "name" | "sha256">;
  readonly imageSet: string;
  /** Whether the same images were explained, so that each is compared with itself. */
  readonly isPaired: boolean;
  /** Images of both, paired; or of the other report. */
  readonly images: number;
  /** Of paired images, those whose answer is another. */
  readonly changedAnswers: Counted | null;
  readonly tests: number;
  /** Where `q` is at most 0.05; the smallest first. */
  readonly differences: readonly Difference[];
  /** Of paired images, those whose reasons changed most, at most 100; all are in `changes.csv`. */
  readonly changes: readonly ChangedImage[];
}

/** One image in two reports. */
export interface ChangedImage {
  readonly image: number;
  readonly path: string;
  /** Half the sum of the differences of the shares, `elsewhere` included: the part of the evidence that moved. */
  readonly moved: number;
  readonly here: string | null;
  readonly there: string | null;
}

/** `summary.json` of a report. */
export interface ReportSummary {
  readonly format: "aspectlens-summary/1";
  readonly bundle: PlannedBundle;
  readonly images: {
    readonly kind: string;
    readonly name: string;
    readonly hash?: string;
    readonly count: number;
    readonly explained: number;
    readonly unreadable: number;
  };
  /** By predicted class. */
  readonly answers: readonly ClassCount[];
  /** By true class, of the labelled images. */
  readonly truths: readonly ClassCount[];
  readonly pairs: readonly PairCount[];
  readonly mistakes: readonly Mistake[];
  readonly unusual: UnusualImages;
  readonly groups: GroupSurvey | null;
  readonly against: Drift | null;
  /** At most 100; all are in `unreadable.csv`. */
  readonly unreadable: readonly { readonly path: string; readonly error: string }[];
}
