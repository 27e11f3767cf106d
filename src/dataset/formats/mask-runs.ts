/** Masks that lie inside an annotation or beside it, as runs along their rows. */

import sharp from "sharp";
import { ImageError } from "../../core/errors.js";
import { LIMITS } from "../../core/limits.js";
import { firstLine } from "../../core/message-text.js";

export interface MaskRuns {
  readonly width: number;
  readonly height: number;
  /** Lengths along the rows, the first outside the mask. */
  readonly runs: Uint32Array;
}

/**
 * The pixels of an image that are anything but 0 in every channel: black, or, with alpha, black and transparent.
 *
 * @param name in messages.
 * @throws ImageError where it cannot be decoded.
 */
export async function nonZeroRuns(bytes: Uint8Array, name: string): Promise<MaskRuns> {
  try {
    const { data, info } = await sharp(bytes, { failOn: "error", limitInputPixels: LIMITS.imagePixels })
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    const isSet = (pixel: number) => {
      for (let at = pixel * channels; at < (pixel + 1) * channels; at++) if (data[at] !== 0) return true;
      return false;
    };
    return { width, height, runs: runsAlong(width * height, isSet) };
  } catch (cause) {
    throw new ImageError(`${name}: cannot be read as a mask (${firstLine(cause)}).`, { cure: "Save it again.", cause });
  }
}

/** @param count of pixels. @returns lengths of runs, the first of pixels that are not set. */
export function runsAlong(count: number, isSet: (pixel: number) => boolean): Uint32Array {
  const runs: number[] = [];
  let [isInside, from] = [false, 0];
  for (let pixel = 0; pixel < count; pixel++) {
    if (isSet(pixel) === isInside) continue;
    runs.push(pixel - from);
    [isInside, from] = [!isInside, pixel];
  }
  runs.push(count - from);
  return Uint32Array.from(runs);
}
