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

/** The same numbers with axis `order[i]` of the array as axis i of the result. */
export function withAxes(
  { shape, data }: { readonly shape: readonly number[]; readonly data: ArrayLike<number> },
  order: readonly number[],
): { readonly shape: readonly number[]; readonly data: Float32Array<ArrayBuffer> } {
  const sizes = order.map((axis) => shape[axis]);
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const steps = order.map((axis) => strides[axis]);
  const result = new Float32Array(data.length);
  const at = new Array<number>(sizes.length).fill(0);
  // The last axis in a loop of its own: matrices of a hundred million numbers are turned here.
  const [length, step] = [sizes.at(-1) ?? 1, steps.at(-1) ?? 1];
  let from = 0;
  for (let index = 0; index < result.length; ) {
    for (let last = 0; last < length; last++) result[index++] = data[from + last * step];
    for (let axis = sizes.length - 2; axis >= 0; axis--) {
      from += steps[axis];
      if (++at[axis] < sizes[axis]) break;
      from -= steps[axis] * sizes[axis];
      at[axis] = 0;
    }
  }
  return { shape: sizes, data: result };
}
