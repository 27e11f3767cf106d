/** Masks whose pixels are colours: each colour as one number. */

import sharp from "sharp";
import { ImageError } from "../../core/errors.js";
import { LIMITS } from "../../core/limits.js";
import { firstLine } from "../../core/message-text.js";
import { type Raster, readRaster } from "../raster.js";
import { readImageFile } from "../read-image-file.js";

/** Numbers of a mask's pixels, row-major: as `mask-file` counts them. */
export interface MaskPixels {
  readonly width: number;
  readonly height: number;
  readonly values: Raster["values"] | Uint32Array;
}

/** @throws ImageError in one line that names the file and the cure. */
export async function readMaskPixels(path: string): Promise<MaskPixels> {
  const raster = await readRaster(path);
  if (raster.meaning !== "colours") return raster;
  try {
    const { data, info } = await sharp(await readImageFile(path), { limitInputPixels: LIMITS.imagePixels })
      .autoOrient()
      .removeAlpha()
      .toColourspace("srgb")
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    const values = Uint32Array.from({ length: width * height }, (_, at) => colourNumber(data, at * channels));
    return { width, height, values };
  } catch (cause) {
    throw new ImageError(`${path}: cannot be read as a mask (${firstLine(cause)}).`, {
      cure: "Save it as an indexed or grey PNG.",
      cause,
    });
  }
}

export function colourNumber(rgb: ArrayLike<number>, at = 0): number {
  return rgb[at] * 65536 + rgb[at + 1] * 256 + rgb[at + 2];
}
