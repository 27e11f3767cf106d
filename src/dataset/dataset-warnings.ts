/** Warnings about a dataset as a whole: empty splits, and heads and classes that cannot be learned from it. */

import type { DatasetSummary } from "./dataset-summary.js";
import type { Manifest } from "./manifest.js";
import { SPLITS } from "./record.js";

/** Warnings as sentences: empty splits, then the results of `unlearnable` and `unjudgeable`. */
export function datasetWarnings(manifest: Manifest, summary: DatasetSummary): string[] {
  const empty = SPLITS.filter((split) => summary.samples[split] === 0).map((split) => `split "${split}" is empty.`);
  return [...empty, ...unlearnable(manifest, summary).map(({ message }) => message), ...unjudgeable(manifest, summary)];
}

/** Classes without a training sample, and heads whose labels are missing or always empty in training samples. */
export function unlearnable(
  { classes, aspects }: Manifest,
  { samples, heads, classes: counts }: DatasetSummary,
): { readonly head: string; readonly message: string }[] {
  const found: { head: string; message: string }[] = [];
  for (const name of classes) {
    const { train, validation, test } = counts[name];
    const about = (message: string) => found.push({ head: "class", message: `class "${name}" ${message}` });
    if (train + validation + test === 0) about("is never used. Remove it, or check the labels.");
    else if (train === 0 && samples.train > 0) about("has no training sample; it cannot be learned.");
  }
  if (samples.train === 0) return found;
  for (const head of ["class", ...aspects.map(({ name }) => name)]) {
    const { labelled, empty } = heads[head].states.train;
    const what = head === "class" ? "the classifier" : `aspect "${head}"`;
    if (labelled + empty === 0)
      found.push({ head, message: `${what} is labelled in no training sample; it cannot be learned.` });
    else if (labelled === 0)
      found.push({ head, message: `${what} is empty in every labelled training sample; it cannot be learned.` });
  }
  return found;
}

/** Classes and aspects without a positive sample in a split, beside training, that has labelled samples for them. */
function unjudgeable({ aspects }: Manifest, { heads, classes }: DatasetSummary): string[] {
  return (["validation", "test"] as const).flatMap((split) => {
    const means = split === "validation" ? "its score and threshold there mean nothing" : "it cannot be judged there";
    const ofHead = (name: string) => heads[name].states[split];
    const labelled = ofHead("class").labelled + ofHead("class").empty;
    const missing = [
      ...Object.entries(classes)
        .filter(([, { train, validation, test }]) => labelled > 0 && train + validation + test > 0)
        .flatMap(([name, counts]) => (counts[split] === 0 ? [{ what: `class "${name}"`, count: labelled }] : [])),
      ...aspects.flatMap(({ name }) => {
        const { labelled, empty } = ofHead(name);
        return labelled === 0 && empty > 0 ? [{ what: `aspect "${name}"`, count: empty }] : [];
      }),
    ];
    return missing.map(({ what, count }) => `${what} is in no ${split} sample, of ${count} labelled for it; ${means}.`);
  });
}
