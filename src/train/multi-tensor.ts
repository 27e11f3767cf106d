/** Runs one elementwise update over several parameters at once, as one long vector. */

import * as tf from "@tensorflow/tfjs";

/**
 * A step has over a hundred biases and scales, and a dozen operators on each of them cost more to start than to
 * compute.
 *
 * @param parts tensors of one shape a part, under the same keys in every part; at least one part.
 * @param update elementwise: from vectors to vectors of the same length, by key.
 * @returns what `update` returns, one record a part, in the part's shape; the caller disposes them.
 */
export function multiTensor<Given extends string, Made extends string>(
  parts: readonly Readonly<Record<Given, tf.Tensor>>[],
  update: (joined: Readonly<Record<Given, tf.Tensor>>) => Readonly<Record<Made, tf.Tensor>>,
): Record<Made, tf.Tensor>[] {
  const keys = Object.keys(parts[0]) as Given[];
  const shapes = parts.map((part) => part[keys[0]].shape);
  const sizes = parts.map((part) => part[keys[0]].size);
  return tf.tidy(() => {
    const joined = Object.fromEntries(
      keys.map((key) => [key, tf.concat(parts.map((part) => tf.reshape(part[key], [-1])))]), // [sum of sizes]
    );
    const made = Object.entries<tf.Tensor>(update(joined as Record<Given, tf.Tensor>));
    const slices = made.map(([key, whole]) => ({ key, split: tf.split(whole, sizes) }));
    return shapes.map((shape, index) =>
      Object.fromEntries(slices.map(({ key, split }) => [key, tf.reshape(split[index], shape)])),
    ) as Record<string, tf.Tensor>[];
  }) as Record<Made, tf.Tensor>[];
}
