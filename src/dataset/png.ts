/**
 * Rewrites a PNG so that decoders give a mask's raw values: palette indices instead of colours, and low bit depths not
 * scaled to eight bits.
 */

import { crc32 } from "node:zlib";
import { ImageError } from "../core/errors.js";

/** A PNG reduced to its pixels and its orientation. */
export interface PlainPng {
  /** Palette indices declared as grey levels: the pixels of both are stored alike. */
  readonly bytes: Uint8Array;
  /** Bits of one sample: 1, 2, 4, 8 or 16. */
  readonly bits: number;
  readonly isPalette: boolean;
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** Colour profiles and texts are left out: they do not concern a mask's values, and some unpack to gigabytes. */
const KEPT = ["IDAT", "eXIf", "IEND"];
const PALETTE = 3;
/** Length, type and check value around a chunk's data. */
const FRAME = 12;
const HEADER = 13;

/**
 * @param bytes a file that begins with the PNG signature.
 * @throws ImageError if a chunk is cut off or the header is damaged; the decoder checks the pixels.
 */
export function plainPng(bytes: Uint8Array, path: string): PlainPng {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array[] = [Uint8Array.from(SIGNATURE)];
  let header: { bits: number; isPalette: boolean } | undefined;
  for (let at = SIGNATURE.length; at < bytes.length; ) {
    const length = at + FRAME <= bytes.length ? view.getUint32(at) : Number.POSITIVE_INFINITY;
    const end = at + FRAME + length;
    if (end > bytes.length)
      throw new ImageError(`${path}: cut off after ${bytes.length} bytes.`, { cure: "Save it again." });
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const chunk = bytes.subarray(at, end);
    if (type === "IHDR" && length === HEADER) {
      if (crc32(chunk.subarray(4, -4)) !== view.getUint32(end - 4))
        throw new ImageError(`${path}: not a whole PNG (its header is damaged).`, { cure: "Save it again." });
      header = { bits: chunk[16], isPalette: chunk[17] === PALETTE };
      parts.push(header.isPalette ? asGrey(chunk) : chunk);
    } else if (KEPT.includes(type)) parts.push(chunk);
    if (type === "IEND") break;
    at = end;
  }
  if (!header) throw new ImageError(`${path}: not a whole PNG (it has no header).`, { cure: "Save it again." });
  return { bytes: Buffer.concat(parts), ...header };
}

/** The header of the same pixels as grey levels. */
function asGrey(header: Uint8Array): Uint8Array {
  const grey = Uint8Array.from(header);
  grey[17] = 0;
  new DataView(grey.buffer).setUint32(grey.length - 4, crc32(grey.subarray(4, -4)));
  return grey;
}
