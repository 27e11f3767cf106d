/** Writes the two files that make a folder of images a dataset (`aspectlens-dataset/1`). */

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** @typedef {readonly [yMin: number, xMin: number, yMax: number, xMax: number]} Box of the upright image, 0..1 */

/**
 * @typedef {object} AspectRecord absent: unlabelled; `null` or `[]`: labelled as absent
 * @property {string | null} [mask]
 * @property {readonly number[]} [values]
 * @property {readonly number[]} [ignore]
 * @property {boolean} [present]
 * @property {readonly Box[]} [boxes]
 */

/**
 * @typedef {object} SampleRecord
 * @property {string} image
 * @property {"train" | "validation" | "test"} split
 * @property {string} label
 * @property {Readonly<Record<string, string>>} [groups]
 * @property {Readonly<Record<string, AspectRecord>>} aspects
 */

/**
 * @typedef {object} Manifest
 * @property {string} name
 * @property {readonly string[]} classes
 * @property {readonly { name: string, kind: "segmentation" | "boxes" | "presence" }[]} aspects
 * @property {Readonly<Record<string, readonly string[]>>} [causes]
 * @property {boolean} [allowLinks] whether links of the dataset may lead out of its folder.
 */

/**
 * @param {string} folder created if it does not exist.
 * @param {Manifest} manifest
 * @param {readonly SampleRecord[]} samples
 */
export async function writeDataset(folder, manifest, samples) {
  await mkdir(folder, { recursive: true });
  const { name, classes, aspects, causes, allowLinks } = manifest;
  const file = {
    format: "aspectlens-dataset/1",
    name,
    task: "single",
    classes,
    samples: "samples.jsonl",
    aspects,
    causes,
    allowLinks,
  };
  await writeFile(join(folder, "samples.jsonl"), samples.map((sample) => `${JSON.stringify(sample)}\n`).join(""));
  await writeFile(join(folder, "dataset.json"), `${JSON.stringify(file, null, 2)}\n`);
}

/**
 * @param {readonly SampleRecord[]} samples
 * @returns {string} like `train 255, validation 45, test 298`.
 */
export function countSplits(samples) {
  const splits = /** @type {const} */ (["train", "validation", "test"]);
  return splits.map((split) => `${split} ${samples.filter((sample) => sample.split === split).length}`).join(", ");
}
