/** Label Studio's brush strokes: run-length encoded RGBA pixels, of which the alpha is the mask. */

import { decode } from "@thi.ng/rle-pack";
import { runsAlong } from "./mask-runs.js";

const CHANNELS = 4;
/** Alpha from which on a pixel belongs to the stroke. */
const OPAQUE = 128;
const VALUE_BITS = 8;
/** Bits that the length of a run may have, less one. */
const SIZES = [3, 4, 8, 16];
const LONGEST = 2 ** 16;
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

/**
 * The same bytes as the library's `encode` of the RGBA pixels, of the runs alone: some thirty times as fast, since all four
 * values of a pixel are equal and no run is shorter.
 *
 * @param mask `[height * width]`, row-major.
 * @returns the bytes for `rle`: white where the mask is, else transparent.
 */
export function encodeBrush(mask: ArrayLike<boolean | number>): Uint8Array {
  const bits = bitWriter();
  bits.write(mask.length * CHANNELS, 32);
  bits.write(VALUE_BITS - 1, 5);
  for (const size of SIZES) bits.write(size - 1, 4);
  let value = 0;
  for (const run of runsAlong(mask.length, (pixel) => Boolean(mask[pixel]))) {
    for (let left = run * CHANNELS; left > 0; left -= LONGEST) {
      const last = Math.min(left, LONGEST) - 1;
      const size = SIZES.findIndex((count) => last < 2 ** count);
      bits.write(1, 1); // a run, no list of single values
      bits.write(size, 2);
      bits.write(last, SIZES[size]);
      bits.write(value, VALUE_BITS);
    }
    value = 255 - value;
  }
  return bits.bytes();
}

/** The highest bit first; the last byte is filled with zeros. */
function bitWriter(): { write(value: number, count: number): void; bytes(): Uint8Array } {
  const bytes: number[] = [];
  let [byte, filled] = [0, 0];
  return {
    write: (value, count) => {
      for (let bit = count - 1; bit >= 0; bit--) {
        byte = (byte << 1) | (Math.floor(value / 2 ** bit) % 2);
        if (++filled < 8) continue;
        bytes.push(byte);
        [byte, filled] = [0, 0];
      }
    },
    bytes: () => Uint8Array.from(filled === 0 ? bytes : [...bytes, byte << (8 - filled)]),
  };
}
