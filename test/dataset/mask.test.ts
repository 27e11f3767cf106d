import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
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
    await expect(rasterOf(bytes.subarray(0, bytes.length - 30))).rejects.toThrow("cut off after");
    const forged = Buffer.from(bytes);
    forged[25] = 3; // another kind of colours, without a header's new check value
    await expect(rasterOf(forged)).rejects.toThrow("its header is damaged");
    const damaged = Buffer.from(bytes);
    damaged[50] ^= 255;
    await expect(rasterOf(damaged)).rejects.toThrow("not a whole PNG");
    await expect(rasterOf(hollowPng(20_000, 20_000))).rejects.toThrow("20000 x 20000 pixels");
    // 10,000 x 10,000 of three channels of 16 bits: 600 MB
    await expect(rasterOf(hollowPng(10_000, 10_000, { depth: 16 }))).rejects.toThrow("take 600 MB, the limit is 400");
  });

  test("unpacks no more of a PNG than its pixels: not 256 MB behind 8 x 8, nor a colour profile", async () => {
    const rows = Array.from({ length: 8 }, () => [0, 1, 2, 3, 4, 5, 6, 7]);
    const packed = deflateSync(Buffer.alloc(2 ** 28), { level: 9 });
    const profile = Buffer.concat([Buffer.from("x\0\0", "latin1"), packed]);
    for (const bytes of [pngBytes(rows, { pixels: packed }), pngBytes(rows, { extra: [["iCCP", profile]] })]) {
      const before = process.memoryUsage().rss;
      expect((await rasterOf(bytes)).width).toBe(8);
      expect(process.memoryUsage().rss - before).toBeLessThan(100e6);
    }
  });

  test("turns a PNG as its EXIF orientation says, palettes too", async () => {
    // TIFF header, one entry: orientation (0x112), a short, once, 6 (turn clockwise).
    const exif = Buffer.from("4d4d002a00000008" + "0001" + "0112000300000001" + "00060000" + "00000000", "hex");
    const rows = [
      [1, 0, 0],
      [2, 0, 0],
    ];
    for (const colours of [{}, { colourType: 3 as const, palette: [0, 0, 0, 9, 9, 9, 7, 7, 7] }]) {
      const raster = await rasterOf(pngBytes(rows, { ...colours, extra: [["eXIf", exif]] }));
      expect([raster.width, raster.height, ...raster.values]).toEqual([2, 3, 2, 1, 0, 0, 0, 0]);
    }
  });

  test("reads an interlaced PNG of one bit, and the values that occur", async () => {
    const rows = Array.from({ length: 9 }, (_, y) => Array.from({ length: 9 }, (_, x) => (x + y) % 2));
    const colours = rgb(9, 9, (x, y) => (rows[y][x] ? [250, 0, 0] : [0, 0, 250]));
    const bytes = await fromRaw(colours, 9, 9).png({ progressive: true, palette: true, colours: 2 }).toBuffer();
    expect([bytes[24], bytes[25], bytes[28]]).toEqual([1, 3, 1]); // bits, palette, interlaced
    const raster = await rasterOf(bytes);
    const first = raster.values[0];
    expect([...raster.values].map((index) => Number(index !== first))).toEqual(rows.flat());
    expect(raster.found).toEqual([0, 1]);
  });

  test("reads a BMP, its grey palette as levels", async () => {
    // Headers of 14 and 40 bytes, a palette of two greys, 3 x 2 pixels of 8 bits from the bottom row up, rows of 4 bytes.
    const header = Buffer.alloc(54);
    header.write("BM", "latin1");
    for (const [at, value] of [
      [2, 70],
      [10, 62],
      [14, 40],
      [18, 3],
      [22, 2],
      [34, 8],
      [46, 2],
    ])
      header.writeUInt32LE(value, at);
    header.set([1, 0, 8, 0], 26);
    const palette = [0, 0, 0, 0, 255, 255, 255, 0];
    const raster = await rasterOf(Buffer.concat([header, Buffer.from([...palette, 1, 0, 0, 0, 0, 1, 1, 0])]), "bmp");
    expect([...raster.values]).toEqual([0, 255, 255, 255, 0, 0]);
    expect([raster.width, raster.height, raster.meaning, raster.maximum]).toEqual([3, 2, "levels", 255]);
  });

  test("takes the opacity of a mask that is drawn in black, and half of it where it is shaded", async () => {
    const black = Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 200, 0, 0, 0, 90, 0, 0, 0, 255]);
    expect([...(await rasterOf(await fromRaw(black, 4, 1, 4).png().toBuffer())).values]).toEqual([0, 200, 90, 255]);
    const greyAndAlpha = black.filter((_, at) => at % 4 >= 2);
    const two = fromRaw(greyAndAlpha, 4, 1, 2).toColourspace("b-w");
    expect([...(await rasterOf(await two.png().toBuffer())).values]).toEqual([0, 200, 90, 255]);
    const white = black.map((value, at) => (at % 4 === 3 ? value : 255));
    expect([...(await rasterOf(await fromRaw(white, 4, 1, 4).png().toBuffer())).values]).toEqual([0, 255, 0, 255]);
    const opaque = black.map((value, at) => (at % 4 === 3 ? 255 : value));
    expect([...(await rasterOf(await fromRaw(opaque, 4, 1, 4).png().toBuffer())).values]).toEqual([0, 0, 0, 0]);
  });
});

