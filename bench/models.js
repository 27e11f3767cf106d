/** The models and inputs that are measured: a trunk with a classifier and segmentation heads, on random inputs. */

import { createModel, initialize, ndArray } from "aspectlens";
import { random } from "../examples/support/random.js";

/** The layer that the heads read, and the last one, which the classifier reads. */
const LAYERS = {
  "mobilenet-v1": ["conv_pw_11", "conv_pw_13"],
  "mobilenet-v2": ["block_13_expand", "Conv_1"],
  vgg16: ["block5_conv3", "block5_pool"],
};

/**
 * @param {{ trunk?: keyof typeof LAYERS, alpha: number, inputSize: number, classes: number, masks: number, threshold?: number }} options
 *   `masks` default segmentation heads.
 */
export function networkOf({ trunk = "mobilenet-v1", alpha, inputSize, classes, masks, threshold = 0.5 }) {
  const [source, last] = LAYERS[trunk];
  /** @type {import("aspectlens").HeadSpec[]} */
  const heads = [
    {
      name: "class",
      kind: "classifier",
      task: "single",
      taps: [last],
      pooling: "generalized-mean",
      classes: Array.from({ length: classes }, (_, index) => `class ${index}`),
    },
  ];
  for (let i = 0; i < masks; i++) heads.push({ name: `aspect ${i}`, kind: "segmentation", taps: [source], threshold });
  return createModel({ trunk: { name: trunk, alpha, inputSize }, source, heads });
}

/**
 * Fresh parameters of trunk and heads.
 *
 * @param {import("aspectlens").Model} model
 * @param {{ isFolded: boolean }} options
 */
export function freshParameters({ trunk, headParameters }, { isFolded }) {
  return initialize([...(isFolded ? trunk.foldedParameters : trunk.parameters), ...headParameters], { seed: 7 });
}

/**
 * Standard normal numbers.
 *
 * @param {readonly number[]} shape
 * @param {string} key
 */
export function normal(shape, key) {
  const { next } = random("bench", key);
  // Box and Muller 1958; 1 - next() is never 0.
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  return filled(shape, normal);
}

/**
 * Numbers 0..255.
 *
 * @param {readonly number[]} shape
 */
export function pixels(shape) {
  const stream = random("bench", "pixels");
  return filled(shape, () => stream.integer(256));
}

/**
 * @param {readonly number[]} shape
 * @param {() => number} draw
 */
function filled(shape, draw) {
  const array = ndArray(shape);
  for (let i = 0; i < array.data.length; i++) array.data[i] = draw();
  return array;
}
