import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encode as encodePng } from "fast-png";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { ImageError } from "../../src/core/errors.js";
import { LIMITS } from "../../src/core/limits.js";
import { decodeImage, openImage } from "../../src/dataset/open-image.js";
import { resizeCubic } from "../reference/dataset.js";
import { fromRaw, hollowPng, rgb, temporaryFolder } from "./given.js";

const folder = await temporaryFolder();
const RED = [255, 0, 0] as const;
const WHITE = [255, 255, 255] as const;

/** The one line of the error that decoding gives. */
async function refusal(source: string | Uint8Array): Promise<string> {
  const error = await decodeImage(source, { size: 8, name: "x.img" }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ImageError);
  const { message } = error as ImageError;
  expect(message).not.toContain("\n");
  expect(message).toMatch(/^x\.img: /);
  return message;
}

describe("decodeImage", () => {
  test("turns the image upright by its EXIF orientation, and crops in upright pixels", async () => {
    // Stored 40 x 20 with a red strip at the left; orientation 6 turns it clockwise, so the strip is on top of 20 x 40.
    const stored = rgb(40, 20, (x) => (x < 16 ? RED : WHITE));
    const bytes = await fromRaw(stored, 40, 20).withMetadata({ orientation: 6 }).jpeg({ quality: 100 }).toBuffer();
    const whole = await decodeImage(bytes, { size: 40 });
    expect([whole.width, whole.height]).toEqual([20, 40]);
    const green = (x: number, y: number) => whole.pixels[(y * 40 + x) * 3 + 1];
    expect(green(5, 8)).toBeLessThan(30);
    expect(green(35, 8)).toBeLessThan(30);
    expect(green(5, 30)).toBeGreaterThan(225);
    const strip = await decodeImage(bytes, { size: 4, crop: { left: 0, top: 0, width: 20, height: 8 } });
    expect(Math.max(...strip.pixels.filter((_, i) => i % 3 === 1))).toBeLessThan(30);
  });

  test("scales 16 bits by 1/257, where dropping the low byte would give other values", async () => {
    // 200 / 257 = 0.8 -> 1 (>> 8: 0); 32,767 / 257 = 127.498 -> 127; 33,023 / 257 = 128.49 -> 128; 65,279 / 257 = 254.004 -> 254.
    const values = [200, 32767, 33023, 65279, 65535, 0];
    const colour = Uint16Array.from({ length: 18 }, (_, i) => values[Math.floor(i / 3)]);
    const grey = Uint16Array.from(values);
    const expected = [1, 127, 128, 254, 255, 0];
    for (const [data, channels] of [
      [colour, 3],
      [grey, 1],
    ] as const) {
      const bytes = encodePng({ width: 6, height: 1, data, channels, depth: 16 });
      for (let x = 0; x < 6; x++) {
        const { pixels: image } = await decodeImage(bytes, { size: 1, crop: { left: x, top: 0, width: 1, height: 1 } });
        expect([...image]).toEqual([expected[x], expected[x], expected[x]]);
      }
    }
  });

  test("remarks on twelve bits in a file of sixteen, and on nothing that uses the range or is black", async () => {
    const remark = async (largest: number) => {
      const data = Uint16Array.from({ length: 4 }, (_, i) => (i === 0 ? largest : 0));
      const opened = await openImage(encodePng({ width: 2, height: 2, data, channels: 1, depth: 16 }));
      expect(opened.remark()).toBeUndefined(); // nothing is decoded yet
      await opened.render({ size: 2 });
      return opened.remark();
    };
    expect(await remark(4080)).toMatch(/^its values end at 4080 of 65535, .*12 bits in a file of 16\?/);
    expect(await remark(20_000)).toBeUndefined();
    expect(await remark(0)).toBeUndefined();
  });

  test("lays transparent pixels over white, in 8 and in 16 bits", async () => {
    // Black at alpha 51/255 = 0.2 over white: 255 * 0.8 = 204.
    const eight = encodePng({ width: 1, height: 1, data: Uint8Array.of(0, 0, 0, 51), channels: 4 });
    const sixteen = encodePng({ width: 1, height: 1, data: Uint16Array.of(0, 0, 0, 51 * 257), channels: 4, depth: 16 });
    const clear = encodePng({ width: 1, height: 1, data: Uint16Array.of(0, 0, 0, 0), channels: 4, depth: 16 });
    expect([...(await decodeImage(eight, { size: 1 })).pixels]).toEqual([204, 204, 204]);
    expect([...(await decodeImage(sixteen, { size: 1 })).pixels]).toEqual([204, 204, 204]);
    expect([...(await decodeImage(clear, { size: 1 })).pixels]).toEqual([255, 255, 255]);
  });

  test("repeats grey to RGB", async () => {
    const bytes = encodePng({ width: 2, height: 2, data: Uint8Array.of(0, 50, 100, 200), channels: 1 });
    const { pixels: image } = await decodeImage(bytes, { size: 2 });
    expect([...image]).toEqual([0, 0, 0, 50, 50, 50, 100, 100, 100, 200, 200, 200]);
  });

  test("converts CMYK to RGB: red stays red, white white", async () => {
    const bytes = await fromRaw(
      rgb(32, 16, (x) => (x < 16 ? RED : WHITE)),
      32,
      16,
    )
      .toColourspace("cmyk")
      .jpeg({ quality: 100 })
      .toBuffer();
    expect((await sharp(bytes).metadata()).space).toBe("cmyk");
    const { pixels: image } = await decodeImage(bytes, { size: 16 });
    const [r, g, b] = image.subarray((8 * 16 + 3) * 3);
    expect(r).toBeGreaterThan(200);
    expect(Math.max(g, b)).toBeLessThan(60);
    expect(Math.min(...image.subarray((8 * 16 + 13) * 3, (8 * 16 + 14) * 3))).toBeGreaterThan(240);
  });

  test("takes the first frame of an animated GIF", async () => {
    const frames = rgb(8, 16, (_, y) => (y < 8 ? RED : [0, 0, 255]));
    const bytes = await sharp(frames, { raw: { width: 8, height: 16, channels: 3, pageHeight: 8 } })
      .gif({ delay: [100, 100] })
      .toBuffer();
    expect((await sharp(bytes).metadata()).pages).toBe(2);
    const { pixels: image, height } = await decodeImage(bytes, { size: 4 });
    expect(height).toBe(8);
    expect([...image.subarray(0, 3)]).toEqual([255, 0, 0]);
    expect([...image.subarray(45, 48)]).toEqual([255, 0, 0]);
  });

  test("resizes with the kernel that it names", async () => {
    const source = rgb(30, 20, (x, y) => [(x * 37 + y * 91) % 256, x < 15 ? 20 : 230, (y * y * 5) % 256]);
    const bytes = await fromRaw(source, 30, 20).png().toBuffer();
    const { pixels: image } = await decodeImage(bytes, { size: 17 });
    const expected = resizeCubic(source, { width: 30, height: 20, size: 17 }).map((value) =>
      Math.min(255, Math.max(0, value)),
    );
    // libvips rounds to whole numbers between the two axes and keeps its weights in a few bits.
    const worst = Math.max(...expected.map((value, i) => Math.abs(value - image[i])));
    expect(worst).toBeLessThanOrEqual(3);
  });

  test("beyond the image its edge is repeated", async () => {
    const [dark, light] = [0, 200];
    const data = Uint8Array.from({ length: 4 * 4 * 3 }, (_, i) => (Math.floor(i / 3) % 4 < 2 ? dark : light));
    const bytes = await sharp(data, { raw: { width: 4, height: 4, channels: 3 } })
      .png()
      .toBuffer();
    const { pixels } = await decodeImage(bytes, { size: 8, crop: { left: -3, top: -1, width: 8, height: 8 } });
    for (let y = 0; y < 8; y++)
      expect(Array.from({ length: 8 }, (_, x) => pixels[3 * (8 * y + x)])).toEqual([0, 0, 0, 0, 0, 200, 200, 200]);
  });

  test("blurs by nearly the normal distribution, in pixels of the square, margins too", async () => {
    // White from x = 16 on, which is 24 with 8 pixels of margin.
    const step = rgb(64, 64, (x) => (x < 16 ? [0, 0, 0] : WHITE));
    const bytes = await fromRaw(step, 64, 64).png().toBuffer();
    const crop = { left: -8, top: -8, width: 80, height: 80 };
    const { pixels } = await decodeImage(bytes, { size: 80, crop, blur: 2 });
    const shareLeftOf = (deviations: number) => {
      let sum = 0; // of the normal distribution, in steps of 0.001
      for (let z = -6; z < deviations; z += 0.001) sum += (0.001 * Math.exp(-(z * z) / 2)) / Math.sqrt(2 * Math.PI);
      return sum;
    };
    for (let x = 18; x <= 30; x++) {
      const wanted = 255 * shareLeftOf((x + 0.5 - 24) / 2);
      for (const y of [1, 40, 78]) expect(Math.abs(pixels[3 * (y * 80 + x)] - wanted), `${x}, ${y}`).toBeLessThan(12);
    }
  });

  test("mirrors after the crop", async () => {
    const bytes = await fromRaw(
      rgb(8, 4, (x) => [x * 30, 0, 0]),
      8,
      4,
    )
      .png()
      .toBuffer();
    const crop = { left: 4, top: 0, width: 4, height: 4 };
    const { pixels: image } = await decodeImage(bytes, { size: 4, crop, flip: true });
    expect([image[0], image[3], image[6], image[9]]).toEqual([210, 180, 150, 120]);
  });

  test("gives the same bytes each time", async () => {
    const bytes = await fromRaw(
      rgb(61, 47, (x, y) => [(x * 7) % 256, (y * 11) % 256, (x * y) % 256]),
      61,
      47,
    )
      .jpeg()
      .toBuffer();
    const first = await decodeImage(bytes, { size: 32 });
    expect(await decodeImage(bytes, { size: 32 })).toEqual(first);
  });
});

