/** Compares the state that a function returns with the store that it would replace. */

import { ShapeError } from "../core/errors.js";
import type { Tensors } from "./engine.js";
import type { StateStore } from "./state-store.js";

/** @throws ShapeError naming the function, the array, its shape in the store and the one returned. */
export function checkNewState(state: Tensors, store: StateStore | undefined, name: string): void {
  const shapes = store?.shapes ?? {};
  for (const [array, { shape }] of Object.entries(state)) {
    if (!Object.hasOwn(shapes, array)) {
      const known = Object.keys(shapes).join(", ") || "none";
      throw new ShapeError(`${name}: returned state "${array}", which its store does not hold. It holds: ${known}.`);
    }
    const wanted = shapes[array];
    if (shape.length !== wanted.length || wanted.some((size, axis) => size !== shape[axis])) {
      throw new ShapeError(
        `${name}: state "${array}": expected [${wanted.join(", ")}], returned [${shape.join(", ")}].`,
      );
    }
  }
}
