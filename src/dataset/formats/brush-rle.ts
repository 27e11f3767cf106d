/** Label Studio's brush strokes: run-length encoded RGBA pixels, of which the alpha is the mask. */

import { decode, encode } from "@thi.ng/rle-pack";
import { runsAlong } from "./mask-runs.js";

const CHANNELS = 4;
/** Alpha from which on a pixel belongs to the stroke. */
const OPAQUE = 128;
/** Bytes of the count of values, at the beginning. */
const COUNT_BYTES = 4;

/**
 * @param bytes as `rle` lists them; what follows the last pixel is padding.
 * @returns lengths of runs along the rows, the first outside the mask; or, as text, what is wrong with the bytes.
 */
export function decodeBrush(
  bytes: Uint8Array,
  { width, height }: { width: number; height: number },
): Uint32Array | string {
  const expected = width * height * CHANNELS;
  // Looked at first, since memory is taken for it.
  const count = bytes.length > COUNT_BYTES ? new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) : 0;
  if (count !== expected) return `holds ${count} values, ${width} x ${height} pixels of RGBA are ${expected}`;
  let values: ReturnType<typeof decode>;
  try {
    values = decode(bytes);
  } catch {
    return `ends after ${bytes.length} bytes, before its last pixel`;
  }
  return runsAlong(width * height, (pixel) => values[pixel * CHANNELS + CHANNELS - 1] >= OPAQUE);
}

/** @param mask `[height * width]`, row-major. @returns the bytes for `rle`: white where the mask is, else transparent. */
export function encodeBrush(mask: ArrayLike<boolean | number>): Uint8Array {
  const pixels = new Uint8Array(mask.length * CHANNELS);
  for (let at = 0; at < mask.length; at++) if (mask[at]) pixels.fill(255, at * CHANNELS, (at + 1) * CHANNELS);
  return encode(pixels, pixels.length);
}
