/**
 * What every variant of the definition needs of an image: sums over channels at each place, as one graph. The variants
 * are computed from them in `variants.js`.
 */

import * as tf from "@tensorflow/tfjs";
import { explanationOutputs, explanationSteps } from "../internals.js";

/** @import { Model, TensorFunction } from "aspectlens" */

/** Where between reference (0) and features (1) the gradient of the target is taken; the mean of several. */
export const POINTS = /** @type {const} */ ({
  f: [1],
  half: [0.5],
  both: [1, 0.5],
  four: [0.125, 0.375, 0.625, 0.875],
});

/** @typedef {keyof typeof POINTS} PointsName */

/**
 * `explainFunction`'s outputs, and for each layer, points and with or without N (`N` or `-`):
 *
 * - `sums/<layer>/<points>/<N>` `[batch, h, w, 4]`: of c the sum, the sum of |c|, of c^2, and the net before N;
 * - `products/<aspect>/<layer>/<points>/<N>` `[batch, h, w, 2]`: of `d p` and of `c p`;
 * - `gram/<layer>` `[batch, h, w, n (n + 1) / 2]`: of `p_a p_b`, in the order (0, 0), (0, 1), ..., (1, 1), ...
 *
 * @param {Model} model
 * @returns {TensorFunction}
 */
export function variantSums(model) {
  return (given) =>
    tf.tidy(() => {
      const steps = explanationSteps(model, given);
      /** @type {Record<string, tf.Tensor>} */
      const outputs = explanationOutputs(model, steps);
      for (const [layer, { reference, difference }] of Object.entries(steps.taps)) {
        const readers = Object.entries(steps.aspects).filter(([, { taps }]) => taps.includes(layer));
        const evidences = readers.map(([, { taps, evidence }]) => evidence[taps.indexOf(layer)]);
        const pairs = evidences.flatMap((a, index) => evidences.slice(index).map((b) => tf.sum(tf.mul(a, b), 3, true)));
        if (pairs.length > 0) outputs[`gram/${layer}`] = pairs.length > 1 ? tf.concat(pairs, 3) : pairs[0];
        for (const [name, points] of Object.entries(POINTS)) {
          const gradients = points.map((point) => {
            const at = tf.add(reference, tf.mul(difference, point));
            return tf.grad((x) => tf.sum(steps.targetAt({ [layer]: /** @type {tf.Tensor4D} */ (x) })))(at);
          });
          const product = tf.mul(tf.div(tf.addN(gradients), points.length), difference);
          const net = tf.sum(product, 3, true);
          const gross = tf.maximum(tf.sum(tf.relu(product), 3, true), 1e-30);
          for (const [mark, c] of /** @type {const} */ ([
            ["-", product],
            ["N", tf.mul(product, tf.div(tf.relu(net), gross))],
          ])) {
            const sizes = [tf.sum(c, 3, true), tf.sum(tf.abs(c), 3, true), tf.sum(tf.square(c), 3, true), net];
            outputs[`sums/${layer}/${name}/${mark}`] = tf.concat(sizes, 3);
            const d = tf.div(c, tf.sqrt(tf.maximum(tf.abs(c), 1e-30)));
            for (const [index, [aspect]] of readers.entries()) {
              const p = evidences[index];
              const both = [tf.sum(tf.mul(d, p), 3, true), tf.sum(tf.mul(c, p), 3, true)];
              outputs[`products/${aspect}/${layer}/${name}/${mark}`] = tf.concat(both, 3);
            }
          }
        }
      }
      return { outputs };
    });
}
