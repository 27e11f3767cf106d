/**
 * Turns Tiny ImageNet into a dataset for pre-training: its own validation images become the test split, ten training
 * images of each class the validation split.
 */

import { existsSync } from "node:fs";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { extract, requireArchives, unpackWeights } from "../support/archives.js";
import { countSplits, writeDataset } from "../support/dataset.js";

/** Of the 500 training images of a class; they are in no order, so the first will do. */
const HELD_OUT = 10;
const ARCHIVE = "tiny_imagenet_200_trainval_full";
/** The teacher, and what `probes.js` measures beside it. */
const WEIGHTS = ["mobilenet_v2_0.35_224_notop_f32", "mobilenet_v2_1.0_224_imagenet_u8"];

const parent = process.argv[2] ?? "data";
const folder = join(parent, "tiny_imagenet_200");
requireArchives([ARCHIVE, "weights_mobilenet_tfjs"]);
await mkdir(parent, { recursive: true });
for (const weights of WEIGHTS) await unpackWeights(weights, { root: parent });
if (!existsSync(join(folder, "classes.json"))) extract(ARCHIVE, { into: parent });

/** @type {{ wnid: string, name: string }[]} */
const classes = JSON.parse(await readFile(join(folder, "classes.json"), "utf8"));
const samples = [];
for (const { wnid } of classes) {
  const images = (await readdir(join(folder, "train", wnid, "images"))).sort();
  for (const [index, image] of images.entries()) {
    const split = /** @type {"train" | "validation"} */ (index < HELD_OUT ? "validation" : "train");
    samples.push({ image: `train/${wnid}/images/${image}`, split, label: wnid, aspects: {} });
  }
}
const annotations = await readFile(join(folder, "val", "val_annotations.txt"), "utf8");
for (const line of annotations.trim().split("\n")) {
  const [image, wnid] = line.split("\t");
  samples.push({ image: `val/images/${image}`, split: /** @type {"test"} */ ("test"), label: wnid, aspects: {} });
}
const wnids = classes.map(({ wnid }) => wnid);
await writeDataset(folder, { name: "tiny-imagenet", classes: wnids, aspects: [] }, samples);
console.log(`${folder}: ${countSplits(samples)}; weights in ${join(dirname(folder), "weights")}`);
