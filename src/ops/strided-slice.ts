/** A slice that takes every n-th element, with a gradient: TensorFlow.js' own has none. */

import * as tf from "@tensorflow/tfjs";

/** What is cut out of each axis. */
export interface StridedSlice {
  readonly begin: readonly number[];
  /** How many elements. */
  readonly size: readonly number[];
  readonly steps: readonly number[];
}

/**
 * Elements `begin + i * step`, for `i` from 0 up to `size`, of each axis. Axis by axis: runs of `step` elements as an
 * axis of their own, of which the first is kept.
 *
 * @returns `size`; the caller disposes it.
 */
export function stridedSlice<T extends tf.Tensor>(x: T, { begin, size, steps }: StridedSlice): T {
  return tf.tidy(() => {
    // Up to the last element, and as far beyond it as there are any.
    const whole = size.map((count, axis) => Math.min(count * steps[axis], x.shape[axis] - begin[axis]));
    let result: tf.Tensor = tf.slice(x, [...begin], whole);
    for (const [axis, step] of steps.entries()) {
      if (step === 1) continue;
      const { shape } = result;
      const lacking = size[axis] * step - shape[axis];
      const paddings = shape.map((_, at): [number, number] => [0, at === axis ? lacking : 0]);
      const full = lacking > 0 ? tf.pad(result, paddings) : result;
      const runs = tf.reshape(full, [...shape.slice(0, axis), size[axis], step, ...shape.slice(axis + 1)]);
      const first = runs.shape.map((count, at) => (at === axis + 1 ? 1 : count));
      const kept = tf.slice(
        runs,
        first.map(() => 0),
        first,
      );
      result = tf.reshape(kept, [...shape.slice(0, axis), size[axis], ...shape.slice(axis + 1)]);
    }
    return result as T;
  });
}