describe("decodeImage refuses in one line", () => {
  test("a truncated JPEG, wherever it is cut, instead of giving it half grey", async () => {
    const bytes = await fromRaw(
      rgb(64, 64, (x, y) => [(x * 31) % 256, (y * 17) % 256, (x * y) % 256]),
      64,
      64,
    )
      .jpeg()
      .toBuffer();
    for (const share of [0.05, 0.4, 0.9]) {
      await refusal(bytes.subarray(0, Math.floor(bytes.length * share)));
    }
    expect(await refusal(bytes.subarray(0, bytes.length >> 1))).toContain("cannot be decoded whole");
  });

  test("a truncated PNG", async () => {
    const bytes = await fromRaw(
      rgb(64, 64, (x, y) => [(x * 31) % 256, (y * 17) % 256, (x * y) % 251]),
      64,
      64,
    )
      .png()
      .toBuffer();
    expect(await refusal(bytes.subarray(0, bytes.length >> 1))).toContain("cannot be decoded whole");
  });

  test("20,000 x 20,000 pixels, naming the size and the limit", async () => {
    const message = await refusal(hollowPng(20_000, 20_000));
    expect(message).toContain("20000 x 20000 pixels");
    expect(message).toContain("100 million");
    expect(LIMITS.imagePixels).toBe(100e6);
  });

  test("an SVG, because it is no raster image", async () => {
    const bytes = Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="5" height="5"/></svg>',
    );
    expect(await refusal(bytes)).toContain("SVG is a drawing, not a raster image");
  });

  test("what is no image", async () => {
    expect(await refusal(Buffer.from("hello, this is text"))).toContain("not an image that can be read");
  });

  test("zero bytes, a folder, and a missing file, by their paths", async () => {
    const empty = join(folder, "empty.png");
    await writeFile(empty, "");
    await mkdir(join(folder, "sub"));
    const message = (path: string) =>
      decodeImage(path, { size: 8 }).then(
        () => "",
        (error: Error) => error.message,
      );
    expect(await message(empty)).toBe(`${empty}: is empty (0 bytes). Fetch it or save it again.`);
    expect(await message(join(folder, "sub"))).toContain("is a folder");
    expect(await message(join(folder, "none.png"))).toContain("no such file");
  });
});
