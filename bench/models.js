/** The models and inputs that are measured: MobileNetV1 with a classifier and segmentation heads, on drawn numbers. */

import { createModel, initialize, ndArray, random, sizeOf } from "./built.js";

const SOURCE = "conv_pw_11";

/**
 * @param {{ alpha: number, inputSize: number, classes: number, masks: number }} options `masks` default segmentation heads.
 */
export function mobileNet({ alpha, inputSize, classes, masks }) {
  /** @type {import("../src/heads/head.js").HeadSpec[]} */
  const heads = [
    {
      name: "class",
      kind: "classifier",
      task: "single",
      taps: ["conv_pw_13"],
      classes: Array.from({ length: classes }, (_, index) => `class ${index}`),
    },
  ];
  for (let i = 0; i < masks; i++)
    heads.push({ name: `aspect ${i}`, kind: "segmentation", taps: [SOURCE], threshold: 0.5 });
  return createModel({ trunk: { name: "mobilenet-v1", alpha, inputSize }, source: SOURCE, heads });
}

/**
 * Fresh parameters of trunk and heads.
 *
 * @param {import("../src/model.js").Model} model
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
  const stream = random(7, "bench", key);
  return ndArray(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => stream.normal()),
  );
}

/**
 * Numbers 0..255.
 *
 * @param {readonly number[]} shape
 */
export function pixels(shape) {
  const stream = random(7, "bench", "pixels");
  return ndArray(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => stream.integer(256)),
  );
}
