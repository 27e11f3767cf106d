import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { ImageError } from "../../src/core/errors.js";
import { withinBudget } from "../../src/dataset/decoding-budget.js";
import { imageFormat } from "../../src/dataset/image-format.js";
import { decodeImage, openImage } from "../../src/dataset/open-image.js";
import { hollowPng, temporaryFolder } from "./given.js";

const folder = await temporaryFolder();

function refusal(bytes: Uint8Array): string {
  try {
    imageFormat(bytes, "x.img");
    return "";
  } catch (error) {
    expect(error).toBeInstanceOf(ImageError);
    return (error as Error).message;
  }
}

/** The first box of an ISO file: its brand, and those that it is compatible with. */
function ftyp(...brands: string[]): Buffer {
  const [major, ...others] = brands;
  const size = Buffer.alloc(4);
  size.writeUInt32BE(16 + 4 * others.length);
  return Buffer.concat([size, Buffer.from(`ftyp${major}\0\0\0\0${others.join("")}`, "latin1"), Buffer.from("meta")]);
}

describe("what a file is, by its first bytes", () => {
  test("every format that sharp writes and we read", async () => {
    const image = sharp({ create: { width: 8, height: 8, channels: 3, background: "red" } });
    for (const format of ["png", "jpeg", "webp", "gif", "tiff", "avif"] as const)
      expect(imageFormat(await image.clone().toFormat(format).toBuffer(), "x")).toBe(format);
  });

  test("HEIC is named with the way out, whatever the file is called; AVIF in the same container is read", async () => {
    for (const brands of [["heic", "mif1"], ["mif1", "heic"], ["heix"], ["msf1", "hevc"]])
      expect(refusal(ftyp(...brands))).toMatch(/^x\.img: HEIC\/HEVC: convert to JPEG or PNG, as with /);
    expect(imageFormat(ftyp("mif1", "avif", "miaf"), "x")).toBe("avif");
    const renamed = join(folder, "IMG_0001.jpg");
    await writeFile(renamed, ftyp("heic", "mif1", "heic"));
    await expect(decodeImage(renamed, { size: 8 })).rejects.toThrow(/IMG_0001\.jpg: HEIC\/HEVC: convert to JPEG/);
  });

  test.each([
    [`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>`, /SVG is a drawing/],
    ["%PDF-1.7", /PDF is a document/],
    ["8BPS\0\u0001", /Photoshop/],
    [`${"\0".repeat(128)}DICM`, /DICOM: convert to PNG/],
    ["\0\0\0\fJXL \r\n", /JPEG XL: convert to/],
    ["\0\0\0\fjP  \r\n", /JPEG 2000: convert to/],
    ["<html>404</html>", /not an image that can be read/],
    ["", /not an image that can be read/],
  ])("%j is refused", (text, message) => {
    expect(refusal(Buffer.from(text, "latin1"))).toMatch(message);
  });

  test("an SVG with references and entities is refused before anything parses it", () => {
    const bomb = `<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg><text>&a;</text></svg>`;
    expect(refusal(Buffer.from(bomb))).toMatch(/SVG is a drawing/);
  });
});

describe("memory", () => {
  test("an image is refused by what its decoder would hold, before it does: interlaced, 16 bits, four channels", async () => {
    const png = hollowPng(10_000, 10_000, { depth: 16, colourType: 6, interlace: 1 });
    await expect(openImage(png, { name: "x.png" })).rejects.toThrow(
      /x\.png: 10000 x 10000 pixels as PNG take 800 MB to decode, the limit is 600 MB\. Make it smaller/,
    );
  });

  test("images whose decoders would together hold too much wait for each other", async () => {
    let [now, most] = [0, 0];
    const work = async () => {
      most = Math.max(most, ++now);
      await new Promise((done) => setTimeout(done, 5));
      now--;
    };
    await Promise.all(Array.from({ length: 6 }, () => withinBudget(250e6, work)));
    expect(most).toBe(2);
    await expect(withinBudget(600e6, () => Promise.reject(new Error("x")))).rejects.toThrow("x");
    await withinBudget(600e6, work); // what failed has given its share back
  });
});
