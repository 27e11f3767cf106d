/** Draws two sets of composites and labels each by two rules: four datasets whose causes are known, because we chose them. */

import { mkdir, rm, symlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { requireArchives, unpackWeights, withArchives } from "../support/archives.js";
import { countSplits, writeDataset } from "../support/dataset.js";
import { ATTRIBUTE_VALUES, drawAttributes } from "./attributes.js";
import { loadMaterial } from "./cut-outs.js";
import { drawSet } from "./drawing.js";
import { drawObjects, OBJECT_VALUES } from "./objects.js";

/** @typedef {import("./drawing.js").DrawnSample} DrawnSample */

const SIZE = 128;
const SETS = [
  { name: "objects", draw: drawObjects, values: OBJECT_VALUES, rules: ["cat", "cell"] },
  { name: "attributes", draw: drawAttributes, values: ATTRIBUTE_VALUES, rules: ["striped", "red"] },
];

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    train: { type: "string", default: "5000" },
    validation: { type: "string", default: "600" },
    test: { type: "string", default: "700" },
    seed: { type: "string", default: "7" },
  },
});
const folder = positionals[0] ?? "data/composites";
const seed = Number(options.seed);
const counts = { train: Number(options.train), validation: Number(options.validation), test: Number(options.test) };

const archives = ["imagenet_sample_1000", "pets3", "wbc"];
requireArchives([...archives, "weights_mobilenet_tfjs"]);
await unpackWeights("mobilenet_v1_0.25_128_imagenet_u8", { root: join(folder, "..") });
const material = await withArchives(archives, (unpacked) => loadMaterial(unpacked, { size: SIZE, seed }));
for (const { name, draw, values, rules } of SETS) {
  const drawn = await drawSet(join(folder, name), { name, material, counts, seed, draw });
  for (const rule of rules) await labelSet(name, drawn, { rule, values });
}

/**
 * One dataset: "with" where the rule's aspect is in the image. Images and masks are links to the drawn ones.
 *
 * @param {string} set
 * @param {readonly DrawnSample[]} drawn
 * @param {{ rule: string, values: Readonly<Record<string, readonly number[]>> }} options
 */
async function labelSet(set, drawn, { rule, values }) {
  const target = join(folder, rule);
  await mkdir(target, { recursive: true });
  for (const part of ["images", "masks"]) {
    await rm(join(target, part), { recursive: true, force: true });
    // A junction is a folder link that Windows lets every user make; elsewhere the word means nothing.
    await symlink(resolve(folder, set, part), join(target, part), "junction");
  }
  const samples = drawn.map(({ image, mask, split, boxes }) => ({
    image,
    split,
    label: boxes[rule].length > 0 ? "with" : "without",
    aspects: Object.fromEntries(
      Object.keys(values).map((name) => {
        const isThere = boxes[name].length > 0;
        return [name, isThere ? { mask, values: values[name], boxes: boxes[name] } : { mask: null, boxes: [] }];
      }),
    ),
  }));
  const aspects = Object.keys(values).map((name) => ({ name, kind: /** @type {const} */ ("segmentation") }));
  const manifest = { name: `composites-${rule}`, classes: ["without", "with"], aspects, causes: { with: [rule] } };
  await writeDataset(target, manifest, samples);
  const share = samples.filter((sample) => sample.label === "with").length / samples.length;
  console.log(`${target}: ${countSplits(samples)}; ${Math.round(100 * share)} % with`);
}
