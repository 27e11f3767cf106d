/** Encodes grey pixels as PNG: for masks, of which every image has several, a call of sharp takes longer than the work. */

import { constants, crc32, deflateSync } from "node:zlib";

const SIGNATURE = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);
/** Of the header: eight bits, grey, deflated, filters by row, not interlaced. */
const GREY = [8, 0, 0, 0, 0];

/** Masks are runs of equal values: nothing else is searched for. */
const RUNS = { level: 6, strategy: constants.Z_RLE };

/** @param values `[height * width]`, rows from the top, 0..255. @returns the bytes of a PNG of 8 bits. */
export function greyPng(values: Uint8Array, { width, height }: { width: number; height: number }): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set(GREY, 8);
  // Before each row stands the number of its filter, 0 for none.
  const rows = new Uint8Array((width + 1) * height);
  for (let y = 0; y < height; y++) rows.set(values.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
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
