/** The imported network computed by its own runtime, straight from the file, for comparison with our trunk. */

import { WeightsError } from "../core/errors.js";
import type { NdArray } from "../core/nd-array.js";

/** Side of the image if the file leaves it open; at multiples of 32 all padding conventions agree. */
export const SIDE = 96;

export interface Original {
  readonly runtime: "ONNX Runtime" | "TensorFlow.js";
  /** Height and width of its input image. */
  readonly size: number;
  /** Features of the trunk's last layer, `[1, h, w, channels]`, for `[1, size, size, 3]` RGB 0..255. */
  run(image: NdArray): Promise<NdArray>;
}

/** Why there is no comparison, as text for the user. */
export interface NotCompared {
  readonly notCompared: string;
}

/** @param reason a clause that begins with a colon, or "". */
export function unloadable(path: string, reason: string, cause?: unknown): WeightsError {
  return new WeightsError(`${path}: its own runtime cannot load it${reason}.`, {
    cure: "Save the network again, with layers that are part of the framework.",
    cause,
  });
}
