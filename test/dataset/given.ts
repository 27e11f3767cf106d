/** Small files and folders that the dataset tests start from. */

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import sharp from "sharp";
import { afterAll } from "vitest";

/** A folder that is removed when the test file is done. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "aspectlens-"));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** `[height, width, 3]` from a function of place. */
export function rgb(width: number, height: number, colour: (x: number, y: number) => readonly number[]): Uint8Array {
  const out = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) out.set(colour(x, y), (y * width + x) * 3);
  return out;
}

export function fromRaw(data: Uint8Array, width: number, height: number, channels: 1 | 2 | 3 | 4 = 3) {
  return sharp(data, { raw: { width, height, channels } });
}

/** A grey PNG of the given bit depth, written chunk by chunk; rows are packed as the format wants. */
export function pngBytes(
  rows: readonly (readonly number[])[],
  {
    depth = 8,
    colourType = 0,
    palette,
    pixels,
    extra = [],
  }: {
    depth?: 1 | 2 | 4 | 8 | 16;
    colourType?: 0 | 3;
    palette?: readonly number[];
    /** What stands in place of the deflated rows. */
    pixels?: Buffer;
    /** Further chunks, before the pixels. */
    extra?: readonly (readonly [string, Buffer])[];
  } = {},
): Buffer {
  const packed = rows.map((row) => {
    const bytes = new Uint8Array(1 + Math.ceil((row.length * depth) / 8)); // first the filter, none
    row.forEach((value, x) => {
      if (depth === 16) bytes.set([value >> 8, value & 255], 1 + 2 * x);
      else bytes[1 + ((x * depth) >> 3)] |= value << (8 - depth - ((x * depth) & 7));
    });
    return Buffer.from(bytes);
  });
  return Buffer.concat([
    SIGNATURE,
    pngHeader(rows[0].length, rows.length, { depth, colourType }),
    ...(palette ? [chunk("PLTE", Buffer.from(palette))] : []),
    ...extra.map(([type, data]) => chunk(type, data)),
    chunk("IDAT", pixels ?? deflateSync(Buffer.concat(packed))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** A PNG that claims a size and holds almost nothing. */
export function hollowPng(width: number, height: number, { depth = 8, colourType = 2, interlace = 0 } = {}): Buffer {
  const header = pngHeader(width, height, { depth, colourType, interlace });
  return Buffer.concat([
    SIGNATURE,
    header,
    chunk("IDAT", deflateSync(Buffer.alloc(64))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** Writes a dataset: the manifest, the lines (objects, or text as it is), and files by path. */
export async function writeDataset(
  folder: string,
  {
    manifest = {},
    lines,
    files = {},
  }: { manifest?: object; lines: readonly (object | string)[]; files?: Readonly<Record<string, Uint8Array>> },
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const whole = {
    format: "aspectlens-dataset/1",
    name: "given",
    classes: ["a", "b"],
    samples: "samples.jsonl",
    aspects: [],
    ...manifest,
  };
  await writeFile(join(folder, "dataset.json"), JSON.stringify(whole));
  const text = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n");
  await writeFile(join(folder, "samples.jsonl"), `${text}\n`);
  for (const [path, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  }
  return folder;
}

const SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);

function pngHeader(
  width: number,
  height: number,
  { depth, colourType, interlace = 0 }: { depth: number; colourType: number; interlace?: number },
): Buffer {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  data.set([depth, colourType, 0, 0, interlace], 8);
  return chunk("IHDR", data);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body) >>> 0);
  return Buffer.concat([length, body, check]);
}
