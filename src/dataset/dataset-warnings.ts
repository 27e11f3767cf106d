/** Warnings about a dataset as a whole: empty splits, and heads and classes that cannot be learned from it. */

import type { DatasetSummary } from "./dataset-summary.js";
import type { Manifest } from "./manifest.js";
import { SPLITS } from "./record.js";

/** Fewer validation labels say little of a head. */
export const FEW_JUDGES = 10;

/** A sentence about a head. */
interface HeadWarning {
  readonly head: string;
  readonly message: string;
}

/** Warnings as sentences: empty splits, then the results of `unlearnable`, `unjudged` and `unjudgeable`. */
export function datasetWarnings(manifest: Manifest, summary: DatasetSummary): string[] {
  const empty = SPLITS.filter((split) => summary.samples[split] === 0).map((split) => `split "${split}" is empty.`);
  const ofHeads = [...unlearnable(manifest, summary), ...unjudged(summary)].map(({ message }) => message);
  return [...empty, ...ofHeads, ...unjudgeable(manifest, summary)];
}

/** Heads that are labelled in training samples and in no validation sample, where there are some. */
export function unjudged({ samples, heads }: DatasetSummary): HeadWarning[] {
  if (samples.validation === 0) return [];
  return Object.entries(heads).flatMap(
    ([
      head,
      {
        states: { train, validation },
      },
    ]) => {
      if (train.labelled + train.empty === 0 || validation.labelled + validation.empty > 0) return [];
      const message =
        `${nameOf(head)} is labelled in no validation sample; ` +
        "neither the best epoch nor its threshold can be chosen for it.";
      return [{ head, message }];
    },
  );
}

/**
 * One sentence that names the heads which less than ten validation samples judge.
 *
 * @param names the heads in question.
 * @param options.areAdded to a finished model: of them such samples choose no epoch.
 */
export function fewJudges(
  { heads }: DatasetSummary,
  names: readonly string[],
  { areAdded = false }: { areAdded?: boolean } = {},
): string[] {
  const few = names.filter((name) => {
    const { labelled, empty } = heads[name].states.validation;
    return labelled + empty > 0 && labelled + empty < FEW_JUDGES;
  });
  if (few.length === 0) return [];
  const said = few.map((name) => `"${name}"`).join(", ");
  const chance = areAdded ? "score and threshold" : "best epoch, score and threshold";
  return [`fewer than ${FEW_JUDGES} validation images are labelled for ${said}: ${chance} are left to chance.`];
}

function nameOf(head: string): string {
  return head === "class" ? "the classifier" : `aspect "${head}"`;
}

/** Classes without a training sample, and heads whose labels are missing or always empty in training samples. */
export function unlearnable(
  { classes, aspects }: Manifest,
  { samples, heads, classes: counts }: DatasetSummary,
): HeadWarning[] {
  const found: HeadWarning[] = [];
  for (const name of classes) {
    const { train, validation, test } = counts[name];
    const about = (message: string) => found.push({ head: "class", message: `class "${name}" ${message}` });
    if (train + validation + test === 0) about("is never used. Remove it, or check the labels.");
    else if (train === 0 && samples.train > 0) about("has no training sample; it cannot be learned.");
  }
  if (samples.train === 0) return found;
  for (const head of ["class", ...aspects.map(({ name }) => name)]) {
    const { labelled, empty } = heads[head].states.train;
    const what = nameOf(head);
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
