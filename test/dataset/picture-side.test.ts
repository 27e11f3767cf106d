import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { batches } from "../../src/dataset/batches.js";
import { openDataset } from "../../src/dataset/dataset.js";
import { pictureSide } from "../../src/dataset/picture-side.js";
import { createPixelCache } from "../../src/dataset/pixel-cache.js";
import { temporaryFolder, writeDataset } from "./given.js";

const folder = await temporaryFolder();
const blank = (width: number, height: number, channels: 3 | 4 = 3) =>
  sharp({ create: { width, height, channels, background: { r: 9, g: 90, b: 200, alpha: 0.5 } } })
    .png()
    .toBuffer();

async function given(name: string, sizes: readonly [number, number, (3 | 4)?][]) {
  const files = await Promise.all(sizes.map(async (size, i) => [`${i}.png`, await blank(...size)] as const));
  const lines = files.map(([image]) => ({ image, split: "train" as const, label: "a" }));
  return openDataset(await writeDataset(join(folder, name), { lines, files: Object.fromEntries(files) }));
}

const common = { split: "train", limit: 64 } as const;
const cache = () => createPixelCache({ bytes: 0, inputSize: 64 });

describe("the side that holds every picture", () => {
  test("is that of the largest, rounded up", async () => {
    const dataset = await given("small", [
      [20, 33],
      [41, 12],
    ]);
    expect(await pictureSide(dataset, { ...common, cache: cache() })).toBe(48);
  });

  test.each([
    ["one is too large", [20, 20], [65, 20]],
    ["one has transparency", [20, 20], [20, 20, 4]],
  ] as const)("is none where %s", async (what, first, second) => {
    const dataset = await given(what.replaceAll(" ", "-"), [[...first], [...second]]);
    expect(await pictureSide(dataset, { ...common, cache: cache() })).toBeNull();
  });

  test("is none where one cannot be read: training says so at its place", async () => {
    const dataset = await given("unreadable", [[20, 20]]);
    await rm(join(dataset.directory, "0.png"));
    expect(await pictureSide(dataset, { ...common, cache: cache() })).toBeNull();
  });

  test("is looked for no further once the signal asks", async () => {
    const dataset = await given("stopped", [
      [20, 20],
      [20, 20],
    ]);
    const signal = AbortSignal.abort();
    await expect(pictureSide(dataset, { ...common, cache: cache(), signal })).rejects.toThrow(/abort/i);
  });
});

test("a picture that has become larger since is named, not cut", async () => {
  const dataset = await given("replaced", [
    [20, 20],
    [20, 20],
  ]);
  const side = (await pictureSide(dataset, { ...common, cache: cache() })) ?? 0;
  await writeFile(join(dataset.directory, "1.png"), await blank(40, 20));
  const stream = batches(dataset, { split: "train", batchSize: 2, inputSize: 64, wholeSide: side, cache: cache() });
  await expect(stream.next()).rejects.toThrow(
    /samples\.jsonl:2: .*1\.png: is not the same image as when training began/,
  );
});
