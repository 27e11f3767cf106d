/** Converts a file's raw values to a sample's mask or amount map, resized to the model's input. */

import { ImageError } from "../core/errors.js";
import { foregroundOf } from "./foreground.js";
import type { Raster } from "./raster.js";
import { type SquareOptions, toSquare } from "./resize-raster.js";

/**
 * @param image width and height of the upright image that it belongs to.
 * @throws ImageError naming both sizes where they differ.
 */
export function checkRasterSize(raster: Raster, image: { width: number; height: number }, path: string): void {
  if (raster.width === image.width && raster.height === image.height) return;
  throw new ImageError(
    `${path}: ${raster.width} x ${raster.height} pixels; its image has ${image.width} x ${image.height} upright.`,
    { cure: "Save it in the image's size (EXIF orientation applied).", file: path },
  );
}

/**
 * @param values the pixel values that mean the aspect; by default as `foregroundOf` decides.
 * @returns `[size * size]`, the share 0..1 of each pixel that the aspect covers; above 0 if the pixel has any of it.
 * @throws ImageError where `values` cannot be picked from the file.
 */
export function toMask(
  raster: Raster,
  options: SquareOptions & { values?: readonly number[]; path: string },
): Float32Array {
  const { isAspect } = foregroundOf(raster, options);
  return toSquare(raster, options, (value) => (isAspect(value) ? 1 : 0));
}

/**
 * @returns `[size * size]` 0..255 for amounts of 0..1; the mean over the area of each pixel.
 * @throws ImageError if the file's values are not grey levels.
 */
export function toMap(raster: Raster, options: SquareOptions & { path: string }): Float32Array {
  if (raster.meaning !== "levels") {
    throw new ImageError(
      `${options.path}: its pixels are ${raster.meaning === "indices" ? "palette indices" : "colours"}, not amounts.`,
      { cure: "Save it as a grey PNG.", file: options.path },
    );
  }
  const scale = 255 / raster.maximum;
  return toSquare(raster, options, (value) => Math.round(value * scale));
}
