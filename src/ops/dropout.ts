/**
 * Dropout whose mask is computed from a seed given as a tensor, so that it can be traced and a resumed run repeats it.
 */

import * as tf from "@tensorflow/tfjs";
import { uniform } from "./seeded-uniform.js";

/** Options of dropout in one training step. */
export interface Dropout {
  /** Share of the elements that are dropped, in [0, 1). */
  readonly rate: number;
  /** Scalar, see `uniform`; different in each step. */
  readonly seed: tf.Tensor;
}

/**
 * Sets elements to zero and divides the others by `1 - rate`, so that the expectation does not change (Srivastava et
 * al. 2014, in the "inverted" form, which needs no change at evaluation).
 *
 * @param x of any shape with at most 2039^2 elements.
 * @returns the same shape, differentiable in `x`; the caller disposes it.
 * @throws ShapeError where there are more elements.
 */
export function dropout<Rank extends tf.Tensor>(x: Rank, { rate, seed }: Dropout): Rank {
  return tf.tidy(() => {
    const isKept = tf.greaterEqual(uniform(x.shape, seed), rate);
    return tf.mul(x, tf.mul(tf.cast(isKept, "float32"), 1 / (1 - rate))) as Rank;
  });
}
