/**
 * Reads Windows bitmaps, which libvips does not: 1 to 32 bits per pixel, palettes, run-length encoding, bit fields,
 * rows in either order.
 */

import { ImageError } from "../core/errors.js";

export interface Bitmap {
  readonly width: number;
  readonly height: number;
  readonly channels: 3 | 4;
  /**
   * `[height, width, channels]`, rows from the top.
   *
   * @throws ImageError if the file is cut off, or a pixel names a palette entry that does not exist.
   */
  decode(): Uint8Array;
}

/** `biCompression`. */
const RGB = 0;
const RLE8 = 1;
const RLE4 = 2;
const BIT_FIELDS = 3;
const ALPHA_BIT_FIELDS = 6;

const BITS: Readonly<Record<number, readonly number[]>> = {
  [RGB]: [1, 4, 8, 16, 24, 32],
  [RLE8]: [8],
  [RLE4]: [4],
  [BIT_FIELDS]: [16, 32],
  [ALPHA_BIT_FIELDS]: [16, 32],
};

/** Reads the headers only. @throws ImageError in one line that names the file and the cure. */
export function readBitmap(bytes: Uint8Array, name: string): Bitmap {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fail = (why: string) => new ImageError(`${name}: ${why}.`, { cure: "Save it again, as PNG." });
  const cut = () => fail(`a BMP cut off after ${bytes.length} bytes`);
  const headerSize = bytes.length < 30 ? 0 : view.getUint32(14, true);
  if (headerSize === 0 || bytes.length < 14 + headerSize) throw cut();
  const isCore = headerSize === 12; // OS/2: 16-bit sizes, palettes of three bytes
  if (!isCore && headerSize < 40) throw fail(`a BMP with a header of ${headerSize} bytes, which is unknown`);
  const width = isCore ? view.getUint16(18, true) : view.getInt32(18, true);
  const signedHeight = isCore ? view.getUint16(20, true) : view.getInt32(22, true);
  const bits = view.getUint16(isCore ? 24 : 28, true);
  const compression = isCore ? RGB : view.getUint32(30, true);
  const height = Math.abs(signedHeight);
  if (width <= 0 || height === 0) throw fail(`a BMP of ${width} x ${height} pixels`);
  if (!BITS[compression]?.includes(bits)) throw fail(`a BMP of ${bits} bits, compression ${compression}, is not read`);
  const start = view.getUint32(10, true);
  const isIndexed = bits <= 8;
  const masks = isIndexed || bits === 24 ? undefined : readMasks(view, { bits, compression, headerSize, cut });
  const channels = masks?.[3] ? 4 : 3;
  const row = (y: number) => (signedHeight < 0 ? y : height - 1 - y) * width;
  const pixels: Pixels = { bytes, view, start, width, height, bits, channels, row, cut };
  const palette = { headerSize, isCore, compression, fail };
  const decode = () => (isIndexed ? decodeIndexed(pixels, palette) : decodeColours(pixels, masks));
  return { width, height, channels, decode };
}

/** Where the pixels of a bitmap lie, and how. */
interface Pixels {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** First byte of the pixels. */
  readonly start: number;
  readonly width: number;
  readonly height: number;
  /** A pixel. */
  readonly bits: number;
  readonly channels: number;
  /** Index in the upright image of the first pixel of a row of the file. */
  readonly row: (y: number) => number;
  readonly cut: () => ImageError;
}

function decodeIndexed(
  { bytes, view, row, ...place }: Pixels,
  {
    headerSize,
    isCore,
    compression,
    fail,
  }: { headerSize: number; isCore: boolean; compression: number; fail: (why: string) => ImageError },
): Uint8Array {
  const { start, width, height, bits } = place;
  const out = new Uint8Array(width * height * 3);
  const paletteAt = 14 + headerSize;
  const entry = isCore ? 3 : 4;
  const used = isCore ? 0 : view.getUint32(46, true);
  const room = Math.floor((Math.min(start, bytes.length) - paletteAt) / entry);
  const count = Math.max(0, Math.min(used || 2 ** bits, 2 ** bits, room));
  const put = (y: number, x: number, index: number) => {
    if (index >= count) throw fail(`a BMP whose pixel names colour ${index} of ${count}`);
    const from = paletteAt + index * entry;
    const to = (row(y) + x) * 3;
    out[to] = bytes[from + 2];
    out[to + 1] = bytes[from + 1];
    out[to + 2] = bytes[from];
  };
  if (compression === RGB) readIndices(bytes, { ...place, put });
  else {
    // Pixels that no run sets have colour 0.
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) put(y, x, 0);
    readRuns(bytes, { ...place, put });
  }
  return out;
}

