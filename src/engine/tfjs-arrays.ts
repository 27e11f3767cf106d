/** Arrays as tensors of the eager engine's backend, and the ones that it holds from one call to the next. */

import * as tf from "@tensorflow/tfjs";
import type { NdArray, NdArrays } from "../core/nd-array.js";

/** Tensors by name: the constants of a function, or a state. */
export type Arrays = Map<string, tf.Tensor>;

export interface HeldArrays {
  /** Copies values to the backend; the result is held until it is released. */
  hold(values: NdArrays): Arrays;
  /** Puts new values in the place of those of the same names. */
  replace(arrays: Arrays, values: NdArrays): void;
  has(arrays: Arrays): boolean;
  release(arrays: Arrays): void;
  releaseAll(): void;
}

export function heldArrays(backend: string): HeldArrays {
  const held = new Set<Arrays>();
  const replace = (arrays: Arrays, values: NdArrays) =>
    onBackend(backend, () => {
      for (const [name, array] of Object.entries(values)) {
        arrays.get(name)?.dispose();
        arrays.set(name, tf.keep(toTensor(array)));
      }
    });
  const release = (arrays: Arrays) => {
    for (const tensor of arrays.values()) tensor.dispose();
    arrays.clear();
    held.delete(arrays);
  };
  return {
    hold(values) {
      const arrays: Arrays = new Map();
      held.add(arrays);
      replace(arrays, values);
      return arrays;
    },
    replace,
    has: (arrays) => held.has(arrays),
    release,
    releaseAll() {
      for (const arrays of held) release(arrays);
    },
  };
}

/** Runs synchronous work on a backend and restores the caller's. */
export function onBackend<Result>(backend: string, work: () => Result): Result {
  const before = tf.getBackend();
  if (before === backend) return work();
  // Both backends are ready, so the change takes effect before the promise is returned.
  void tf.setBackend(backend);
  try {
    return work();
  } finally {
    void tf.setBackend(before);
  }
}

export function toTensor({ shape, data }: NdArray): tf.Tensor {
  // The cpu backend keeps the array that it is given; the caller may write the next batch into it.
  return tf.tensor(data.slice(), [...shape]);
}

export function toArray(tensor: tf.Tensor): NdArray {
  const data = tensor.dataSync();
  if (data instanceof Float32Array || data instanceof Int32Array) return { shape: tensor.shape, data: data.slice() };
  return { shape: tensor.shape, data: Int32Array.from(data) };
}
