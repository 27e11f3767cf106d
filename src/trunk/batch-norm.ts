/** Batch normalisation that is not folded: with moving statistics, or with those of the batch. */

import * as tf from "@tensorflow/tfjs";
import { BATCH_NORM_EPSILON } from "./layer-parameters.js";

/** Statistics of a batch and their running means, `[channels]` each. */
export interface Normalised {
  readonly output: tf.Tensor4D;
  readonly movingMean: tf.Tensor;
  readonly movingVariance: tf.Tensor;
}

interface Parameters {
  readonly gamma: tf.Tensor;
  readonly beta: tf.Tensor;
  readonly movingMean: tf.Tensor;
  readonly movingVariance: tf.Tensor;
}

/**
 * Moving statistics as the scale and bias they amount to, so that the scale can go into the kernel: a product of
 * parameters is cheaper than one of features.
 *
 * @returns `[channels]` each; the caller disposes them.
 */
export function movingScaleAndBias({ gamma, beta, movingMean, movingVariance }: Parameters) {
  const scale = tf.mul(gamma, tf.rsqrt(tf.add(movingVariance, BATCH_NORM_EPSILON)));
  return { scale, bias: tf.sub(beta, tf.mul(movingMean, scale)) };
}

/**
 * Normalises by the batch (Ioffe and Szegedy 2015, algorithm 1, arXiv:1502.03167). Variances are means of squared
 * differences, also in the moving one, where some frameworks divide by one less.
 *
 * @param x `[batch, h, w, channels]`.
 * @returns output of the same shape and the new moving statistics; the caller disposes them.
 */
export function normaliseByBatch(
  x: tf.Tensor4D,
  { gamma, beta, movingMean, movingVariance }: Parameters,
  { momentum }: { momentum: number },
): Normalised {
  return tf.tidy(() => {
    const mean = tf.mean(x, [0, 1, 2]); // [channels]
    // Not E[x^2] - E[x]^2, which loses all digits where the mean is far from zero.
    const centred = tf.sub(x, mean);
    const variance = tf.mean(tf.square(centred), [0, 1, 2]); // [channels]
    const blend = (moving: tf.Tensor, now: tf.Tensor) => tf.add(tf.mul(moving, momentum), tf.mul(now, 1 - momentum));
    return {
      output: affine(x, gamma, beta, centred, variance),
      movingMean: blend(movingMean, mean),
      movingVariance: blend(movingVariance, variance),
    };
  });
}

/**
 * `gamma * centred / sqrt(variance + epsilon) + beta` with its gradient written out (equations of section 3 of the same
 * paper, simplified): fewer passes over the features than what differentiation makes of the forward formula.
 */
function affine(x: tf.Tensor4D, gamma: tf.Tensor, beta: tf.Tensor, centred: tf.Tensor, variance: tf.Tensor) {
  const apply = tf.customGrad((_x, gammaIn, betaIn, save) => {
    const gamma = gammaIn as tf.Tensor; // customGrad types its last argument, `save`, into all of them
    const inverse = tf.rsqrt(tf.add(variance, BATCH_NORM_EPSILON)); // [channels]
    const scale = tf.mul(inverse, gamma); // [channels]
    (save as tf.GradSaveFunc)([centred, inverse, scale]);
    const value = tf.add(tf.mul(centred, scale), betaIn as tf.Tensor);
    const count = centred.size / gamma.size;
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [centred, inverse, scale] = saved;
      const betaGradient = tf.sum(dy, [0, 1, 2]); // [channels]
      const gammaGradient = tf.mul(tf.sum(tf.mul(dy, centred), [0, 1, 2]), inverse); // [channels]
      // dx = scale (dy - mean(dy) - centred * slope), as one factor a channel for each of dy and centred.
      const slope = tf.mul(tf.mul(gammaGradient, inverse), -1 / count); // [channels]
      const shift = tf.mul(tf.mul(betaGradient, scale), -1 / count); // [channels]
      const free = tf.add(tf.mul(centred, tf.mul(slope, scale)), shift);
      return [tf.add(tf.mul(dy, scale), free), gammaGradient, betaGradient];
    };
    return { value, gradFunc };
  });
  return apply(x, gamma, beta) as tf.Tensor4D;
}
