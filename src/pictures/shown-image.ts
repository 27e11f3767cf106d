/** The image shown in a drawing: pixels in memory, or a file that is decoded. */

import type { Crop } from "../core/augmented-view.js";
import { InputError } from "../core/errors.js";
import { sidesOf } from "../core/size.js";
import { type DecodedImage, decodeImage } from "../dataset/open-image.js";
import type { RgbImage } from "./painting.js";

/** Side of the decoded image, enough for a panel of 400 pixels. */
const SIDE = 512;

/** Width and height in pixels. */
export interface Shape {
  readonly width: number;
  readonly height: number;
}

/** A path, what `decodeImage` returns, or upright pixels. */
export type PictureSource = string | DecodedImage | RgbImage;

/**
 * @param image path of a file, a decoded image, or the upright pixels.
 * @param options.shape of the original, where the pixels were squeezed into another shape.
 * @param options.crop the part of a file that is shown, pixels of it.
 * @returns the pixels, those of a file squeezed into a square, and the shape of the original.
 * @throws ImageError where the file cannot be read; InputError where pixels are not as many as their sides say.
 */
export async function shownImage(
  image: PictureSource,
  { shape, crop }: { readonly shape?: Shape; readonly crop?: Crop } = {},
): Promise<{ picture: RgbImage; shape: Shape }> {
  if (typeof image === "string" && crop) {
    const { pixels } = await decodeImage(image, { size: SIDE, crop });
    return { picture: { width: SIDE, height: SIDE, pixels }, shape: shape ?? crop };
  }
  const decoded = typeof image === "string" ? await decodeImage(image, { size: SIDE }) : image;
  if (!isDecoded(decoded)) return { picture: checkedPixels(decoded), shape: shape ?? decoded };
  const { size, pixels, width, height } = decoded;
  return { picture: checkedPixels({ ...sidesOf(size), pixels }), shape: shape ?? { width, height } };
}

function isDecoded(image: DecodedImage | RgbImage): image is DecodedImage {
  return "size" in image;
}

function checkedPixels(picture: RgbImage): RgbImage {
  const { width, height, pixels } = picture;
  const isSide = (side: number) => Number.isSafeInteger(side) && side > 0;
  if (!isSide(width) || !isSide(height))
    throw new InputError(`image: width and height: expected pixels, got ${width} x ${height}.`);
  const wanted = width * height * 3;
  if (pixels instanceof Uint8Array && pixels.length === wanted) return picture;
  const got = pixels instanceof Uint8Array ? `${pixels.length} bytes` : typeof pixels;
  throw new InputError(`image: expected ${width} x ${height} RGB pixels (${wanted} bytes), got ${got}.`);
}
