/** Encodes grey pixels as PNG: for masks, of which every image has several, a call of sharp takes longer than the work. */

import { constants, crc32, deflateSync } from "node:zlib";
import { reused } from "./reused-memory.js";

const SIGNATURE = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);
/** Of the header: eight bits, grey, deflated, filters by row, not interlaced. */
const GREY = [8, 0, 0, 0, 0];

/** Masks are runs of equal values: nothing else is searched for. */
const RUNS = { level: 6, strategy: constants.Z_RLE };

/** The filter of a row that is stored as its difference to the one above: zeros alone, where they are equal. */
const UP = 2;

const rowMemory = reused((length) => new Uint8Array(length));

/** @param values `[height * width]`, rows from the top, 0..255. @returns the bytes of a PNG of 8 bits. */
export function greyPng(values: Uint8Array, { width, height }: { width: number; height: number }): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set(GREY, 8);
  // Before each row stands the number of its filter, 0 for none, 2 for the difference to the row above.
  const rows = rowMemory((width + 1) * height).fill(0);
  const pixels = Buffer.from(values.buffer, values.byteOffset, values.length);
  for (let y = 0; y < height; y++) {
    const [start, end] = [y * width, (y + 1) * width];
    const isAsAbove = y > 0 && pixels.compare(pixels, start, end, start - width, start) === 0;
    if (isAsAbove) rows[y * (width + 1)] = UP;
    else rows.set(values.subarray(start, end), y * (width + 1) + 1);
  }
  const chunks = [chunk("IHDR", header), chunk("IDAT", deflateSync(rows, RUNS)), chunk("IEND", Buffer.alloc(0))];
  return new Uint8Array(Buffer.concat([SIGNATURE, ...chunks]));
}

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const whole = Buffer.alloc(body.length + 8);
  whole.writeUInt32BE(data.length, 0);
  whole.set(body, 4);
  whole.writeUInt32BE(crc32(body), body.length + 4);
  return whole;
}
