/** How saliency becomes a mask, and how a mask fades features to the reference. */

import * as tf from "@tensorflow/tfjs";
import { rowQuantiles } from "../../ops/row-quantiles.js";
import { TINY } from "../../ops/tiny.js";
import type { MaskingName } from "../methods.js";

/** `threshold` keeps what lies above this share of the map's elements. */
const THRESHOLD_QUANTILE = 0.9;
/** `threshold-absolute` keeps what reaches this share of the map's maximum. */
const THRESHOLD_SHARE = 0.5;

/**
 * The mask M, 0..1, of each masking:
 *
 * - `filter-weights`: `clip(w / p95(|w|), 0, 1)`;
 * - `filter-weights-signed`: the same clipped to -1..1, so that what speaks against the target is negated;
 * - `multiply`: `L / max(L)`;
 * - `both`: the square root of the product of `filter-weights` and `multiply`;
 * - `threshold`: 1 where L lies above its 90 % quantile;
 * - `threshold-absolute`: 1 where L reaches half its maximum.
 *
 * @param saliency `weights` w, `[batch, 1, 1, channels]`, signed, for those maskings that read them, and `map` L,
 *   `[batch, height, width, 1 or channels]`, zero or more.
 * @returns broadcastable to `[batch, height, width, channels]`, all zeros without any saliency; the caller disposes it.
 */
export function maskOf(
  { weights, map }: { weights?: tf.Tensor4D; map: tf.Tensor4D },
  { masking }: { masking: MaskingName },
): tf.Tensor4D {
  return tf.tidy(() => {
    const perImage = (x: tf.Tensor4D) => tf.reshape(x, [x.shape[0], -1]) as tf.Tensor2D;
    const scaled = (x: tf.Tensor4D, scale: tf.Tensor) =>
      tf.div<tf.Tensor4D>(x, tf.reshape(tf.maximum(scale, TINY), [-1, 1, 1, 1]));
    const byFilter = (low: number) => {
      if (!weights) throw new RangeError(`masking "${masking}" needs filter weights`);
      return tf.clipByValue(scaled(weights, rowQuantiles(perImage(tf.abs(weights)), 0.95)), low, 1) as tf.Tensor4D;
    };
    const byMap = () => scaled(map, tf.max(perImage(map), 1));
    const steps = (condition: tf.Tensor) => tf.cast(condition, "float32") as tf.Tensor4D;
    switch (masking) {
      case "filter-weights":
        return byFilter(0);
      case "filter-weights-signed":
        return byFilter(-1);
      case "multiply":
        return byMap();
      case "both":
        return tf.sqrt(tf.mul(byFilter(0), byMap()));
      case "threshold":
        return steps(tf.greater(map, tf.reshape(rowQuantiles(perImage(map), THRESHOLD_QUANTILE), [-1, 1, 1, 1])));
      case "threshold-absolute":
        return steps(tf.greaterEqual(byMap(), THRESHOLD_SHARE));
    }
  });
}

/**
 * `r + M (f - r)`: what the mask leaves stays, the rest fades to the reference.
 *
 * @param difference `[batch, height, width, channels]`, features minus reference.
 * @returns `[batch, height, width, channels]`; the caller disposes it.
 */
export function applyMask(
  difference: tf.Tensor4D,
  { mask, reference }: { mask: tf.Tensor4D; reference: tf.Tensor4D },
): tf.Tensor4D {
  return tf.tidy(() => tf.add(reference, tf.mul(mask, difference)));
}
