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
const view = { size: 32, crop: { left: 3, top: 5, width: 40, height: 31 }, flip: true };

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
  writeFileSync(at("mask.png"), await noise(3).toColourspace("b-w").png().toBuffer());
});

describe("pixels kept between epochs", () => {
  test.each(["plain.png", "plain.jpg", "grey.jpg", "alpha.png", "turned.jpg"])(
    "%s renders bit for bit as from the file, twice",
    async (name) => {
      const cache = createPixelCache({ bytes: 1e6, inputSize: 32 });
      const expected = await (await openImage(at(name))).render(view);
      for (let turn = 0; turn < 2; turn++) expect(await (await cache.image(at(name))).render(view)).toEqual(expected);
    },
  );

  test("a kept file is not read again; one that cannot be kept bit for bit is", async () => {
    const cache = createPixelCache({ bytes: 1e6, inputSize: 32 });
    const copies = await Promise.all(
      ["plain.png", "alpha.png", "mask.png", "grey.jpg"].map(async (name) => {
        await sharp(at(name)).toFile(at(`copy-${name}`));
        return at(`copy-${name}`);
      }),
    );
    const [plain, alpha, mask, grey] = copies;
    await cache.image(plain);
    await cache.image(grey);
    await cache.image(alpha);
    const raster = await cache.raster(mask);
    for (const copy of copies) rmSync(copy);
    expect((await cache.image(plain)).width).toBe(60);
    expect((await cache.image(grey)).width).toBe(60);
    expect(await cache.raster(mask)).toBe(raster);
    await expect(cache.image(alpha)).rejects.toThrow(/no such file/);
  });

  test("no more than its bytes are kept", async () => {
    const cache = createPixelCache({ bytes: 60 * 50 * 3 - 1, inputSize: 32 });
    await sharp(at("plain.png")).toFile(at("gone.png"));
    await cache.image(at("gone.png"));
    rmSync(at("gone.png"));
    await expect(cache.image(at("gone.png"))).rejects.toThrow(/no such file/);
  });

  test("an image that decoders shrink on loading is not kept", async () => {
    expect(await (await openImage(at("plain.jpg"))).keepDecoded({ size: 18 })).toBeNull();
    expect(await (await openImage(at("plain.jpg"))).keepDecoded({ size: 19 })).not.toBeNull();
  });
});
