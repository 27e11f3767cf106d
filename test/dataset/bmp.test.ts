import { expect, test } from "vitest";
import { ImageError } from "../../src/core/errors.js";
import { random as randomOf } from "../../src/core/random.js";
import { readBitmap } from "../../src/dataset/bmp.js";
import { decodeImage } from "../../src/dataset/open-image.js";

interface Parts {
  readonly width: number;
  /** Negative: rows from the top. */
  readonly height: number;
  readonly bits: number;
  readonly compression?: number;
  /** Blue, green, red, 0 of each colour; or the bit masks. */
  readonly table?: readonly number[];
  readonly data: readonly number[];
}

/** A file with the header of Windows 3, 40 bytes. */
function bmp({ width, height, bits, compression = 0, table = [], data }: Parts): Buffer {
  const head = Buffer.alloc(54);
  head.write("BM");
  head.writeUInt32LE(54 + table.length, 10);
  head.writeUInt32LE(40, 14);
  head.writeInt32LE(width, 18);
  head.writeInt32LE(height, 22);
  head.writeUInt16LE(1, 26);
  head.writeUInt16LE(bits, 28);
  head.writeUInt32LE(compression, 30);
  if (bits <= 8) head.writeUInt32LE(table.length / 4, 46);
  return Buffer.concat([head, Buffer.from(table), Buffer.from(data)]);
}

const decode = (parts: Parts) => [...readBitmap(bmp(parts), "x.bmp").decode()];
const BLACK_RED_GREEN = [0, 0, 0, 0, 0, 0, 255, 0, 0, 255, 0, 0];
const [K, R, G] = [
  [0, 0, 0],
  [255, 0, 0],
  [0, 255, 0],
];

test("24 bits: blue first, rows from the bottom, each filled up to four bytes", () => {
  // Lower row: red; upper row: green.
  const data = [0, 0, 255, 9, 0, 255, 0, 9];
  expect(decode({ width: 1, height: 2, bits: 24, data })).toEqual([...G, ...R]);
  expect(decode({ width: 1, height: -2, bits: 24, data })).toEqual([...R, ...G]);
});

test("1, 4 and 8 bits index a palette, high bits first", () => {
  const table = BLACK_RED_GREEN;
  const two = table.slice(0, 8);
  expect(decode({ width: 3, height: 1, bits: 1, table: two, data: [0b0110_0000, 0, 0, 0] })).toEqual([
    ...K,
    ...R,
    ...R,
  ]);
  expect(decode({ width: 3, height: 1, bits: 4, table, data: [0x12, 0x00, 0, 0] })).toEqual([...R, ...G, ...K]);
  expect(decode({ width: 2, height: 1, bits: 8, table, data: [2, 1, 0, 0] })).toEqual([...G, ...R]);
});

test("16 bits are 5, 5, 5 or as the masks say; 32 bits have no alpha unless a mask says so", () => {
  // Red 31 of 31, green 0, blue 16 of 31: 16 * 255 / 31 = 131.6.
  expect(decode({ width: 1, height: 1, bits: 16, data: [0x10, 0x7c, 0, 0] })).toEqual([255, 0, 132]);
  const masks = [0x00, 0xf8, 0, 0, 0xe0, 0x07, 0, 0, 0x1f, 0, 0, 0];
  expect(decode({ width: 1, height: 1, bits: 16, compression: 3, table: masks, data: [0x10, 0xf8, 0, 0] })).toEqual([
    255, 0, 132,
  ]);
  expect(decode({ width: 1, height: 1, bits: 32, data: [1, 2, 3, 0] })).toEqual([3, 2, 1]);
  const four = [0, 0, 0xff, 0, 0, 0xff, 0, 0, 0xff, 0, 0, 0, 0, 0, 0, 0xff];
  const withAlpha = bmp({ width: 1, height: 1, bits: 32, compression: 6, table: four, data: [1, 2, 3, 51] });
  expect([...readBitmap(withAlpha, "x.bmp").decode()]).toEqual([3, 2, 1, 51]);
});

