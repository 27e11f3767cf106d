/** Adam as pure tensor operations, so that it is traced into the training step (Kingma & Ba 2015, arXiv:1412.6980). */

import * as tf from "@tensorflow/tfjs";

export const BETA_1 = 0.9;
export const BETA_2 = 0.999;
const EPSILON = 1e-7;

/** Factor that turns a learning rate into Adam's bias-corrected one; `step` counts from 0. */
export function biasCorrection(step: number): number {
  return Math.sqrt(1 - BETA_2 ** (step + 1)) / (1 - BETA_1 ** (step + 1));
}

/**
 * One update, in the form after section 2 of the paper: the bias correction lies in the rate.
 *
 * @param rate scalar, learning rate times `biasCorrection(step)`.
 * @returns new parameter, first and second moment, of the parameter's shape; the caller disposes them.
 */
export function adam(
  parameter: tf.Tensor,
  gradient: tf.Tensor,
  { first, second, rate }: { first: tf.Tensor; second: tf.Tensor; rate: tf.Tensor },
): { parameter: tf.Tensor; first: tf.Tensor; second: tf.Tensor } {
  const newFirst = tf.add(tf.mul(first, BETA_1), tf.mul(gradient, 1 - BETA_1));
  const newSecond = tf.add(tf.mul(second, BETA_2), tf.mul(tf.square(gradient), 1 - BETA_2));
  const step = tf.div(newFirst, tf.add(tf.sqrt(newSecond), EPSILON));
  return { parameter: tf.sub(parameter, tf.mul(step, rate)), first: newFirst, second: newSecond };
}
