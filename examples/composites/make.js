/**
 * Draws two sets of composites and labels each by several rules: datasets whose causes are known because we chose them.
 */

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

/**
 * What makes an image "with", and what is labelled in it. A cause that is not an aspect of the dataset has no head.
 *
 * @typedef {object} Rule
 * @property {string} name
 * @property {readonly string[]} things any of which, or all of which, must be there.
 * @property {boolean} [needsAll]
 * @property {readonly string[]} [aspects] all of the set's without it.
 */

const SIZE = 128;
const SETS = [
  {
    name: "objects",
    draw: drawObjects,
    values: OBJECT_VALUES,
    rules: [
      { name: "cat", things: ["cat"] },
      { name: "cell", things: ["cell"] },
      { name: "cat-or-cell", things: ["cat", "cell"] },
      { name: "cat-and-cell", things: ["cat", "cell"], needsAll: true },
      { name: "dog-without-head", things: ["dog"], aspects: ["cat", "cell"] },
    ],
  },
  {
    name: "attributes",
    draw: drawAttributes,
    values: ATTRIBUTE_VALUES,
    rules: [
      { name: "striped", things: ["striped"] },
      { name: "red", things: ["red"] },
      { name: "striped-alone", things: ["striped"], aspects: ["striped", "red"] },
      { name: "red-alone", things: ["red"], aspects: ["striped", "red"] },
    ],
  },
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
for (const name of ["mobilenet_v1_0.25_128_imagenet_u8", "mobilenet_v2_0.35_224_notop_f32"])
  await unpackWeights(name, { root: join(folder, "..") });
const material = await withArchives(archives, (unpacked) => loadMaterial(unpacked, { size: SIZE, seed }));
for (const { name, draw, values, rules } of SETS) {
  const drawn = await drawSet(join(folder, name), { name, material, counts, seed, draw });
  for (const rule of rules) await labelSet(name, drawn, { rule, values });
}

/**
 * One dataset. Images and masks are links to the drawn ones.
 *
 * @param {string} set
 * @param {readonly DrawnSample[]} drawn
 * @param {{ rule: Rule, values: Readonly<Record<string, readonly number[]>> }} options
 */
async function labelSet(set, drawn, { rule, values }) {
  const { name, things, needsAll = false, aspects: names = Object.keys(values) } = rule;
  const target = join(folder, name);
  await mkdir(target, { recursive: true });
  for (const part of ["images", "masks"]) {
    await rm(join(target, part), { recursive: true, force: true });
    // A junction is a folder link that Windows lets every user make; elsewhere the word means nothing.
    await symlink(resolve(folder, set, part), join(target, part), "junction");
  }
  const samples = drawn.map(({ image, mask, split, boxes }) => {
    const there = things.filter((thing) => boxes[thing].length > 0);
    const annotated = names.map((aspect) => {
      const isThere = boxes[aspect].length > 0;
      return [aspect, isThere ? { mask, values: values[aspect], boxes: boxes[aspect] } : { mask: null, boxes: [] }];
    });
    const isWith = needsAll ? there.length === things.length : there.length > 0;
    return { image, split, label: isWith ? "with" : "without", aspects: Object.fromEntries(annotated) };
  });
  const aspects = names.map((aspect) => ({ name: aspect, kind: /** @type {const} */ ("segmentation") }));
  const causes = { with: things.filter((thing) => names.includes(thing)) };
  const manifest = { name: `composites-${name}`, classes: ["without", "with"], aspects, causes, allowLinks: true };
  await writeDataset(target, manifest, samples);
  const share = samples.filter((sample) => sample.label === "with").length / samples.length;
  console.log(`${target}: ${countSplits(samples)}; ${Math.round(100 * share)} % with`);
}
