/** The classifiers that are fine-tuned in PyTorch, and how many annotated images each gets its aspects from. */

/**
 * @typedef {object} Condition
 * @property {string} name of the rows, and argument of `run.js`.
 * @property {"mobilenet_v2" | "resnet18"} network of `bench/peer/fine_tune.py`.
 * @property {string} data of `examples/composites/make.js`.
 * @property {readonly string[]} options of `fine_tune.py`.
 * @property {readonly string[]} [unranked] aspects that are neither cause nor distractor.
 */

/** Stripes occur on pets alone, so a pet is evidence of them. */
const WITH_PET = { unranked: ["pet"] };

/** @type {readonly Condition[]} */
export const CONDITIONS = [
  { name: "mobilenet-v2-cat", network: "mobilenet_v2", data: "cat", options: [] },
  { name: "mobilenet-v2-striped", network: "mobilenet_v2", data: "striped", options: [], ...WITH_PET },
  { name: "resnet18-cell", network: "resnet18", data: "cell", options: ["--epochs", "3"] },
];

/** Annotated training images, of 5,000. */
export const COUNTS = [100, 30, 10];

/** A classifier that is wrong more often has no known causes. */
export const LEAST_ACCURACY = 0.8;
