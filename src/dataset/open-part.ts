/** Opens a part of a dataset: one fold of a cross-validation, some of the images, or those that teach some heads. */

import { evenly } from "../core/evenly.js";
import { ownValue } from "../core/own-value.js";
import { type Dataset, openDataset, records, type Splits } from "./dataset.js";
import { type Fold, foldSplits } from "./folds.js";
import { annotationState, type Split } from "./record.js";

/** Most images of a split; all where it is absent. */
export type ImageLimits = Readonly<Partial<Record<"train" | "validation", number>>>;

/**
 * @param options.fold by default the splits are those that the samples name.
 * @param options.images of each split so many, taken evenly in the order of the file.
 * @returns with the hash of the whole dataset; of a fold's with its splits, since models of other folds learned from
 *   what this one is measured on.
 * @throws DatasetError as `openDataset` and `foldSplits` do.
 */
export async function openPart(
  directory: string,
  { fold, images, seed }: { fold?: Fold; images?: ImageLimits; seed: number },
): Promise<Dataset> {
  const whole = await openDataset(directory);
  if (!fold && !images) return whole;
  const splits = fold ? await foldSplits(whole, fold, { seed }) : await namedSplits(whole);
  const all = fold ? await openDataset(directory, { splits }) : whole;
  if (!images) return all;
  const some = await openDataset(directory, { splits: limited(splits, images) });
  return { ...some, hash: all.hash, whole: all.summary.samples };
}

async function namedSplits(dataset: Dataset): Promise<Splits> {
  const splits: Split[] = [];
  for await (const { split } of records(dataset)) splits.push(split);
  return splits;
}

function limited(splits: Splits, images: ImageLimits): Splits {
  const kept = [...splits];
  for (const [split, most] of Object.entries(images)) {
    const places = [...splits.keys()].filter((place) => splits[place] === split);
    const chosen = new Set(evenly(places.length, most).map((index) => places[index]));
    for (const place of places) if (!chosen.has(place)) kept[place] = undefined;
  }
  return kept;
}

/**
 * The training and validation images that are annotated for any of these aspects, and all test images: what heads learn
 * from that are added to a finished model. All images where no training image is annotated.
 *
 * @returns with the hash of the dataset that was given.
 */
export async function annotatedPart(dataset: Dataset, aspects: readonly string[]): Promise<Dataset> {
  const taught = dataset.manifest.aspects.filter(({ name }) => aspects.includes(name));
  const splits = [...(dataset.splits ?? (await namedSplits(dataset)))];
  const places = [...splits.keys()].filter((place) => splits[place] !== undefined);
  let count = 0;
  let at = 0;
  for await (const { split, aspects: annotated } of records(dataset)) {
    const place = places[at++];
    const isTaught = taught.some(({ name, kind }) => annotationState(ownValue(annotated, name), kind) !== "unlabelled");
    if (split === "train" && isTaught) count++;
    if (split !== "test" && !isTaught) splits[place] = undefined;
  }
  if (count === 0) return dataset;
  return { ...(await openDataset(dataset.directory, { splits })), hash: dataset.hash };
}
