import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkRasterSize, toMap, toMask } from "../../src/dataset/mask.js";
import { type Raster, readRaster } from "../../src/dataset/raster.js";
import { fromRaw, hollowPng, pngBytes, rgb, temporaryFolder } from "./given.js";

const folder = await temporaryFolder();
let count = 0;

async function rasterOf(bytes: Uint8Array, ending = "png"): Promise<Raster> {
  const path = join(folder, `${count++}.${ending}`);
  await writeFile(path, bytes);
  return readRaster(path);
}

const whole = ({ width, height }: Raster) => ({ crop: { left: 0, top: 0, width, height }, flip: false, path: "m.png" });

describe("readRaster", () => {
  test("gives the indices of a palette, not its colours", async () => {
    const rows = [
      [0, 1, 2],
      [2, 1, 0],
    ];
    const palette = [9, 9, 9, 200, 0, 0, 0, 0, 0];
    for (const depth of [2, 4, 8] as const) {
      const raster = await rasterOf(pngBytes(rows, { depth, colourType: 3, palette }));
      expect([...raster.values]).toEqual([0, 1, 2, 2, 1, 0]);
      expect(raster.meaning).toBe("indices");
    }
  });

  test("gives the levels of a grey PNG of 1, 2, 4, 8 and 16 bits, rows that end within a byte included", async () => {
    for (const [depth, maximum] of [
      [1, 1],
      [2, 3],
      [4, 15],
      [8, 255],
      [16, 65535],
    ] as const) {
      const rows = [0, 1].map((y) => Array.from({ length: 11 }, (_, x) => ((x * 7 + y * 3) * 2477) % (maximum + 1)));
      const raster = await rasterOf(pngBytes(rows, { depth }));
      expect([...raster.values]).toEqual(rows.flat());
      expect([raster.maximum, raster.width, raster.height]).toEqual([maximum, 11, 2]);
    }
  });

  test("takes the level of a mask saved as grey RGB, and 0 where it is wholly transparent", async () => {
    const data = Uint8Array.of(3, 3, 3, 255, 3, 3, 3, 0, 0, 0, 0, 255, 7, 7, 7, 128);
    const raster = await rasterOf(await fromRaw(data, 4, 1, 4).png().toBuffer());
    expect([...raster.values]).toEqual([3, 0, 0, 7]);
    expect(raster.meaning).toBe("levels");
  });

  test("reads a lossless mask that is no PNG, and marks a JPEG as lossy", async () => {
    const levels = Uint8Array.of(0, 1, 2, 255);
    const tiff = await rasterOf(
      await fromRaw(levels, 2, 2, 1).toColourspace("b-w").tiff({ compression: "lzw" }).toBuffer(),
      "tif",
    );
    expect([...tiff.values]).toEqual([0, 1, 2, 255]);
    expect(tiff.isLossy).toBe(false);
    const jpeg = await rasterOf(await fromRaw(levels, 2, 2, 1).toColourspace("b-w").jpeg().toBuffer(), "jpg");
    expect(jpeg.isLossy).toBe(true);
  });

  test("refuses a PNG that is cut off, damaged, or too large, before allocating for it", async () => {
    const bytes = pngBytes(Array.from({ length: 40 }, (_, y) => Array.from({ length: 40 }, (_, x) => (x * y) % 256)));
    await expect(rasterOf(bytes.subarray(0, 20))).rejects.toThrow("cut off after 20 bytes");
    await expect(rasterOf(bytes.subarray(0, bytes.length - 30))).rejects.toThrow("not a whole PNG");
    const interlaced = pngBytes([[0, 1, 1]], { depth: 1 });
    interlaced[28] = 1;
    await expect(rasterOf(interlaced)).rejects.toThrow("an interlaced PNG of 1 bits cannot be read");
    const damaged = Buffer.from(bytes);
    damaged[50] ^= 255;
    await expect(rasterOf(damaged)).rejects.toThrow("not a whole PNG");
    await expect(rasterOf(hollowPng(20_000, 20_000))).rejects.toThrow("20000 x 20000 pixels");
  });
});

