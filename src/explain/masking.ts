/** How saliency becomes a mask, and how a mask fades features towards the reference. */

import * as tf from "@tensorflow/tfjs";
import type { MaskingName } from "./explanation.js";
import { quantile } from "./quantile.js";

/** Keeps 0 / 0 at 0; far below any quantile that means something. */
const TINY = 1e-30;

/** `threshold` keeps the tenth of the places where the map is highest. */
const THRESHOLD_QUANTILE = 0.9;

/**
 * @param saliency `weights` `[batch, 1, 1, channels]` and `map` `[batch, height, width, 1]` (zero or more).
 * @returns 0..1, broadcastable to `[batch, height, width, channels]`: `filter-weights` `clip(w / p95(|w|), 0, 1)`;
 *   `multiply` `clip(L / p99(L), 0, 1)`; `both` the square root of their product; `threshold` 1 where L lies above its
 *   90 % quantile. The caller disposes it.
 */
export function maskOf(
  { weights, map }: { weights: tf.Tensor4D; map: tf.Tensor4D },
  { masking = "filter-weights" }: { masking?: MaskingName } = {},
): tf.Tensor4D {
  return tf.tidy(() => {
    const perImage = (x: tf.Tensor4D) => tf.reshape(x, [x.shape[0], -1]) as tf.Tensor2D;
    const scaled = (x: tf.Tensor4D, scale: tf.Tensor2D) =>
      tf.clipByValue(tf.div(x, tf.reshape(tf.maximum(scale, TINY), [-1, 1, 1, 1])), 0, 1) as tf.Tensor4D;
    const byFilter = () => scaled(weights, quantile(perImage(tf.abs(weights)), 0.95));
    const byPlace = () => scaled(map, quantile(perImage(map), 0.99));
    if (masking === "filter-weights") return byFilter();
    if (masking === "multiply") return byPlace();
    if (masking === "both") return tf.sqrt(tf.mul(byFilter(), byPlace()));
    const limit = tf.reshape(quantile(perImage(map), THRESHOLD_QUANTILE), [-1, 1, 1, 1]);
    return tf.cast(tf.greater(map, limit), "float32");
  });
}

/**
 * `r + M (f - r)`: what the mask leaves stays, the rest fades to the typical representation.
 *
 * @param difference `[batch, height, width, channels]`, features minus reference.
 * @returns `[batch, height, width, channels]`; the caller disposes it.
 */
export function fade(
  difference: tf.Tensor4D,
  { mask, reference }: { mask: tf.Tensor4D; reference: tf.Tensor4D },
): tf.Tensor4D {
  return tf.tidy(() => tf.add(reference, tf.mul(mask, difference)));
}
