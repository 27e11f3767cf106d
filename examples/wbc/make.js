/** Turns the first white-blood-cell set into a dataset: five kinds of cell, with nucleus and cytoplasm outlined. */

import { copyFile, mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { requireArchives, unpackWeights, withArchives } from "../support/archives.js";
import { countSplits, writeDataset } from "../support/dataset.js";
import { stratify } from "../support/stratify.js";

/**
 * @typedef {object} Cell
 * @property {string} image
 * @property {string} mask 0 background, 1 cytoplasm, 2 nucleus
 * @property {number} dataset 1 or 2: two stains, which differ too much to be mixed
 * @property {string} class
 */

const SEED = 7;
/** What rounding leaves over goes to `train`: the only basophil cannot be shared, and can at best be learnt. */
const SHARES = { test: 0.25, validation: 0.15, train: 0.6 };
const CLASSES = ["neutrophil", "lymphocyte", "monocyte", "eosinophil", "basophil"];

const folder = process.argv[2] ?? "data/wbc";
requireArchives(["wbc", "weights_mobilenet_tfjs"]);
await unpackWeights("mobilenet_v2_0.35_224_notop_f32", { root: dirname(folder) });
await withArchives(["wbc"], async (unpacked) => {
  const source = join(unpacked, "wbc");
  /** @type {{ items: Cell[] }} */
  const { items } = JSON.parse(await readFile(join(source, "index.json"), "utf8"));
  const cells = items.filter((item) => item.dataset === 1);
  const splits = stratify(cells, { classOf: (item) => item.class, shares: SHARES, seed: SEED });
  const samples = cells.map((cell) => ({
    image: cell.image,
    split: /** @type {"train" | "validation" | "test"} */ (splits.get(cell)),
    label: cell.class,
    aspects: { nucleus: { mask: cell.mask, values: [2] }, cytoplasm: { mask: cell.mask, values: [1] } },
  }));
  for (const part of ["images", "masks"]) await mkdir(join(folder, part), { recursive: true });
  for (const { image, mask } of cells) {
    for (const file of [image, mask]) await copyFile(join(source, file), join(folder, file));
  }
  await writeDataset(
    folder,
    {
      name: "wbc",
      classes: CLASSES,
      aspects: [
        { name: "nucleus", kind: "segmentation" },
        { name: "cytoplasm", kind: "segmentation" },
      ],
    },
    samples,
  );
  console.log(`${folder}: ${countSplits(samples)}`);
});
