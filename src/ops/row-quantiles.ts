/** A quantile of each row of a tensor, computed by selection, so that it can be traced. */

import * as tf from "@tensorflow/tfjs";

/**
 * Linear interpolation between order statistics, like NumPy's default: position `q * (n - 1)` in ascending order.
 *
 * @param values `[batch, n]`.
 * @param q 0..1; high quantiles are cheap, since only the values from there up are selected.
 * @returns `[batch, 1]`; the caller disposes it.
 */
export function rowQuantiles(values: tf.Tensor2D, q: number): tf.Tensor2D {
  return tf.tidy(() => {
    const [batch, count] = values.shape;
    const position = q * (count - 1);
    const below = Math.floor(position);
    const kept = count - below;
    const { values: top } = tf.topk(values, kept, true); // [batch, kept], descending
    const low = tf.slice(top as tf.Tensor2D, [0, kept - 1], [batch, 1]);
    const share = position - below;
    if (share === 0) return low;
    const high = tf.slice(top as tf.Tensor2D, [0, kept - 2], [batch, 1]);
    return tf.add(tf.mul(low, 1 - share), tf.mul(high, share));
  });
}