/** @param masks the bits of each channel; without masks a pixel is blue, green, red. */
function decodeColours(
  { bytes, view, start, width, height, bits, channels, row, cut }: Pixels,
  masks: readonly (ChannelMask | undefined)[] | undefined,
): Uint8Array {
  const out = new Uint8Array(width * height * channels);
  const stride = 4 * Math.ceil((width * bits) / 32);
  if (start + stride * height > bytes.length) throw cut();
  for (let y = 0; y < height; y++) {
    let from = start + y * stride;
    let to = row(y) * channels;
    for (let x = 0; x < width; x++, from += bits / 8, to += channels) {
      if (!masks) {
        out[to] = bytes[from + 2];
        out[to + 1] = bytes[from + 1];
        out[to + 2] = bytes[from];
        continue;
      }
      const value = bits === 16 ? view.getUint16(from, true) : view.getUint32(from, true);
      for (let k = 0; k < channels; k++) {
        const { shift, most } = masks[k] ?? NO_MASK;
        out[to + k] = most === 0 ? 0 : Math.round(((((value >>> shift) & most) >>> 0) * 255) / most);
      }
    }
  }
  return out;
}

interface ChannelMask {
  readonly shift: number;
  /** Largest value. */
  readonly most: number;
}

const NO_MASK: ChannelMask = { shift: 0, most: 0 };

/** Red, green, blue and, where there is one, alpha. */
function readMasks(
  view: DataView,
  {
    bits,
    compression,
    headerSize,
    cut,
  }: { bits: number; compression: number; headerSize: number; cut: () => ImageError },
): (ChannelMask | undefined)[] {
  if (compression === RGB) {
    const usual = bits === 16 ? [0x7c00, 0x3e0, 0x1f] : [0xff0000, 0xff00, 0xff];
    return usual.map(toMask);
  }
  // Part of the larger headers; after a header of 40 bytes.
  const hasAlpha = headerSize >= 56 || compression === ALPHA_BIT_FIELDS;
  const count = hasAlpha ? 4 : 3;
  if (view.byteLength < 54 + 4 * count) throw cut();
  return Array.from({ length: count }, (_, index) => view.getUint32(54 + 4 * index, true)).map((mask, index) =>
    index === 3 && mask === 0 ? undefined : toMask(mask),
  );
}

function toMask(mask: number): ChannelMask {
  if (mask === 0) return NO_MASK;
  const shift = 31 - Math.clz32(mask & -mask);
  return { shift, most: mask >>> shift }; // 1 bits without gaps
}

interface Indices {
  readonly start: number;
  readonly width: number;
  readonly height: number;
  readonly bits: number;
  readonly cut: () => ImageError;
  /** @param y row, counted in the order of the file. */
  readonly put: (y: number, x: number, index: number) => void;
}

/** High bits first; each row starts at a multiple of four bytes. */
function readIndices(bytes: Uint8Array, { start, width, height, bits, cut, put }: Indices): void {
  const stride = 4 * Math.ceil((width * bits) / 32);
  if (start + stride * height > bytes.length) throw cut();
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const bit = x * bits;
      const byte = bytes[start + y * stride + (bit >> 3)];
      put(y, x, (byte >> (8 - bits - (bit & 7))) & (2 ** bits - 1));
    }
  }
}

/**
 * Decodes runs of one colour (of two alternating colours at 4 bits), literal runs and moves; each starts at an even
 * byte.
 */
function readRuns(bytes: Uint8Array, { start, width, height, bits, cut, put }: Indices): void {
  let [at, x, y] = [start, 0, 0];
  const next = () => {
    if (at >= bytes.length) throw cut();
    return bytes[at++];
  };
  const pixel = (index: number) => {
    if (x < width && y < height) put(y, x, index);
    x++;
  };
  const nibble = (byte: number, place: number) => (place % 2 === 0 ? byte >> 4 : byte & 15);
  while (y < height) {
    const count = next();
    const value = next();
    if (count > 0) {
      for (let i = 0; i < count; i++) pixel(bits === 8 ? value : nibble(value, i));
    } else if (value === 0) [x, y] = [0, y + 1];
    else if (value === 1) return;
    else if (value === 2) [x, y] = [x + next(), y + next()];
    else {
      const first = at;
      for (let i = 0, byte = 0; i < value; i++) {
        if (bits === 8 || i % 2 === 0) byte = next();
        pixel(bits === 8 ? byte : nibble(byte, i));
      }
      if ((at - first) % 2 === 1) at++;
    }
  }
}
