/** Reads an image's header and checks that the image can be decoded within the memory limit. */

import sharp, { type Metadata } from "sharp";
import { ImageError } from "../core/errors.js";
import { LIMITS } from "../core/limits.js";
import { firstLine } from "../core/message-text.js";
import type { ImageFormat } from "./image-format.js";

// libvips would cache the last hundred decoders with their memory; useless here, since no buffer is decoded twice.
sharp.cache(false);

export interface ImageHeader {
  /** Of the upright original, pixels. */
  readonly width: number;
  readonly height: number;
  readonly is16Bit: boolean;
  /** True for eight bits of sRGB or grey without alpha, profile or rotation. */
  readonly isPlain: boolean;
  /** Peak memory of its decoder, bytes. */
  readonly costBytes: number;
}

/** @throws ImageError if width times height exceeds the limit; before memory is allocated for it. */
export function checkPixelCount(width: number, height: number, name: string): void {
  if (width * height <= LIMITS.imagePixels) return;
  throw new ImageError(
    `${name}: ${width} x ${height} pixels; the limit is ${LIMITS.imagePixels / 1e6} million (10,000 x 10,000).`,
    { cure: "Cut it into tiles or make it smaller." },
  );
}

/** @throws ImageError if it is not a readable image, or is too large. */
export async function readHeader(
  bytes: Uint8Array,
  { name, format }: { name: string; format: ImageFormat },
): Promise<ImageHeader> {
  let header: Metadata;
  try {
    header = await sharp(bytes, { failOn: "error", limitInputPixels: false }).metadata();
  } catch (cause) {
    throw new ImageError(`${name}: not an image that can be read (${firstLine(cause)}).`, {
      cure: "Convert it to PNG, JPEG, WebP, TIFF or GIF.",
      cause,
    });
  }
  if (header.depth !== "uchar" && header.depth !== "ushort") {
    throw new ImageError(`${name}: its samples are of type ${header.depth}.`, {
      cure: "Convert it to 8 or 16 bits a channel.",
    });
  }
  const { width, height } = header.autoOrient;
  checkPixelCount(width, height, name);
  const costBytes = decodingCost(header, { name, format });
  const { depth, space, channels, hasAlpha, hasProfile, orientation = 1 } = header;
  const hasPlainColours = (space === "srgb" && channels === 3) || (space === "b-w" && channels === 1);
  const isPlain = depth === "uchar" && hasPlainColours && !hasAlpha && !hasProfile && orientation === 1;
  return { width, height, is16Bit: depth === "ushort", isPlain, costBytes };
}

/**
 * Peak memory of an image's decoder, bytes.
 *
 * @throws ImageError if it exceeds the limit; before memory is allocated for it.
 */
export function decodingCost(header: Metadata, { name, format }: { name: string; format: ImageFormat }): number {
  const { width, height } = header.autoOrient;
  const costBytes = width * height * bytesPerPixel(header, format);
  if (costBytes <= LIMITS.decodingBytes) return costBytes;
  throw new ImageError(
    `${name}: ${width} x ${height} pixels as ${format.toUpperCase()} ` +
      `take ${Math.round(costBytes / 1e6)} MB to decode, the limit is ${LIMITS.decodingBytes / 1e6} MB.`,
    { cure: "Make it smaller, or save it as PNG of 8 bits." },
  );
}

/**
 * Bytes per pixel that decoders hold of a whole image, measured at 100 million pixels; 0 if rows are decoded one by
 * one.
 */
function bytesPerPixel({ channels, depth, isProgressive, bitsPerSample = 8 }: Metadata, format: ImageFormat): number {
  const sampleBytes = depth === "ushort" ? 2 : 1;
  switch (format) {
    case "png":
      return isProgressive ? channels * sampleBytes : 0;
    case "jpeg":
      return isProgressive ? 2 * channels : 0;
    case "gif":
      return 5;
    case "webp":
      return 9;
    case "avif":
      return bitsPerSample > 8 || sampleBytes > 1 ? 24 : 18;
    default:
      return channels * sampleBytes;
  }
}
