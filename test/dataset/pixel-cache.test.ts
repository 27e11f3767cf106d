import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { random } from "../../src/core/random.js";
import { openImage } from "../../src/dataset/open-image.js";
import { createPixelCache } from "../../src/dataset/pixel-cache.js";

let folder: string;
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "pixels-"));
  const stream = random(1, "pixels");
  const noise = (channels: 3 | 4) =>
    sharp(
      Uint8Array.from({ length: 60 * 50 * channels }, () => stream.integer(256)),
      { raw: { width: 60, height: 50, channels } },
    );
  await noise(3).png().toFile(at("plain.png"));
  await noise(3).jpeg().toFile(at("plain.jpg"));
  await noise(3).toColourspace("b-w").jpeg().toFile(at("grey.jpg"));
  await noise(4).png().toFile(at("alpha.png"));
  await noise(3).jpeg().withMetadata({ orientation: 6 }).toFile(at("turned.jpg"));
  await sharp(
    Uint16Array.from({ length: 60 * 50 * 3 }, () => stream.integer(65536)),
    { raw: { width: 60, height: 50, channels: 3 } },
  )
    .toColourspace("rgb16")
    .png()
    .toFile(at("wide.png"));
  writeFileSync(at("mask.png"), await noise(3).toColourspace("b-w").png().toBuffer());
});

const whole = { isWhole: true };
const parts = { isWhole: false };

describe("pixels kept between epochs", () => {
  test.each(["plain.png", "plain.jpg", "grey.jpg", "alpha.png", "turned.jpg", "wide.png"])(
    "%s, whole, renders bit for bit as from the file, twice",
    async (name) => {
      const cache = createPixelCache({ bytes: 1e6, inputSize: 32 });
      const expected = await (await openImage(at(name))).render({ size: 32, flip: true });
      for (let turn = 0; turn < 2; turn++) {
        const image = await cache.image(at(name), whole);
        expect(await image.render({ size: 32, flip: true })).toEqual(expected);
      }
    },
  );

  test("a part is the same as from the file but for the second resizing, with the image's own width and height", async () => {
    const file = at("smooth.png");
    const values = Float64Array.from({ length: 300 * 200 * 3 }, (_, i) => {
      const [x, y] = [Math.floor(i / 3) % 300, Math.floor(i / 900)];
      return 127 + 90 * Math.sin(x / 25 + (i % 3)) * Math.cos(y / 18);
    });
    await sharp(Uint8Array.from(values), { raw: { width: 300, height: 200, channels: 3 } })
      .png()
      .toFile(file);
    const cache = createPixelCache({ bytes: 1e6, inputSize: 64, crop: 0.2 });
    const image = await cache.image(file, parts);
    expect([image.width, image.height, image.byteCount]).toEqual([300, 200, 3 * 80 * 80]);
    for (const crop of [
      { left: 37, top: 11, width: 249, height: 163 },
      { left: -31, top: -7, width: 341, height: 229 },
    ]) {
      const options = { size: 64, crop, isTransposed: true };
      const [seen, expected] = [await image.render(options), await (await openImage(file)).render(options)];
      const error = seen.reduce((sum, value, i) => sum + Math.abs(value - expected[i]), 0) / seen.length;
      expect(error).toBeLessThan(2);
    }
  });

  test("of a small image not more is kept than twice the model's side, however small its parts are", async () => {
    const cache = createPixelCache({ bytes: 1e6, inputSize: 32, crop: 0.9 });
    expect((await cache.image(at("plain.png"), parts)).byteCount).toBe(3 * 64 * 64);
  });

  test("a kept file is not read again, whatever it is", async () => {
    const cache = createPixelCache({ bytes: 1e6, inputSize: 32 });
    const copies = await Promise.all(
      ["plain.png", "alpha.png", "grey.jpg", "mask.png"].map(async (name) => {
        await sharp(at(name)).toFile(at(`copy-${name}`));
        return at(`copy-${name}`);
      }),
    );
    const mask = copies[3];
    for (const copy of copies.slice(0, 3)) await cache.image(copy, parts);
    const raster = await cache.raster(mask);
    for (const copy of copies) rmSync(copy);
    for (const copy of copies.slice(0, 3)) expect((await cache.image(copy, parts)).width).toBe(60);
    expect(await cache.raster(mask)).toBe(raster);
    await expect(cache.image(copies[0], whole)).rejects.toThrow(/no such file/);
  });

  test("no more than its bytes are kept", async () => {
    const cache = createPixelCache({ bytes: 32 * 32 * 3 - 1, inputSize: 32 });
    await sharp(at("plain.png")).toFile(at("gone.png"));
    await cache.image(at("gone.png"), whole);
    rmSync(at("gone.png"));
    await expect(cache.image(at("gone.png"), whole)).rejects.toThrow(/no such file/);
  });

  test("an image that decoders shrink on loading is not kept decoded", async () => {
    expect(await (await openImage(at("plain.jpg"))).keepDecoded({ size: 18 })).toBeNull();
    expect(await (await openImage(at("plain.jpg"))).keepDecoded({ size: 19 })).not.toBeNull();
  });
});
