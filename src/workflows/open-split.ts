/** Opens the split of a dataset on which a model is to be measured, once it is sure that the two fit. */

import { ConfigError } from "../core/errors.js";
import { type Dataset, openDataset, splitSize } from "../dataset/dataset.js";
import { SPLITS, type Split } from "../dataset/record.js";
import type { ClassifierSpec } from "../heads/head-spec.js";
import type { ModelSpec } from "../model/model-spec.js";
import { oneOf } from "../train/config-values.js";

/**
 * @param cure what to do where the split is empty, a sentence.
 * @throws ConfigError where there is no such split, or it is empty, or of another task or other classes than the model.
 */
export async function openSplit(
  directory: string,
  { split, spec, cure }: { split: Split; spec: ModelSpec; cure: string },
): Promise<{ dataset: Dataset; count: number }> {
  oneOf(split, SPLITS, "split");
  const dataset = await openDataset(directory);
  const count = splitSize(dataset, split);
  if (count === 0) throw new ConfigError(`${directory}: has no sample with "split": "${split}".`, { cure });
  const [classifier] = spec.heads.filter((head) => head.kind === "classifier");
  checkFit(classifier, dataset, split);
  return { dataset, count };
}

/**
 * A dataset of another task would not be measured at all, one of other classes as all wrong, without a word.
 *
 * @throws ConfigError where it is of another task, or of other classes.
 */
export function checkFit(
  { task, classes }: ClassifierSpec,
  { manifest, summary, directory }: Dataset,
  split: Split,
): void {
  if (task !== manifest.task) {
    throw new ConfigError(`${directory}: its task is "${manifest.task}", the model's is "${task}".`, {
      cure: "Give the dataset that fits.",
    });
  }
  const unknown = manifest.classes.filter((name) => !classes.includes(name) && summary.classes[name][split] > 0);
  if (unknown.length === 0) return;
  throw new ConfigError(
    `${directory}: ${unknown.map((name) => `"${name}"`).join(", ")} in split "${split}" ` +
      `is none of the model's classes (${classes.join(", ")}).`,
    { cure: "Give the dataset that fits." },
  );
}
