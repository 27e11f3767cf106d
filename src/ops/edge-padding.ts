/** Padding by the image's own edge, repeated or reflected, with a gradient: that of TensorFlow.js' own is wrong. */

import * as tf from "@tensorflow/tfjs";

/**
 * `edge` repeats the first and last element; `reflect` goes back from them without repeating them, so that at most the
 * size of the axis less one can be padded.
 *
 * @param paddings before and after, of each axis.
 * @returns the padded tensor; the caller disposes it.
 */
export function padByEdge<T extends tf.Tensor>(
  x: T,
  paddings: readonly (readonly [number, number])[],
  mode: "edge" | "reflect",
): T {
  return tf.tidy(() => {
    let result: tf.Tensor = x;
    for (const [axis, [before, after]] of paddings.entries()) {
      if (before === 0 && after === 0) continue;
      const whole = result;
      const size = whole.shape[axis];
      const at = (index: number) =>
        tf.slice(
          whole,
          whole.shape.map((_, other) => (other === axis ? index : 0)),
          whole.shape.map((count, other) => (other === axis ? 1 : count)),
        );
      const first = Array.from({ length: before }, (_, index) => at(mode === "edge" ? 0 : before - index));
      const last = Array.from({ length: after }, (_, index) => at(mode === "edge" ? size - 1 : size - 2 - index));
      result = tf.concat([...first, whole, ...last], axis);
    }
    return result === x ? (tf.clone(x) as T) : (result as T);
  });
}
