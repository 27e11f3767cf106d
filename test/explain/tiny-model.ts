/** A narrow MobileNet with heads of every kind and random weights, small enough to explain eagerly in a test. */

import * as tf from "@tensorflow/tfjs";
import { type NdArrays, ndArray } from "../../src/core/nd-array.js";
import { initialize } from "../../src/core/parameters.js";
import { random } from "../../src/core/random.js";
import type { Tensors } from "../../src/engine/engine.js";
import type { AspectSpec, ClassifierSpec } from "../../src/heads/head-spec.js";
import { createModel, type Model } from "../../src/model/model.js";
import { randomWeights } from "../../src/trunk/random-weights.js";

export const SOURCE = "conv_pw_11";
export const CLASSES = ["a", "b", "c"];

/** Thresholds near what random weights answer, so that regions are neither empty nor everything. */
export const ASPECTS: readonly AspectSpec[] = [
  { kind: "segmentation", name: "spot", taps: [SOURCE], threshold: 0.5 },
  { kind: "boxes", name: "thing", taps: [SOURCE], threshold: 0.1 },
  { kind: "presence", name: "tag", taps: [SOURCE], threshold: 0.5 },
  { kind: "amount", form: "map", name: "share", taps: [SOURCE], threshold: 0.3 },
];

export function tinyModel({
  aspects = ASPECTS,
  classifier = {},
  inputSize = 32,
}: {
  aspects?: readonly AspectSpec[];
  classifier?: Partial<ClassifierSpec>;
  inputSize?: number;
} = {}): Model {
  return createModel({
    trunk: { name: "mobilenet-v1", alpha: 0.25, inputSize },
    source: SOURCE,
    heads: [
      { kind: "classifier", name: "class", taps: ["conv_pw_13"], task: "single", classes: CLASSES, ...classifier },
      ...aspects,
    ],
  });
}

/**
 * Folded parameters; heads twice as loud as fresh ones, so that their answers differ from place to place, and biases
 * that keep dead channels off the bend of their relu, where finite differences mean nothing.
 */
export function tinyParameters(model: Model, { seed = 3 } = {}): NdArrays {
  const heads = Object.entries(initialize(model.headParameters, { seed })).map(([name, { shape, data }]) => [
    name,
    ndArray(shape, name.endsWith("kernel") ? Float32Array.from(data, (value) => 2 * value) : Float32Array.from(data)),
  ]);
  const stream = random(seed, "bias");
  const trunk = Object.entries(randomWeights(model.trunk, { seed, isFolded: true })).map(([name, { shape, data }]) => [
    name,
    ndArray(
      shape,
      name.endsWith("bias") ? Float32Array.from(data, () => stream.uniform(-0.1, 0.2)) : Float32Array.from(data),
    ),
  ]);
  return { ...Object.fromEntries(trunk), ...Object.fromEntries(heads) };
}

/** A table of references for every tap, small positive numbers as after a relu. */
export function tinyReferences(
  model: Model,
  { taps = model.trunk.taps.map(({ name }) => name) }: { taps?: readonly string[] } = {},
): NdArrays {
  const rows = model.classifier.spec.classes.length + 1;
  return Object.fromEntries(
    taps.map((name) => {
      const channels = model.trunk.taps.find((tap) => tap.name === name)?.channels ?? 0;
      const stream = random(5, "reference", name);
      return [
        name,
        ndArray(
          [rows, channels],
          Float32Array.from({ length: rows * channels }, () => stream.uniform(0, 0.3)),
        ),
      ];
    }),
  );
}

/** `[count, size, size, 3]`, 0..255. */
export function tinyImages(count: number, { size = 32, seed = 1 } = {}) {
  const stream = random(seed, "image");
  return Float32Array.from(
    { length: count * size * size * 3 },
    (_, i) => 127 + 100 * Math.sin(i / 50) + stream.uniform(-20, 20),
  );
}

export function toTensors(arrays: NdArrays): Tensors {
  return Object.fromEntries(
    Object.entries(arrays).map(([name, { shape, data }]) => [name, tf.tensor(data, [...shape])]),
  );
}

export function toArrays(tensors: Tensors): NdArrays {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [
      name,
      { shape: tensor.shape, data: tensor.dataSync() as Float32Array },
    ]),
  );
}
