/** All that is told of a dataset as a whole, gathered while each sample is checked. */

import type { Manifest } from "../manifest.js";
import { type CoOccurrence, coOccurrence } from "./co-occurrence.js";
import { type NearDuplicates, nearDuplicates } from "./near-duplicates.js";
import { type OddImage, oddImages } from "./odd-images.js";
import type { SeenSample, SurveyPart } from "./seen-sample.js";
import { type SuspiciousLabels, suspiciousLabels } from "./suspicious-labels.js";
import { type ThingSizes, thingSizes } from "./thing-sizes.js";

export interface Survey {
  /** Side of a model's input that sizes are given at, pixels. */
  readonly inputSize: number;
  readonly duplicates: NearDuplicates;
  readonly coOccurrence: CoOccurrence;
  readonly sizes: ThingSizes;
  readonly oddImages: readonly OddImage[];
  readonly suspicious: SuspiciousLabels;
}

/** Lines named in a sentence. */
const NAMED = 3;

/** Where nothing else is said. */
const INPUT_SIZE = 224;

/** @param options.inputSize side of the model's input, pixels. */
export function surveyOf(
  manifest: Manifest,
  { inputSize = INPUT_SIZE }: { inputSize?: number } = {},
): SurveyPart<Survey> & { readonly inputSize: number } {
  const parts = {
    duplicates: nearDuplicates(),
    coOccurrence: coOccurrence(manifest),
    sizes: thingSizes(manifest, { inputSize }),
    oddImages: oddImages(),
    suspicious: suspiciousLabels(manifest),
  };
  return {
    inputSize,
    add(sample: SeenSample) {
      for (const part of Object.values(parts)) part.add(sample);
    },
    result: () => ({
      inputSize,
      duplicates: parts.duplicates.result(),
      coOccurrence: parts.coOccurrence.result(),
      sizes: parts.sizes.result(),
      oddImages: parts.oddImages.result(),
      suspicious: parts.suspicious.result(),
    }),
  };
}

/** The strongest findings as warnings: images in several splits, and what always comes together. */
export function surveyWarnings({ duplicates, coOccurrence }: Survey): string[] {
  const { pairs, acrossCount } = duplicates;
  const across = pairs.filter(({ first, second }) => first.split !== second.split).slice(0, NAMED);
  const examples = across.map(({ first, second }) => `${first.line} and ${second.line}`).join(", ");
  const more = acrossCount > 2 * NAMED ? ", ..." : "";
  const leak =
    `${acrossCount} images look the same as one in another split (lines ${examples}${more}): ` +
    "results will look better than they are. Keep such images in one split.";
  return [...(acrossCount > 0 ? [leak] : []), ...coOccurrence.together];
}
