/**
 * Where a head sees its aspect, as tensors inside a graph: which of its logits are summed as an aspect's evidence, or
 * as an inner target. What an explanation says of the place, on plain arrays, is `regionsOf` in
 * explain/reading/regions.ts.
 */

import * as tf from "@tensorflow/tfjs";
import { logit } from "../core/logistic.js";
import { heatOf } from "./boxes.js";
import type { Head } from "./head.js";
import type { AspectSpec } from "./head-spec.js";

/**
 * The logits that say "the aspect is here": the heat channel of a boxes head, the whole answer of the others.
 *
 * @param logits `[batch, ...outputShape]`.
 * @returns `[batch, S, S, 1]`, `[batch, h, w, 1]` or `[batch, 1]`; the caller disposes it.
 */
export function evidenceLogit({ spec }: Head<AspectSpec>, logits: tf.Tensor): tf.Tensor {
  switch (spec.kind) {
    case "boxes":
      return heatOf(logits);
    case "segmentation":
    case "presence":
    case "amount":
      return logits.clone();
  }
}

/**
 * The region R of an unmasked answer, 0 and 1: pixels that reach the head's threshold; centre cells of boxes; all 0 if
 * there are none. The one number of a presence or an amount is always in it, below the threshold too, so that such an
 * aspect has a gradient in any case; the reading drops what is not seen. R itself has no gradient.
 *
 * @param logits `[batch, ...outputShape]`, unmasked.
 * @returns of the shape of `evidenceLogit`; the caller disposes it.
 */
export function region({ spec }: Head<AspectSpec>, logits: tf.Tensor): tf.Tensor {
  return tf.tidy((): tf.Tensor => {
    switch (spec.kind) {
      case "boxes":
        return peaks(logits, { threshold: spec.threshold });
      case "segmentation":
        return reaches(logits, spec.threshold);
      case "presence":
        return tf.onesLike(logits);
      case "amount":
        return spec.form === "map" ? reaches(logits, spec.threshold) : tf.onesLike(logits);
    }
  });
}

/**
 * The centre cells of a boxes head: heat that is the largest of its 3x3 neighbourhood and reaches the threshold, before
 * any suppression; the same cells as `peakCells`.
 *
 * @param logits `[batch, h, w, 5]`.
 * @returns `[batch, h, w, 1]` of 0 and 1; the caller disposes it.
 */
export function peaks(logits: tf.Tensor, { threshold }: { threshold: number }): tf.Tensor4D {
  return tf.tidy(() => {
    const heat = heatOf(logits);
    const isLargest = tf.cast(tf.greaterEqual(heat, tf.maxPool(heat, 3, 1, "same")), "float32");
    return tf.mul(isLargest, reaches(heat, threshold));
  });
}

/** 1 where the sigmoid reaches the threshold; compared before the sigmoid, so that no rounding tells engines apart. */
function reaches(logits: tf.Tensor, threshold: number): tf.Tensor {
  return tf.cast(tf.greaterEqual(logits, logit(threshold)), "float32");
}
