/** The image shown in a drawing: pixels in memory, or a file that is decoded. */

import { decodeImage } from "../dataset/open-image.js";
import type { RgbImage } from "./painting.js";

/** Side of the decoded image, enough for a panel of 400 pixels. */
const SIDE = 512;

/** Width and height in pixels. */
export interface Shape {
  readonly width: number;
  readonly height: number;
}

/**
 * @param image path of a file, or the upright pixels.
 * @param shape of the original, if the pixels were resized to another aspect ratio.
 * @returns the pixels (those of a file resized to a square) and the shape of the original.
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