test("run lengths: runs, literals, ends of lines, moves; what they leave out is the first colour", () => {
  const table = BLACK_RED_GREEN;
  // Lower row: two red, end of line. Upper row: one to the right, literal green red green (and a byte to fill), end.
  const data = [2, 1, 0, 0, 0, 2, 1, 0, 0, 3, 2, 1, 2, 0, 0, 1];
  expect(decode({ width: 4, height: 2, bits: 8, compression: 1, table, data })).toEqual([
    ...[K, G, R, G].flat(),
    ...[R, R, K, K].flat(),
  ]);
  // 4 bits: a run of three of red and green in turn; a literal of three in two bytes.
  const four = [3, 0x12, 0, 0, 0, 3, 0x21, 0x20, 0, 1];
  expect(decode({ width: 3, height: 2, bits: 4, compression: 2, table, data: four })).toEqual([
    ...[G, R, G].flat(),
    ...[R, G, R].flat(),
  ]);
});

test("is read like any other image", async () => {
  const data = [0, 0, 255, 0, 0, 255, 0, 0];
  const file = bmp({ width: 2, height: 1, bits: 24, data });
  const { pixels: image, width, height } = await decodeImage(file, { size: 2 });
  expect([width, height]).toEqual([2, 1]);
  expect([...image]).toEqual([...R, ...R, ...R, ...R]);
});

test("what is cut off, too large, unknown or names no colour is refused in one line", async () => {
  const refusal = (file: Uint8Array) =>
    decodeImage(file, { size: 2, name: "x.bmp" }).then(
      () => "",
      (error: Error) => error.message,
    );
  const good = { width: 2, height: 1, bits: 8, table: BLACK_RED_GREEN, data: [1, 2, 0, 0] };
  const whole = bmp(good);
  for (const length of [2, 20, 50, whole.length - 1])
    expect(await refusal(whole.subarray(0, length))).toMatch(/^x\.bmp: a BMP cut off after \d+ bytes\. Save it again/);
  expect(await refusal(bmp({ ...good, data: [1, 3, 0, 0] }))).toMatch(/names colour 3 of 3/);
  expect(await refusal(bmp({ ...good, width: 20_000, height: 20_000 }))).toMatch(/the limit is 100 million/);
  expect(await refusal(bmp({ ...good, width: -2 }))).toMatch(/a BMP of -2 x 1 pixels/);
  expect(await refusal(bmp({ ...good, compression: 5 }))).toMatch(/8 bits, compression 5, is not read/);
});

test("a thousand changed files are read or refused, and nothing else happens", () => {
  const random = randomOf(7);
  const originals = [
    bmp({
      width: 4,
      height: 2,
      bits: 8,
      compression: 1,
      table: BLACK_RED_GREEN,
      data: [2, 1, 0, 0, 0, 2, 1, 0, 0, 3, 2, 1, 2, 0, 0, 1],
    }),
    bmp({
      width: 3,
      height: 2,
      bits: 4,
      compression: 2,
      table: BLACK_RED_GREEN,
      data: [3, 0x12, 0, 0, 0, 3, 0x21, 0x20, 0, 1],
    }),
    bmp({ width: 1, height: 2, bits: 24, data: [0, 0, 255, 9, 0, 255, 0, 9] }),
  ];
  let [read, refused] = [0, 0];
  for (let round = 0; round < 1000; round++) {
    const bytes = Buffer.from(originals[round % 3]);
    // Not the sizes, whose limit `decodeImage` holds.
    for (let k = 0; k < 3; k++)
      bytes[26 + Math.floor(random.next() * (bytes.length - 26))] = Math.floor(random.next() * 256);
    try {
      const { decode, width, height, channels } = readBitmap(bytes, "x.bmp");
      expect(decode()).toHaveLength(width * height * channels);
      read++;
    } catch (error) {
      expect(error).toBeInstanceOf(ImageError);
      refused++;
    }
  }
  expect(read).toBeGreaterThan(100);
  expect(refused).toBeGreaterThan(100);
});
