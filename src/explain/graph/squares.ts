/** How aspects look in the source layer, and the answer with a square of other features in it. */

import * as tf from "@tensorflow/tfjs";
import type { TensorFunction } from "../../engine/engine.js";
import { answer, type Model } from "../../model/model.js";
import { resizeBilinear } from "../../ops/resize-bilinear.js";
import { TINY } from "../../ops/tiny.js";
import { explanationOutputs } from "./explain-function.js";
import { layersFrom } from "./explained-layer.js";
import { explanationSteps } from "./steps.js";

/** Where an aspect is put, one after the other, as shares of height and width; the answer at most of them counts. */
export const PLACES = [
  [0.25, 0.25],
  [0.25, 0.75],
  [0.5, 0.5],
  [0.75, 0.25],
  [0.75, 0.75],
] as const;

/** What is put in, and how large. */
export interface Square {
  /** One number a channel of the source layer. */
  readonly features: Float32Array;
  /** In cells. */
  readonly side: number;
}

/** Outputs of `prototypeFunction`. */
export const featuresPort = (name: string) => `${name}/features`;
export const cellsPort = (name: string) => `${name}/cells`;

/**
 * What `explainFunction` gives, and of each aspect the mean of the source layer's features `[batch, channels]` and how
 * many cells it covers `[batch, 1]`, both weighed by its evidence for being there: `(sum w)^2 / sum w^2` of n equal
 * weights is n.
 */
export function prototypeFunction(model: Model): TensorFunction {
  return (given) =>
    tf.tidy(() => {
      const steps = explanationSteps(model, given);
      const outputs = explanationOutputs(model, steps);
      const source = model.trunk.run(given.constants, { input: given.inputs.image as tf.Tensor4D }, [
        model.spec.source,
      ]);
      const features = source[model.spec.source];
      const [, height, width] = features.shape;
      for (const [name, { evidence }] of Object.entries(steps.aspects)) {
        const parts = evidence.map((one) => resizeBilinear(tf.relu(tf.sum(one, 3, true)), [height, width]));
        const weights = parts.reduce((a, b) => tf.add(a, b)); // [batch, height, width, 1]
        const total = tf.sum(weights, [1, 2]); // [batch, 1]
        outputs[featuresPort(name)] = tf.div(tf.sum(tf.mul(features, weights), [1, 2]), tf.maximum(total, TINY));
        outputs[cellsPort(name)] = tf.div(tf.square(total), tf.maximum(tf.sum(tf.square(weights), [1, 2]), TINY));
      }
      return { outputs };
    });
}

/** `logits` `[1, squares * places, classes]`: the answers of one image with each square at each place. */
export function squaresFunction(model: Model, squares: readonly Square[]): TensorFunction {
  const { trunk, classifier, spec } = model;
  const { taps } = classifier.spec;
  return ({ inputs, constants }) =>
    tf.tidy(() => {
      const image = inputs.image as tf.Tensor4D;
      const features = trunk.run(constants, { input: image }, [spec.source])[spec.source];
      const changed = squares.flatMap((square) => PLACES.map((place) => placed(features, square, place)));
      const layers = layersFrom(model, spec.source, tf.concat(changed, 0), { constants, image, to: taps });
      const logits = answer(classifier, constants, layers);
      return { outputs: { logits: tf.reshape(logits, [1, changed.length, -1]) } };
    });
}

/** The features with a square of others in them, as far as it fits. */
function placed(
  features: tf.Tensor4D,
  { features: other, side }: Square,
  [down, right]: readonly [number, number],
): tf.Tensor4D {
  const [, height, width, channels] = features.shape;
  const start = (share: number, length: number) =>
    Math.min(Math.max(0, length - side), Math.max(0, Math.round(share * length - side / 2)));
  const [top, left] = [start(down, height), start(right, width)];
  const mask = Float32Array.from({ length: height * width }, (_, cell) => {
    const [row, column] = [Math.floor(cell / width) - top, (cell % width) - left];
    return Number(row >= 0 && row < side && column >= 0 && column < side);
  });
  const isInside = tf.tensor4d(mask, [1, height, width, 1]);
  const square = tf.mul(isInside, tf.tensor4d(other, [1, 1, 1, channels]));
  return tf.add(tf.mul(features, tf.sub(1, isInside)), square);
}
