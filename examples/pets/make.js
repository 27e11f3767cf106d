/**
 * Turns the Oxford-IIIT Pet subset into a dataset: three breeds, the pet's outline, and heads that half the photographs
 * mark. `node examples/pets/make.js FOLDER [void]`: with `void` the band along the outline is neither pet nor background.
 */

import { cp, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { requireArchives, unpackWeights, withArchives } from "../support/archives.js";
import { countSplits, writeDataset } from "../support/dataset.js";
import { stratify } from "../support/stratify.js";

/**
 * @typedef {object} Photograph
 * @property {string} image
 * @property {string} trimap
 * @property {string} class
 * @property {"trainval" | "test" | null} split
 * @property {readonly [width: number, height: number]} size
 * @property {readonly { box: readonly [number, number, number, number] }[]} [head_boxes] xMin, yMin, xMax, yMax in
 *   pixels
 */

const SEED = 7;
/**
 * Trimap: 1 pet, 2 background, 3 the band along the outline. The band is drawn some ten pixels wide over the outline of
 * the original; thin parts (ears, legs, tails) lie in it altogether, so that value 1 alone cuts them off.
 */
const BORDERS = { pet: { values: [1, 3] }, void: { values: [1], ignore: [3] } };

const [folder = "data/pets", border = "pet"] = process.argv.slice(2);
if (border !== "pet" && border !== "void") throw new Error(`the border is "pet" or "void", not ${border}`);
requireArchives(["pets3", "weights_mobilenet_tfjs"]);
await unpackWeights("mobilenet_v2_0.35_224_notop_f32", { root: dirname(folder) });
await withArchives(["pets3"], async (unpacked) => {
  const source = join(unpacked, "pets3");
  /** @type {Photograph[]} */
  const all = JSON.parse(await readFile(join(source, "index.json"), "utf8"));
  // Two photographs stand in neither of the set's own lists.
  const photographs = all.filter((photograph) => photograph.split !== null);
  const learning = photographs.filter((photograph) => photograph.split === "trainval");
  const splits = stratify(learning, {
    classOf: (item) => item.class,
    shares: { validation: 0.15, train: 0.85 },
    seed: SEED,
  });
  const samples = photographs.map((photograph) => ({
    image: photograph.image,
    split: /** @type {"train" | "validation" | "test"} */ (splits.get(photograph) ?? "test"),
    label: toLabel(photograph.class),
    aspects: { pet: { mask: photograph.trimap, ...BORDERS[border] }, ...headOf(photograph) },
  }));
  for (const part of ["images", "trimaps"]) await cp(join(source, part), join(folder, part), { recursive: true });
  await writeDataset(
    folder,
    {
      name: "pets",
      classes: [...new Set(samples.map((sample) => sample.label))].sort(),
      aspects: [
        { name: "pet", kind: "segmentation" },
        { name: "head", kind: "boxes" },
      ],
    },
    samples,
  );
  console.log(`${folder}: ${countSplits(samples)}`);
});

/** @param {string} name `american_bulldog` and `Bengal` alike become lower-case words. */
function toLabel(name) {
  return name.toLowerCase().replaceAll("_", " ");
}

/**
 * Photographs without a head box were not annotated; they do show a head, so the key is left out: unlabelled, not
 * empty.
 *
 * @param {Photograph} photograph
 * @returns {Record<string, import("../support/dataset.js").AspectRecord>}
 */
function headOf({ head_boxes: boxes = [], size: [width, height] }) {
  if (boxes.length === 0) return {};
  return {
    head: {
      boxes: boxes.map(
        ({ box: [xMin, yMin, xMax, yMax] }) =>
          /** @type {const} */ ([yMin / height, xMin / width, yMax / height, xMax / width]),
      ),
    },
  };
}
