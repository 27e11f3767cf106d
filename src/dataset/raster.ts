/** Reads the raw values of a mask or map file: palette indices or grey levels of 1 to 16 bits, before any resizing. */

import sharp, { type Metadata } from "sharp";
import type { Crop } from "../core/augmented-view.js";
import { ImageError, inFile } from "../core/errors.js";
import { LIMITS } from "../core/limits.js";
import { firstLine } from "../core/message-text.js";
import { readBitmap } from "./bmp.js";
import { withinBudget } from "./decoding-budget.js";
import { type ImageFormat, imageFormat } from "./image-format.js";
import { checkPixelCount, decodingCost } from "./image-header.js";
import { plainPng } from "./png.js";
import { distinct, oneChannel } from "./raster-values.js";
import { readImageFile } from "./read-image-file.js";

export interface Raster {
  readonly width: number;
  readonly height: number;
  /** `[height * width]`, row-major, upright. */
  readonly values: Uint8Array | Uint16Array;
  /** Largest value that the file can hold: 1, 3, 15, 255 or 65535. */
  readonly maximum: number;
  /** The values that occur, in ascending order. */
  readonly found: readonly number[];
  /**
   * `levels` of grey. `indices` of a palette, whose order does not mean an amount. `colours`: `values` holds each
   * pixel's largest channel.
   */
  readonly meaning: "levels" | "indices" | "colours";
  /** How many colours occur, at most 17 are counted; 0 unless the meaning is `colours`. */
  readonly colourCount: number;
  /** JPEG: compression changes values at edges, so they are not exact. */
  readonly isLossy: boolean;
}

/** @throws ImageError in one line that names the file and the cure. */
export function readRaster(path: string): Promise<Raster> {
  return inFile({ file: path }, () => read(path));
}

async function read(path: string): Promise<Raster> {
  const file = await readImageFile(path);
  const format = imageFormat(file, path);
  const {
    samples,
    channels,
    maximum,
    isPalette = false,
    ...size
  } = format === "bmp" ? bitmapSamples(file, path) : await decode(file, { path, format });
  const { values, meaning, colourCount } = oneChannel(samples, channels);
  return {
    ...size,
    values,
    maximum,
    found: distinct(values),
    meaning: isPalette ? "indices" : meaning,
    colourCount,
    isLossy: format === "jpeg",
  };
}

/** A part of a raster, inside it. */
export function partOf(raster: Raster, { left, top, width, height }: Crop): Raster {
  const values = raster.values.slice(0, width * height);
  for (let y = 0; y < height; y++) {
    const start = (top + y) * raster.width + left;
    values.set(raster.values.subarray(start, start + width), y * width);
  }
  return { ...raster, width, height, values, found: distinct(values) };
}

interface Samples {
  readonly width: number;
  readonly height: number;
  /** `[height * width, channels]`. */
  readonly samples: Uint8Array | Uint16Array;
  readonly channels: number;
  readonly maximum: number;
  readonly isPalette?: boolean;
}

function bitmapSamples(file: Uint8Array, path: string): Samples {
  const { width, height, channels, decode } = readBitmap(file, path);
  checkPixelCount(width, height, path);
  return { width, height, samples: decode(), channels, maximum: 255 };
}

async function decode(file: Uint8Array, { path, format }: { path: string; format: ImageFormat }): Promise<Samples> {
  const png = format === "png" ? plainPng(file, path) : undefined;
  const bytes = png?.bytes ?? file;
  try {
    const header = await sharp(bytes, { failOn: "error", limitInputPixels: false }).metadata();
    const byteCount = checkHeader(header, path);
    const costBytes = Math.max(byteCount, decodingCost(header, { name: path, format }));
    const is16Bit = header.depth === "ushort";
    // Of grey with alpha, "b-w" would drop the alpha.
    const isGrey = (header.space === "b-w" || header.space === "grey16") && header.channels === 1;
    const { data, info } = await withinBudget(costBytes, () =>
      sharp(bytes, { failOn: "error", limitInputPixels: LIMITS.imagePixels })
        .autoOrient()
        .toColourspace(isGrey ? (is16Bit ? "grey16" : "b-w") : is16Bit ? "rgb16" : "srgb")
        .raw({ depth: is16Bit ? "ushort" : "uchar" })
        .toBuffer({ resolveWithObject: true }),
    );
    const samples = is16Bit
      ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2)
      : new Uint8Array(data.buffer, data.byteOffset, data.length);
    const maximum = 2 ** (png && png.bits < 8 ? png.bits : is16Bit ? 16 : 8) - 1;
    if (maximum < 255) unstretch(samples, maximum);
    const { width, height, channels } = info;
    return { width, height, samples, channels, maximum, isPalette: png?.isPalette };
  } catch (cause) {
    if (cause instanceof ImageError) throw cause;
    const why = firstLine(cause);
    throw new ImageError(png ? `${path}: not a whole PNG (${why}).` : `${path}: cannot be read as a mask (${why}).`, {
      cure: png ? "Save it again." : "Save it as an indexed or grey PNG.",
      cause,
    });
  }
}

/**
 * @returns number of number of bytes of the decoded samples.
 * @throws ImageError if it has too many pixels or bytes, or samples that are not integers.
 */
function checkHeader({ depth, channels, autoOrient }: Metadata, path: string): number {
  const { width, height } = autoOrient;
  checkPixelCount(width, height, path);
  if (depth !== "uchar" && depth !== "ushort")
    throw new ImageError(`${path}: its samples are of type ${depth}.`, { cure: "Convert it to a grey PNG." });
  // Grey with alpha is decoded as colours with alpha.
  const byteCount = width * height * (channels === 2 ? 4 : channels) * (depth === "ushort" ? 2 : 1);
  if (byteCount <= LIMITS.maskBytes) return byteCount;
  throw new ImageError(`${path}: its pixels take ${byteCount / 1e6} MB, the limit is ${LIMITS.maskBytes / 1e6}.`, {
    cure: "Save it as an indexed or grey PNG of 8 bits.",
  });
}

/** Scales levels of fewer than eight bits, which the decoder spreads over 0..255, back to 0..maximum, in place. */
function unstretch(levels: Uint8Array | Uint16Array, maximum: number): void {
  const step = 255 / maximum;
  for (let at = 0; at < levels.length; at++) levels[at] /= step;
}
