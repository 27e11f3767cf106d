/** Score-CAM: a filter weighs what its own map, laid over the network's input, leaves of the answer; no gradients. */

import * as tf from "@tensorflow/tfjs";
import { TINY } from "../../../ops/tiny.js";
import { enlarge } from "./enlarge.js";
import { type SaliencyMethod, type SaliencyPlace, weighed } from "./saliency.js";

/** Filters run in one batch; more would hold more features at a time than they save. */
const AT_ONCE = 32;

/**
 * Wang et al. 2020 (arXiv:1910.01279), algorithm 1: each filter's map, scaled to 0..1, masks the input; the target's rise over that of
 * no input, through a softmax over the filters, is its weight. Departures: the mask fades to the reference, not to black, and
 * the reference is the "no input"; the target is the score before the softmax over classes. At a layer behind the image the
 * "input" is that layer's features and the classifier's second part is run alone; at the image it is the paper's.
 */
export const scoreCam: SaliencyMethod = (place) => {
  const { of } = place;
  const [batch, , , channels] = of.features.shape;
  const rises: tf.Tensor2D[] = [];
  for (let from = 0; from < channels; from += AT_ONCE) {
    rises.push(risesOf(place, { from, count: Math.min(AT_ONCE, channels - from) }));
  }
  const weights = tf.softmax(tf.transpose(tf.concat(rises, 0))); // [batch, channels]
  return weighed(tf.reshape(weights, [batch, 1, 1, channels]), of);
};

/** The target's rise over the reference's under each of some filters, `[count, batch]`. */
function risesOf(place: SaliencyPlace, { from, count }: { from: number; count: number }): tf.Tensor2D {
  const { at, of } = place;
  const [batch, height, width] = of.features.shape;
  const some = tf.slice(of.features, [0, 0, 0, from], [batch, height, width, count]);
  const low = tf.min(some, [1, 2], true);
  const range = tf.maximum(tf.sub(tf.max(some, [1, 2], true), low), TINY);
  const scaled = tf.div(tf.sub(some, low), range) as tf.Tensor4D; // [batch, height, width, count]
  const maps = tf.split(enlarge(scaled, place), count, 3) as tf.Tensor4D[];
  const masked = maps.map((map) => tf.add(at.reference, tf.mul(map, at.difference)) as tf.Tensor4D);
  const nothing = tf.sub(at.features, at.difference) as tf.Tensor4D;
  const values = at.valueAt(tf.concat([...masked, nothing], 0)); // [(count + 1) * batch]
  const rows = tf.reshape(values, [count + 1, batch]);
  return tf.sub(tf.slice(rows, [0, 0], [count, batch]), tf.slice(rows, [count, 0], [1, batch]));
}
