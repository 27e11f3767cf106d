/** The models of the table: their data, starting weights, and known causes. */

/**
 * @typedef {object} Condition
 * @property {string} name
 * @property {"photographs" | "tissue" | "trunks and layers" | "shortcut"} family
 * @property {string} data below `data/`; composites are made by `examples/composites/make.js`, tissue by
 *   `aspectlens data synth`.
 * @property {readonly string[]} [synth] options of `data synth`.
 * @property {Readonly<Record<string, unknown>>} config of `train`, without `dataset` and `out`.
 * @property {readonly string[]} [unranked] aspects that are neither cause nor distractor.
 * @property {string} [twin] the condition of the paired model, listed before, on the same images with another cause.
 * @property {boolean} [hasAllMethods] whether the other methods are measured on it too: hours in all, so not
 *   everywhere.
 */

export const ON_PHOTOGRAPHS = {
  batchSize: 20,
  trunk: { weights: "data/weights/mobilenet_v1_0.25_128_imagenet_u8" },
  source: "conv_pw_11",
  stages: [{ train: "all", epochs: 8, learningRate: 0.002, trunkLearningRate: 0.0004, batchNorm: "frozen" }],
  augment: { flip: true, crop: 0.1, colour: 0.2 },
};
export const ON_TISSUE = {
  batchSize: 8,
  trunk: { inputSize: 128 },
  source: "conv_pw_5",
  stages: [{ train: "all", epochs: 6, batchNorm: "batch", learningRate: 0.003 }],
};
const TISSUE_COUNT = ["--count", "4000"];
/**
 * Stripes and red occur on pets alone, so a pet head rightly uses them as evidence of a pet, which is then not a
 * distractor.
 */
const WITH_PET = { unranked: ["pet"] };
/** Cellularity is how many nuclei there are: a classifier that goes by nuclei goes by it too. */
const WITH_CELLULARITY = { unranked: ["cellularity"] };
const ALL_METHODS = { hasAllMethods: true };

/** @type {readonly Condition[]} */
export const CONDITIONS = [
  photographs("cat"),
  photographs("cell", { twin: "cat" }),
  photographs("cat-or-cell", ALL_METHODS),
  photographs("cat-and-cell"),
  photographs("dog-without-head"),
  photographs("striped", WITH_PET),
  photographs("red", { ...WITH_PET, twin: "striped" }),
  photographs("striped-alone", ALL_METHODS),
  photographs("red-alone", { twin: "striped-alone" }),
  tissue("mitosis-or-necrosis", ["mitosis", "necrosis"], ALL_METHODS),
  tissue("nucleus-or-vessel", ["nucleus", "vessel"], { ...ALL_METHODS, ...WITH_CELLULARITY }),
  tissue("lymphocyte", ["lymphocyte"]),
  shortcut("shortcut", "0.95"),
  shortcut("always-tagged", "1"),
  shortcut("no-shortcut", "0.5"),
  layers("cat-frozen", { stages: [{ train: "heads", epochs: 12, learningRate: 0.002 }] }),
  layers("cat-early", { source: "conv_pw_5" }),
  layers("cat-late", { source: "conv_pw_13" }, ALL_METHODS),
  layers("cat-v2", {
    trunk: { weights: "data/weights/mobilenet_v2_0.35_224_notop_f32", inputSize: 128 },
    source: "block_13_expand",
  }),
  tissue("lymphocyte-vgg", ["lymphocyte"], {
    family: "trunks and layers",
    data: "tissue/lymphocyte",
    config: {
      ...ON_TISSUE,
      trunk: { name: "vgg16", alpha: 0.125, inputSize: 128, weights: "random" },
      source: "block4_conv3",
      // At 0.001 its accuracy is equal, but it hardly detects necrosis, and its causes are relevant in half of the
      // images.
      stages: [{ train: "all", epochs: 8, learningRate: 0.0003 }],
    },
  }),
];

/**
 * @param {string} name @param {Partial<Condition>} [more]
 * @returns {Condition}
 */
function photographs(name, more = {}) {
  return { name, family: "photographs", data: `composites/${name}`, config: ON_PHOTOGRAPHS, ...more };
}

/**
 * @param {string} name @param {Readonly<Record<string, unknown>>} config @param {Partial<Condition>} [more]
 * @returns {Condition}
 */
function layers(name, config, more = {}) {
  return photographs(name, {
    ...more,
    family: "trunks and layers",
    data: "composites/cat",
    config: { ...ON_PHOTOGRAPHS, ...config },
  });
}

/**
 * @param {string} name @param {readonly string[]} causes @param {Partial<Condition>} [more]
 * @returns {Condition}
 */
function tissue(name, causes, more = {}) {
  const synth = [...TISSUE_COUNT, "--causes", causes.join(",")];
  return { name, family: "tissue", data: `tissue/${name}`, synth, config: ON_TISSUE, ...more };
}

/**
 * @param {string} name @param {string} correlation of the scanner's tag with the class.
 * @returns {Condition}
 */
function shortcut(name, correlation) {
  const synth = [...TISSUE_COUNT, "--causes", "mitosis", "--tag-correlation", correlation];
  return { name, family: "shortcut", data: `tissue/${name}`, synth, config: ON_TISSUE };
}
