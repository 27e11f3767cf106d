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

interface Part {
  readonly parameter: tf.Tensor;
  readonly gradient: tf.Tensor;
  readonly first: tf.Tensor;
  readonly second: tf.Tensor;
}

/**
 * The same update of several parameters, as one long vector: a step has over a hundred biases and scales, and thirteen
 * operators on each of them cost more to start than to compute.
 *
 * @returns one result a part, in order, with the numbers that `adam` gives; the caller disposes them.
 */
export function adamTogether(parts: readonly Part[], { rate }: { rate: tf.Tensor }): ReturnType<typeof adam>[] {
  return tf.tidy(() => {
    const joined = (what: keyof Part) => tf.concat(parts.map((part) => tf.reshape(part[what], [-1])));
    const options = { first: joined("first"), second: joined("second"), rate };
    const { parameter, first, second } = adam(joined("parameter"), joined("gradient"), options);
    const pieces = [parameter, first, second].map((whole) =>
      tf.split(
        whole,
        parts.map((part) => part.parameter.size),
      ),
    );
    return parts.map((part, index) => {
      const [parameter, first, second] = pieces.map((all) => tf.reshape(all[index], part.parameter.shape));
      return { parameter, first, second };
    });
  });
}
