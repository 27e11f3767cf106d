/** Checks the arrays that a caller gives against those expected, by name and shape. */

import { ShapeError } from "../core/errors.js";
import { type NdArray, type NdArrays, sizeOf } from "../core/nd-array.js";

/** A shape; -1 stands for any size. */
type Shapes = Readonly<Record<string, readonly number[]>>;

/**
 * Every expected float32 array must be given, with its shape, and no others.
 *
 * @param owner begins each message: the function or store that takes the arrays.
 * @param what one of them: `"input"`, `"state"`.
 * @throws ShapeError naming the owner, the array, what was expected and what was given.
 */
export function checkArrays(
  wanted: Shapes,
  given: NdArrays,
  { owner, what, isPartial = false }: { owner: string; what: string; isPartial?: boolean },
): void {
  const names = Object.keys(wanted);
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(wanted, name))
      throw new ShapeError(`${owner}: no ${what} "${name}". It takes: ${names.join(", ") || "none"}.`);
  }
  for (const name of names) {
    if (Object.hasOwn(given, name)) checkArray(wanted[name], given[name], `${owner}: ${what} "${name}"`);
    else if (!isPartial) throw new ShapeError(`${owner}: ${what} "${name}" is missing. It takes: ${names.join(", ")}.`);
  }
}

function checkArray(wanted: readonly number[], { shape, data }: NdArray, where: string): void {
  const isAsWanted = shape.length === wanted.length && wanted.every((size, axis) => size < 0 || size === shape[axis]);
  if (!isAsWanted) throw new ShapeError(`${where}: expected ${toText(wanted)}, got ${toText(shape)}.`);
  if (!(data instanceof Float32Array)) throw new ShapeError(`${where}: expected a Float32Array, got an Int32Array.`);
  if (data.length !== sizeOf(shape))
    throw new ShapeError(`${where}: ${toText(shape)} needs ${sizeOf(shape)} numbers, got ${data.length}.`);
}

function toText(shape: readonly number[]): string {
  return `[${shape.map((size) => (size < 0 ? "any" : size)).join(", ")}]`;
}
