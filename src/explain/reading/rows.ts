/** Takes one image's outputs out of those of a batch. */

import type { NdArray, NdArrays } from "../../core/nd-array.js";

/** The `index`-th row of every array, its first dimension kept as 1; views, not copies. */
export function imageOutputs(outputs: NdArrays, index: number): NdArrays {
  return Object.fromEntries(Object.entries(outputs).map(([name, array]) => [name, row(array, index)]));
}

function row({ shape, data }: NdArray, index: number): NdArray {
  const length = data.length / shape[0];
  return { shape: [1, ...shape.slice(1)], data: data.subarray(index * length, (index + 1) * length) };
}