describe("toMask", () => {
  test("calls any number of a few but zero the aspect, or only those that are picked", async () => {
    const raster = await rasterOf(pngBytes([[0, 1, 2, 3]].flatMap((row) => [row, row, row, row])));
    const options = { size: 4, ...whole(raster) };
    expect([...toMask(raster, options).subarray(0, 4)]).toEqual([0, 1, 1, 1]);
    expect([...toMask(raster, { ...options, values: [1, 3] }).subarray(0, 4)]).toEqual([0, 1, 0, 1]);
    expect([...toMask(raster, { ...options, values: [0] }).subarray(0, 4)]).toEqual([1, 0, 0, 0]);
  });

  test("beyond the image its edge is repeated, by hand", async () => {
    const raster = await rasterOf(pngBytes([[1, 0, 0, 1]].flatMap((row) => [row, row, row, row])));
    const around = (left: number, side: number) => ({
      path: "m.png",
      crop: { left, top: left, width: side, height: side },
      flip: false,
    });
    // Two pixels on each side, one source pixel each: 1 1 | 1 0 0 1 | 1 1.
    expect([...toMask(raster, { size: 8, ...around(-2, 8) }).subarray(0, 8)]).toEqual([1, 1, 1, 0, 0, 1, 1, 1]);
    // Of 6 px: 8/6 source pixels each, from -2: [-2, -2/3) edge; [-2/3, 2/3) edge and pixel 0; [2/3, 2) a third of
    // pixel 0 and all of pixel 1, 1/3 / (4/3).
    expect([...toMask(raster, { size: 6, ...around(-2, 8) }).subarray(0, 3)]).toEqual([1, 1, 0.25]);
  });

  test("gives the share of each output pixel that is covered where it is made smaller, by hand", async () => {
    const rows = [
      [1, 0, 1, 0, 1],
      [1, 0, 1, 0, 1],
      [1, 0, 1, 0, 1],
    ];
    const raster = await rasterOf(pngBytes(rows));
    // 5 -> 3: output pixels of 5/3: [0, 5/3) holds all of pixel 0; [5/3, 10/3) pixel 2; [10/3, 5) pixel 4: 1 / (5/3) each.
    expect([...toMask(raster, { size: 3, ...whole(raster) })]).toEqual(Array(9).fill(Math.fround(0.6)));
    // 5 x 3 -> 2: [0, 2.5) holds pixel 0 and half of pixel 2; so does [2.5, 5).
    expect([...toMask(raster, { size: 2, ...whole(raster) })]).toEqual(Array(4).fill(Math.fround(0.6)));
    // The three columns from 1 on, one each; mirrored, the same.
    const crop = { left: 1, top: 0, width: 3, height: 3 };
    expect([...toMask(raster, { size: 3, crop, flip: false, path: "m" }).subarray(0, 3)]).toEqual([0, 1, 0]);
    const left = { left: 0, top: 0, width: 2, height: 3 };
    expect([...toMask(raster, { size: 2, crop: left, flip: true, path: "m" })]).toEqual([0, 1, 0, 1]);
  });

  test("leaves a mask of the model's size as it is, and takes the nearest pixel where it is made larger", async () => {
    const raster = await rasterOf(pngBytes([[0, 1, 1].map((value) => value * 255), [255, 0, 0]]));
    // Columns as they are, rows 2 -> 3: middles at 0.33, 1, 1.67.
    expect([...toMask(raster, { size: 3, ...whole(raster) })]).toEqual([0, 1, 1, 1, 0, 0, 1, 0, 0]);
  });

  test("leaves a trace of one pixel in 2,000 x 2,000, and no whole pixel below 1", async () => {
    const side = 2000;
    const pixels = new Uint8Array(side * side);
    pixels[1234 * side + 567] = 255;
    const raster = await rasterOf(await fromRaw(pixels, side, side, 1).toColourspace("b-w").png().toBuffer());
    const mask = toMask(raster, { size: 96, ...whole(raster) });
    expect(mask.filter((share) => share > 0)).toHaveLength(1);
    expect(mask.reduce((sum, share) => sum + share, 0)).toBeCloseTo(96 ** 2 / side ** 2, 9);
    const full = await rasterOf(await fromRaw(pixels.fill(255), side, side, 1).toColourspace("b-w").png().toBuffer());
    expect(toMask(full, { size: 97, ...whole(full) }).every((share) => share === 1)).toBe(true);
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

  test.each([
    ["two values: any but the lowest", [100, 100, 200], {}, [0, 0, 1]],
    ["one value: any but zero", [7, 7, 7], {}, [1, 1, 1]],
    ["a few small numbers: any but zero", [1, 2, 31], {}, [1, 1, 1]],
    ["three shades: from half of full scale", [0, 127, 128], {}, [0, 0, 1]],
    ["the same in 16 bits", [0, 32767, 32768], { depth: 16 }, [0, 0, 1]],
    ["a few small numbers in 16 bits", [0, 3, 9], { depth: 16 }, [0, 1, 1]],
    ["a palette: any but the lowest", [3, 4, 200], { colourType: 3, palette: Array(603).fill(9) }, [0, 1, 1]],
  ] as const)("without values, %s", async (_, row, options, expected) => {
    const raster = await rasterOf(pngBytes([row], options as object));
    expect([...toMask(raster, { size: 3, ...whole(raster) }).subarray(0, 3)]).toEqual(expected);
  });

  test("of colours, few are labels and many are shades", async () => {
    const few = await rasterOf(
      await fromRaw(
        rgb(
          3,
          1,
          (x) =>
            [
              [0, 0, 0],
              [176, 0, 0],
              [0, 90, 0],
            ][x],
        ),
        3,
        1,
      )
        .png({ palette: false })
        .toBuffer(),
    );
    expect([...toMask(few, { size: 3, ...whole(few) }).subarray(0, 3)]).toEqual([0, 1, 1]);
    const many = await rasterOf(
      await fromRaw(
        rgb(64, 1, (x) => [4 * x, 0, 0]),
        64,
        1,
      )
        .png({ palette: false })
        .toBuffer(),
    );
    expect(toMask(many, { size: 64, ...whole(many) }).indexOf(1)).toBe(32);
  });

  test("names the values that are there where levels of few bits cannot hold those that are picked", async () => {
    const bits = await rasterOf(pngBytes([[0, 1]], { depth: 1 }));
    expect(() => toMask(bits, { size: 2, ...whole(bits), values: [255] })).toThrow(
      'm.png: "values" [255] picks nothing: the file holds 0, 1, its levels end at 1.',
    );
    const empty = await rasterOf(pngBytes([[0, 0]], { depth: 1 }));
    expect([...toMask(empty, { size: 2, ...whole(empty), values: [255] })]).toEqual([0, 0, 0, 0]);
    const indices = await rasterOf(pngBytes([[0, 1]], { depth: 1, colourType: 3, palette: [0, 0, 0, 9, 9, 9] }));
    expect([...toMask(indices, { size: 2, ...whole(indices), values: [3] })]).toEqual([0, 0, 0, 0]);
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
    /m\.png: 2 x 1 pixels; its image has 3 x 7/,
  );
});
