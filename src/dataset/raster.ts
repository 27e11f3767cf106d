/** The raw values of a mask or map file: palette indices, grey levels, 1 to 16 bits; never colours mixed by a resize. */

import { decode as decodePng, hasPngSignature } from "fast-png";
import sharp from "sharp";
import { ImageError } from "../core/errors.js";
import { LIMITS } from "../core/limits.js";
import { checkPixelCount, readImageFile } from "./image.js";

export interface Raster {
  readonly width: number;
  readonly height: number;
  /** `[height * width]`, row-major. */
  readonly values: Uint8Array | Uint16Array;
  /** Largest value that the file can hold: 1, 3, 15, 255 or 65535. */
  readonly maximum: number;
  /** `indices` of a palette, whose order means nothing as an amount. `colours`: only zero and non-zero can be told. */
  readonly meaning: "levels" | "indices" | "colours";
  /** JPEG: edges are smeared, so that values cannot be trusted. */
  readonly isLossy: boolean;
}

/** @throws ImageError in one line that names the file and the cure. */
export async function readRaster(path: string): Promise<Raster> {
  const bytes = await readImageFile(path);
  return hasPngSignature(bytes) ? readPng(bytes, path) : readOther(bytes, path);
}

function readPng(bytes: Uint8Array, path: string): Raster {
  if (bytes.length < 29) throw new ImageError(`${path}: cut off after ${bytes.length} bytes. Save it again.`);
  const header = new DataView(bytes.buffer, bytes.byteOffset);
  // The IHDR chunk always comes first: width, height, depth, colour type, compression, filter, interlace.
  checkPixelCount(header.getUint32(16), header.getUint32(20), path);
  if (bytes[24] < 8 && bytes[28] !== 0) {
    // fast-png 8 takes every pixel of an interlaced image for whole bytes.
    throw new ImageError(
      `${path}: an interlaced PNG of ${bytes[24]} bits cannot be read. Save it without interlacing.`,
    );
  }
  let png: ReturnType<typeof decodePng>;
  try {
    png = decodePng(bytes, { checkCrc: true });
  } catch (cause) {
    const why = (cause instanceof Error ? cause.message : String(cause)).split("\n")[0];
    throw new ImageError(`${path}: not a whole PNG (${why}). Save it again.`, { cause });
  }
  const { width, height, depth, channels } = png;
  const data = png.data instanceof Uint16Array ? png.data : new Uint8Array(png.data);
  const maximum = 2 ** depth - 1;
  if (png.palette) return { width, height, values: unpack(data, png), maximum, meaning: "indices", isLossy: false };
  if (channels === 1) return { width, height, values: unpack(data, png), maximum, meaning: "levels", isLossy: false };
  return { width, height, maximum, isLossy: false, ...reduceChannels(data, channels) };
}

async function readOther(bytes: Uint8Array, path: string): Promise<Raster> {
  try {
    const input = sharp(bytes, { failOn: "error", limitInputPixels: false });
    const { format, depth, space, autoOrient } = await input.metadata();
    if (format === "svg") throw new ImageError(`${path}: SVG is a drawing, not a raster image. Export it as PNG.`);
    checkPixelCount(autoOrient.width, autoOrient.height, path);
    if (depth !== "uchar" && depth !== "ushort") {
      throw new ImageError(`${path}: its samples are of type ${depth}. Convert it to a grey PNG.`);
    }
    const is16Bit = depth === "ushort";
    const isGrey = space === "b-w" || space === "grey16";
    const upright = sharp(bytes, { failOn: "error", limitInputPixels: LIMITS.imagePixels }).autoOrient();
    const raw = upright
      .toColourspace(isGrey ? (is16Bit ? "grey16" : "b-w") : is16Bit ? "rgb16" : "srgb")
      .raw({ depth });
    const { data, info } = await raw.toBuffer({ resolveWithObject: true });
    const values = is16Bit ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2) : new Uint8Array(data);
    const { width, height, channels } = info;
    return {
      width,
      height,
      maximum: is16Bit ? 65535 : 255,
      isLossy: format === "jpeg",
      ...reduceChannels(values, channels),
    };
  } catch (cause) {
    if (cause instanceof ImageError) throw cause;
    const why = (cause instanceof Error ? cause.message : String(cause)).split("\n")[0].trim();
    throw new ImageError(`${path}: cannot be read as a mask (${why}). Save it as an indexed or grey PNG.`, { cause });
  }
}

/** PNG packs samples of fewer than eight bits, high bits first, each row from a byte of its own. */
function unpack(
  data: Uint8Array | Uint16Array,
  { width, height, depth }: { width: number; height: number; depth: number },
) {
  if (depth >= 8) return data;
  const rowBytes = Math.ceil((width * depth) / 8);
  const out = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      out[y * width + x] = (data[y * rowBytes + (bit >> 3)] >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
    }
  }
  return out;
}

/** Several channels to one: the level where all colours are equal, else the largest; 0 where wholly transparent. */
function reduceChannels(data: Uint8Array | Uint16Array, channels: number): Pick<Raster, "values" | "meaning"> {
  if (channels === 1) return { values: data, meaning: "levels" };
  const count = data.length / channels;
  const values = data instanceof Uint16Array ? new Uint16Array(count) : new Uint8Array(count);
  const colours = channels >= 3 ? 3 : 1;
  const hasAlpha = channels === 2 || channels === 4;
  let isGrey = true;
  for (let pixel = 0, at = 0; pixel < count; pixel++, at += channels) {
    if (hasAlpha && data[at + channels - 1] === 0) continue;
    let largest = data[at];
    for (let k = 1; k < colours; k++) {
      if (data[at + k] !== data[at]) isGrey = false;
      largest = Math.max(largest, data[at + k]);
    }
    values[pixel] = largest;
  }
  return { values, meaning: isGrey ? "levels" : "colours" };
}
