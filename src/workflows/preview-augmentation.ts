/** Some training images as augmentation makes them, without training. */

import type { Sample } from "../core/annotation.js";
import { evenly } from "../core/evenly.js";
import { random } from "../core/random.js";
import { type Dataset, readRecord, splitSize } from "../dataset/dataset.js";
import { loadSample } from "../dataset/sample.js";
import { imageSizes } from "../model/model-spec.js";
import type { TrainConfig } from "../train/config.js";

const IMAGES = 5;
const VIEWS = 6;

/**
 * Images spread evenly over the training split; views are those of the first epochs of a run that augments.
 *
 * @returns of each image the plain view, then augmented ones.
 * @throws DatasetError where an image cannot be read.
 */
export async function previewAugmentation(
  dataset: Dataset,
  { trunk, augment, seed }: TrainConfig,
): Promise<Sample[][]> {
  const { inputSize, centerCrop } = imageSizes({ trunk });
  const rows: Sample[][] = [];
  for (const index of evenly(splitSize(dataset, "train"), IMAGES)) {
    const record = await readRecord(dataset, "train", index);
    const views = [await loadSample(dataset, record, { inputSize, centerCrop })];
    for (let epoch = 0; epoch < VIEWS; epoch++) {
      const own = random(seed, "augment", epoch, index);
      views.push(await loadSample(dataset, record, { inputSize, centerCrop, augment, random: own }));
    }
    rows.push(views);
  }
  return rows;
}
