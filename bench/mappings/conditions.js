/** The models that `run.js` trains, and which two of them each mapping connects. */

import { ON_PHOTOGRAPHS, ON_TISSUE } from "../faithfulness/conditions.js";

const BY_V2 = {
  ...ON_PHOTOGRAPHS,
  trunk: { weights: "data/weights/mobilenet_v2_0.35_224_notop_f32", inputSize: 128 },
  source: "block_13_expand",
};
/**
 * @typedef {object} Trained a model that is trained alone.
 * @property {string} data of `data/`.
 * @property {"class" | "aspects"} learns all but these is left out.
 * @property {Readonly<Record<string, unknown>>} config
 */

/** Classifiers learn from the images of `bench/faithfulness`, aspects from others of the same kind. @type {Readonly<Record<string, Trained>>} */
export const MODELS = {
  cat: { data: "composites/cat", learns: "class", config: ON_PHOTOGRAPHS },
  cell: { data: "composites/cell", learns: "class", config: ON_PHOTOGRAPHS },
  striped: { data: "composites/striped", learns: "class", config: ON_PHOTOGRAPHS },
  red: { data: "composites/red", learns: "class", config: ON_PHOTOGRAPHS },
  tissue: { data: "tissue/mitosis-or-necrosis", learns: "class", config: ON_TISSUE },
  objects: { data: "composites-of-aspects/cat-and-cell", learns: "aspects", config: ON_PHOTOGRAPHS },
  attributes: { data: "composites-of-aspects/striped", learns: "aspects", config: ON_PHOTOGRAPHS },
  "objects-v2": { data: "composites-of-aspects/cat-and-cell", learns: "aspects", config: BY_V2 },
  "attributes-v2": { data: "composites-of-aspects/striped", learns: "aspects", config: BY_V2 },
  "tissue-aspects": { data: "tissue/of-aspects", learns: "aspects", config: ON_TISSUE },
};

/** Stripes and red occur on pets alone, so a pet is evidence of them. */
const WITH_PET = { unranked: ["pet"] };

/**
 * @typedef {object} Condition
 * @property {string} name
 * @property {string} classifier of `MODELS`.
 * @property {string} aspects of `MODELS`.
 * @property {readonly string[]} [unranked] aspects that are neither cause nor distractor.
 * @property {string} [shared] of `bench/faithfulness`: the same classes and aspects on one trunk.
 * @property {"linear" | "unet" | "image"} [kind]
 */

/** @type {readonly Condition[]} */
export const CONDITIONS = [
  { name: "cat", classifier: "cat", aspects: "objects", shared: "cat" },
  { name: "cell", classifier: "cell", aspects: "objects", shared: "cell" },
  { name: "striped", classifier: "striped", aspects: "attributes", shared: "striped", ...WITH_PET },
  { name: "red", classifier: "red", aspects: "attributes", shared: "red", ...WITH_PET },
  { name: "tissue", classifier: "tissue", aspects: "tissue-aspects", shared: "mitosis-or-necrosis" },
  { name: "cat, to v2", classifier: "cat", aspects: "objects-v2", shared: "cat-v2" },
  { name: "striped, to v2", classifier: "striped", aspects: "attributes-v2", ...WITH_PET },
  { name: "cell, by a U-Net", classifier: "cell", aspects: "objects", kind: "unet" },
  { name: "striped, by a U-Net", classifier: "striped", aspects: "attributes", kind: "unet", ...WITH_PET },
  { name: "tissue, by a U-Net", classifier: "tissue", aspects: "tissue-aspects", kind: "unet" },
  { name: "cat, by the image", classifier: "cat", aspects: "objects", kind: "image" },
  { name: "striped, by the image", classifier: "striped", aspects: "attributes", kind: "image", ...WITH_PET },
  { name: "tissue, by the image", classifier: "tissue", aspects: "tissue-aspects", kind: "image" },
];
