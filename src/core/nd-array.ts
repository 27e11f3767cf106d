/**
 * The one shape in which numbers cross from engine to files, readings and callers: a flat typed array and its shape.
 */

/** Row-major numbers; `data.length` is the product of `shape` (1 for a scalar, `[]`). */
export interface NdArray {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

/** Numbers by name: parameters, engine inputs and outputs. */
export type NdArrays = Readonly<Record<string, NdArray>>;

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/** A float array of the given shape, zeros unless `data` is given. */
export function ndArray(shape: readonly number[], data = new Float32Array(sizeOf(shape))): NdArray {
  return { shape, data };
}

/** The `index`-th row of every array, its first dimension kept as 1; views, not copies. */
export function imageOutputs(outputs: NdArrays, index: number): NdArrays {
  return Object.fromEntries(Object.entries(outputs).map(([name, array]) => [name, row(array, index)]));
}

function row({ shape, data }: NdArray, index: number): NdArray {
  const length = data.length / shape[0];
  return { shape: [1, ...shape.slice(1)], data: data.subarray(index * length, (index + 1) * length) };
}
