/** Score-CAM: a filter weighs what is left of the answer when its own map masks the input; no gradients. */

import * as tf from "@tensorflow/tfjs";
import { TINY } from "../../../ops/tiny.js";
import { resampleMap } from "./resample-map.js";
import { type SaliencyLayers, type SaliencyMethod, weighElements } from "./saliency.js";

/** Filters run in one batch; more would hold more features at a time than they save. */
const AT_ONCE = 32;

/**
 * Wang et al. 2020 (arXiv:1910.01279), algorithm 1: each filter's map, scaled to 0..1, masks the input. How much the
 * target then exceeds that of no input is the filter's weight, after a softmax over the filters. Departures: the mask
 * fades to the reference, not to black, and the reference is the "no input"; the target is the score before the softmax
 * over classes. At an inner layer the "input" is that layer's features, and only what follows it is run; at the image
 * it is the paper's.
 */
export const scoreCam: SaliencyMethod = (layers) => {
  const { weighed } = layers;
  const [batch, , , channels] = weighed.features.shape;
  const rises: tf.Tensor2D[] = [];
  for (let from = 0; from < channels; from += AT_ONCE) {
    rises.push(risesOf(layers, { from, count: Math.min(AT_ONCE, channels - from) }));
  }
  const weights = tf.softmax(tf.transpose(tf.concat(rises, 0))); // [batch, channels]
  return weighElements(tf.reshape(weights, [batch, 1, 1, channels]), weighed);
};

/** How much the target under each filter's mask exceeds that of the reference, `[count, batch]`. */
function risesOf(layers: SaliencyLayers, { from, count }: { from: number; count: number }): tf.Tensor2D {
  const { masked, weighed } = layers;
  const [batch, height, width] = weighed.features.shape;
  const some = tf.slice(weighed.features, [0, 0, 0, from], [batch, height, width, count]);
  const low = tf.min(some, [1, 2], true);
  const range = tf.maximum(tf.sub(tf.max(some, [1, 2], true), low), TINY);
  const scaled = tf.div(tf.sub(some, low), range) as tf.Tensor4D; // [batch, height, width, count]
  const maps = tf.split(resampleMap(scaled, layers), count, 3) as tf.Tensor4D[];
  const faded = maps.map((map) => tf.add(masked.reference, tf.mul(map, masked.difference)) as tf.Tensor4D);
  const reference = tf.sub(masked.features, masked.difference) as tf.Tensor4D;
  const values = masked.valueAt(tf.concat([...faded, reference], 0)); // [(count + 1) * batch]
  const rows = tf.reshape(values, [count + 1, batch]);
  return tf.sub(tf.slice(rows, [0, 0], [count, batch]), tf.slice(rows, [count, 0], [1, batch]));
}
