/** Numbers that are none: NaN and the infinities, which every comparison lets through. */

import type { NdArrays } from "./nd-array.js";

/** @returns the name of the first array that holds one. */
export function notFinite(arrays: NdArrays): string | undefined {
  return Object.keys(arrays).find((name) => {
    const { data } = arrays[name];
    for (let index = 0; index < data.length; index++) if (!Number.isFinite(data[index])) return true;
    return false;
  });
}
