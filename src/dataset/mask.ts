/** Converts a file's raw values to a sample's mask or amount map and its void pixels, at the model's input size. */

import { ImageError } from "../core/errors.js";
import { POSITIVE_SHARE } from "../core/mask-share.js";
import { foregroundOf } from "./foreground.js";
import type { Raster } from "./raster.js";
import { type SeenOptions, toSeen } from "./resize-raster.js";

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

interface RasterOptions extends SeenOptions {
  /** The pixel values that are void. */
  readonly ignore?: readonly number[];
  readonly path: string;
}

/**
 * @param values the pixel values that mean the aspect; by default as `foregroundOf` decides.
 * @returns `[height * width]`, the share 0..1 of each pixel's known area that the aspect covers; above 0 if the pixel has
 *   any of it, and 0 where it is void.
 * @throws ImageError where `values` cannot be picked from the file.
 */
export function toMask(raster: Raster, options: RasterOptions & { values?: readonly number[] }): Float32Array {
  const known = withoutIgnored(raster, options.ignore);
  const { isAspect } = foregroundOf(known, options);
  return meanOfKnown(raster, options, (value) => (isAspect(value) ? 1 : 0));
}

/** The same of all of the raster, not mirrored. */
export function toWholeMask(
  raster: Raster,
  options: Omit<RasterOptions, "crop" | "flip"> & { values?: readonly number[] },
): Float32Array {
  const crop = { left: 0, top: 0, width: raster.width, height: raster.height };
  return toMask(raster, { ...options, crop, flip: false });
}

/**
 * @returns `[height * width]` 0..255 for amounts of 0..1; the mean over the known area of each pixel, 0 where it is void.
 * @throws ImageError if the file's values are not grey levels.
 */
export function toMap(raster: Raster, options: RasterOptions): Float32Array {
  if (raster.meaning !== "levels") {
    throw new ImageError(
      `${options.path}: its pixels are ${raster.meaning === "indices" ? "palette indices" : "colours"}, not amounts.`,
      { cure: "Save it as a grey PNG.", file: options.path },
    );
  }
  const scale = 255 / raster.maximum;
  return meanOfKnown(raster, options, (value) => Math.round(value * scale));
}

/**
 * The void pixels: those of which at most half of the area is known. As with the aspect itself, a pixel counts from a
 * half on, so an edge that is void for less than a pixel is not lost, and a broad one does not grow.
 *
 * @returns `[height * width]` of 0 and 1; `undefined` where the file has no void.
 */
export function ignoredPixels(raster: Raster, options: RasterOptions): Uint8Array | undefined {
  const known = knownShare(raster, options);
  const ignored = known && Uint8Array.from(known, (share) => (isVoid(share) ? 1 : 0));
  return ignored?.includes(1) ? ignored : undefined;
}

/** The same raster as if its void values did not occur, so that the others alone decide what they mean. */
export function withoutIgnored(raster: Raster, ignore: readonly number[] = []): Raster {
  return ignore.length === 0 ? raster : { ...raster, found: raster.found.filter((value) => !ignore.includes(value)) };
}

function isVoid(knownShare: number): boolean {
  return knownShare <= 1 - POSITIVE_SHARE;
}

/** Share of each pixel that is not void; `undefined` where nothing is. */
function knownShare(raster: Raster, options: RasterOptions): Float32Array | undefined {
  const { ignore = [] } = options;
  if (!raster.found.some((value) => ignore.includes(value))) return undefined;
  return toSeen(raster, options, (value) => (ignore.includes(value) ? 0 : 1));
}

/** Mean of the converted values over each pixel's known area; both are sums of integers, so all of it is exactly 1. */
function meanOfKnown(raster: Raster, options: RasterOptions, convert: (value: number) => number): Float32Array {
  const known = knownShare(raster, options);
  if (!known) return toSeen(raster, options, convert);
  const { ignore = [] } = options;
  const sums = toSeen(raster, options, (value) => (ignore.includes(value) ? 0 : convert(value)));
  return sums.map((sum, at) => (isVoid(known[at]) ? 0 : sum / known[at]));
}
