/** The image that a picture shows: pixels in memory, or a file that is decoded for it. */

import { decodeImage } from "../dataset/open-image.js";
import type { RgbImage } from "./painting.js";

/** Enough for a panel of 400 pixels, a side. */
const SIDE = 512;

/** Width and height in pixels. */
export interface Shape {
  readonly width: number;
  readonly height: number;
}

/**
 * @param image path of a file, or the upright pixels.
 * @param shape of the original, where the pixels were squeezed into another shape.
 * @returns the pixels, those of a file squeezed into a square, and the shape of the original.
 * @throws ImageError where the file cannot be read.
 */
export async function shownImage(
  image: string | RgbImage,
  shape?: Shape,
): Promise<{ picture: RgbImage; shape: Shape }> {
  if (typeof image !== "string") return { picture: image, shape: shape ?? image };
  const { image: pixels, width, height } = await decodeImage(image, { size: SIDE });
  return { picture: { width: SIDE, height: SIDE, pixels }, shape: shape ?? { width, height } };
}
