/** Which pixels of an annotation say anything: all but the void ones. */

import type { Annotation } from "../core/annotation.js";

/** Whether any pixel does. */
export function isAnyKnown({ ignored }: Annotation): boolean {
  return ignored?.includes(0) ?? true;
}

/** @param known a row of zeros, in which every known pixel becomes 1. */
export function writeKnown(known: Float32Array, { ignored }: Annotation): void {
  known.fill(1);
  ignored?.forEach((isVoid, pixel) => {
    if (isVoid) known[pixel] = 0;
  });
}
