/**
 * The network as its own runtime computes it, straight from the file that is imported: what our trunk must give too.
 */

import { WeightsError } from "../core/errors.js";
import type { NdArray } from "../core/nd-array.js";

/** Side of the image where the file leaves it open; a multiple of 32, for which all ways of padding agree. */
export const SIDE = 96;

export interface Original {
  readonly runtime: "ONNX Runtime" | "TensorFlow.js";
  /** Height and width of the image it wants. */
  readonly size: number;
  /** Features of the trunk's last layer, `[1, h, w, channels]`, for `[1, size, size, 3]` RGB 0..255. */
  run(image: NdArray): Promise<NdArray>;
}

/** Why there is nothing to compare with, as the user reads it. */
export interface NotCompared {
  readonly notCompared: string;
}

/** @param reason a clause with a colon before it, or nothing. */
export function unloadable(path: string, reason: string, cause?: unknown): WeightsError {
  return new WeightsError(`${path}: its own runtime cannot load it${reason}.`, {
    cure: "Save the network again, with layers that the framework knows itself.",
    cause,
  });
}
