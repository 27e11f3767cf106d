/** Malformed images for `explain`, and malformed masks for `data check`. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import sharp from "sharp";
import type { Random } from "../../src/core/random.js";
import { mutateBytes, pick } from "./mutations.js";
import type { Place } from "./places.js";
import type { AbuseCase } from "./run.js";

const FORMATS = ["png", "jpeg", "webp", "tiff", "gif", "avif"] as const;

/** A PNG chunk with its length and checksum. */
function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** A PNG whose header says what it likes; `data` is what it inflates to. */
function png(
  { width, height, depth = 8, colour = 0 }: { width: number; height: number; depth?: number; colour?: number },
  data: Uint8Array,
): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width >>> 0, 0);
  header.writeUInt32BE(height >>> 0, 4);
  header.set([depth, colour], 8);
  const signature = Buffer.from("89504e470d0a1a0a", "hex");
  const parts = [chunk("IHDR", header), chunk("IDAT", deflateSync(data, { level: 9 })), chunk("IEND", Buffer.alloc(0))];
  return Buffer.concat([signature, ...parts]);
}

interface Drawn {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Of the upright picture before it was spoilt. */
  readonly width?: number;
  readonly height?: number;
}

/** Made for harm, not by chance. */
const CRAFTED: Readonly<Record<string, (random: Random) => Uint8Array>> = {
  "a PNG of 2^31 pixels": () => png({ width: 2 ** 16, height: 2 ** 15 }, Buffer.alloc(100)),
  "a PNG without height": () => png({ width: 8, height: 0 }, Buffer.alloc(100)),
  "a PNG that inflates to 500 MB": () => png({ width: 8, height: 8 }, Buffer.alloc(500 * 2 ** 20)),
  "a PNG of one column": () => png({ width: 1, height: 60_000 }, Buffer.alloc(120_000)),
  "a PNG of one row": () => png({ width: 60_000, height: 1 }, Buffer.alloc(60_001)),
  "a PNG of 16 bits, 9,000 x 9,000": () =>
    png({ width: 9000, height: 9000, depth: 16, colour: 2 }, Buffer.alloc(9000 * (1 + 9000 * 6))),
  "a PNG of depth 3": () => png({ width: 8, height: 8, depth: 3 }, Buffer.alloc(100)),
  "a PNG with a palette missing": () => png({ width: 8, height: 8, colour: 3 }, Buffer.alloc(100)),
  "a text": () => Buffer.from("this is no image\n"),
  "an SVG that names a file": () =>
    Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="/etc/passwd"/></svg>'),
  "an SVG of 10^9 pixels": () =>
    Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg" width="99999" height="99999"><rect width="9" height="9"/></svg>',
    ),
  "an SVG of entities": () =>
    Buffer.from(
      `<!DOCTYPE s [<!ENTITY a "${"a".repeat(1000)}">${[..."bcdefgh"].map((name, i) => `<!ENTITY ${name} "${`&${"abcdefg"[i]};`.repeat(20)}">`).join("")}]><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>&h;</text></svg>`,
    ),
  "a BMP of 2^31 pixels": () => bmp(2 ** 16, 2 ** 15, 24),
  "a BMP cut off": () => bmp(64, 64, 24),
  "a BMP of odd depth": (random) => bmp(8, 8, pick(random, [0, 2, 3, 64, 65535])),
  "a BMP upside down": () => Buffer.concat([bmp(8, -8, 24), Buffer.alloc(8 * 24)]),
  "a HEIC": () => Buffer.from("000000186674797068656963000000006d696631686569630000", "hex"),
  "a PDF": () => Buffer.from("%PDF-1.4\n%%EOF\n"),
};

function bmp(width: number, height: number, depth: number): Buffer {
  const header = Buffer.alloc(54);
  header.write("BM");
  header.writeUInt32LE(54, 10);
  header.writeUInt32LE(40, 14);
  header.writeInt32LE(width | 0, 18);
  header.writeInt32LE(height | 0, 22);
  header.writeUInt16LE(1, 26);
  header.writeUInt16LE(depth, 28);
  return header;
}

async function spoilt(random: Random): Promise<Drawn> {
  if (random.next() < 0.2) {
    const name = pick(random, Object.keys(CRAFTED));
    return { name, bytes: CRAFTED[name](random) };
  }
  const format = pick(random, FORMATS);
  const [width, height] = [1 + random.integer(80), 1 + random.integer(80)];
  const channels = pick(random, [3, 4] as const);
  const pixels = Buffer.from(Array.from({ length: width * height * channels }, () => random.integer(256)));
  const image = sharp(pixels, { raw: { width, height, channels } });
  const orientation = 1 + random.integer(8);
  const coded = await image.withMetadata({ orientation }).toFormat(format).toBuffer();
  const { name, value } = mutateBytes(coded, random);
  const isTurned = orientation > 4 && format !== "gif"; // which keeps no orientation
  const sides = isTurned ? { width: height, height: width } : { width, height };
  return { name: `${format}, ${name}`, bytes: value, ...sides };
}

/** An image that is spoilt, to be explained. */
export async function imageCase(random: Random, { folder }: Place): Promise<AbuseCase> {
  const { name, bytes } = await spoilt(random);
  const ending = pick(random, ["png", "jpg", "bmp", "tiff", "x"]);
  const path = join(
    folder,
    `${pick(random, ["a", "-", "a b", "\u001b[31mred", "a\nb", "é", "constructor"])}.${ending}`,
  );
  writeFileSync(path, bytes);
  return { name: `image: ${name}`, args: ["explain", "model.aspect", path, "--out", join(folder, "out")] };
}

/** A dataset of one image whose mask is spoilt. */
export async function maskCase(random: Random, { folder }: Place): Promise<AbuseCase> {
  const { name, bytes, width = 8, height = 8 } = await spoilt(random);
  const manifest = {
    ...{ format: "aspectlens-dataset/1", name: "spoilt", classes: ["a", "b"], samples: "samples.jsonl" },
    aspects: [{ name: "thing", kind: "segmentation" }],
  };
  const values = pick(random, [undefined, [1], [255], [65_535]]);
  const record = { image: "image.png", split: "train", label: "a", aspects: { thing: { mask: "mask.png", values } } };
  mkdirSync(join(folder, "set"));
  writeFileSync(join(folder, "set", "dataset.json"), JSON.stringify(manifest));
  writeFileSync(join(folder, "set", "samples.jsonl"), `${JSON.stringify(record)}\n`);
  writeFileSync(join(folder, "set", "mask.png"), bytes);
  await sharp({ create: { width, height, channels: 3, background: "#777" } }).toFile(join(folder, "set", "image.png"));
  return { name: `mask: ${name}`, args: ["data", "check", join(folder, "set")] };
}