describe("toMask", () => {
  test("calls any value but zero the aspect, or only those that are picked", async () => {
    const raster = await rasterOf(pngBytes([[0, 1, 2, 3]].flatMap((row) => [row, row, row, row])));
    const options = { size: 4, ...whole(raster) };
    expect([...toMask(raster, options).subarray(0, 4)]).toEqual([0, 1, 1, 1]);
    expect([...toMask(raster, { ...options, values: [1, 3] }).subarray(0, 4)]).toEqual([0, 1, 0, 1]);
    expect([...toMask(raster, { ...options, values: [0] }).subarray(0, 4)]).toEqual([1, 0, 0, 0]);
  });

  test("takes the pixel under the middle of each output pixel", async () => {
    // 5 -> 3: middles at 0.83, 2.5, 4.17, so columns 0, 2, 4.
    const raster = await rasterOf(pngBytes(Array.from({ length: 5 }, () => [1, 0, 1, 0, 1])));
    expect([...toMask(raster, { size: 3, ...whole(raster) })]).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1]);
    // The three columns from 1 on, one each.
    const crop = { left: 1, top: 0, width: 3, height: 5 };
    expect([...toMask(raster, { size: 3, crop, flip: false, path: "m" }).subarray(0, 3)]).toEqual([0, 1, 0]);
  });

  test("takes the halo of a JPEG for background", async () => {
    const levels = Uint8Array.from({ length: 32 * 32 }, (_, i) => (i % 32 < 11 ? 255 : 0));
    const raster = await rasterOf(
      await fromRaw(levels, 32, 32, 1).toColourspace("b-w").jpeg({ quality: 60 }).toBuffer(),
      "jpg",
    );
    expect(raster.values.some((value, i) => value > 0 && i % 32 > 11)).toBe(true);
    expect([...toMask(raster, { size: 32, ...whole(raster) })]).toEqual(
      [...levels].map((value) => (value > 0 ? 1 : 0)),
    );
  });

  test("refuses to pick values among colours", async () => {
    const raster = await rasterOf(
      await fromRaw(
        rgb(2, 2, () => [200, 10, 0]),
        2,
        2,
      )
        .png({ palette: false })
        .toBuffer(),
    );
    expect([...toMask(raster, { size: 2, ...whole(raster) })]).toEqual([1, 1, 1, 1]);
    expect(() => toMask(raster, { size: 2, ...whole(raster), values: [1] })).toThrow("m.png: its pixels are colours");
  });
});

describe("toMap", () => {
  test("scales the file's range to 0..255", async () => {
    const sixteen = await rasterOf(
      pngBytes(
        [[0, 32896, 65535, 257]].flatMap((row) => [row, row, row, row]),
        { depth: 16 },
      ),
    );
    expect([...toMap(sixteen, { size: 4, ...whole(sixteen) }).subarray(0, 4)]).toEqual([0, 128, 255, 1]);
    const two = await rasterOf(
      pngBytes(
        [[0, 1, 2, 3]].flatMap((row) => [row, row, row, row]),
        { depth: 2 },
      ),
    );
    expect([...toMap(two, { size: 4, ...whole(two) }).subarray(0, 4)]).toEqual([0, 85, 170, 255]);
  });

  test("refuses palette indices, whose order means nothing", async () => {
    const raster = await rasterOf(pngBytes([[0, 1]], { colourType: 3, palette: [0, 0, 0, 9, 9, 9] }));
    expect(() => toMap(raster, { size: 2, ...whole(raster) })).toThrow("palette indices, not amounts");
  });
});

test("a mask of another size than its image is refused, naming both", async () => {
  const raster = await rasterOf(pngBytes([[0, 1]]));
  expect(() => checkRasterSize(raster, { width: 3, height: 7 }, "m.png")).toThrow(
    /m\.png: 2 x 1 pixels, its image has 3 x 7/,
  );
});
