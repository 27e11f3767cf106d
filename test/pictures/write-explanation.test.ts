import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, expect, test } from "vitest";
import { InputError } from "../../src/core/errors.js";
import { maskFiles } from "../../src/pictures/mask-png.js";
import { writeExplanation } from "../../src/pictures/write-explanation.js";
import { explained, explanation, necrosis, tissue } from "./fixtures.js";

let folder: string;
const square = tissue({ width: 256, height: 256 });
const shape = { width: 300, height: 200 };
const aspects = [{ ...necrosis, mask: "x.necrosis.png", survivalMap: "x.necrosis.survival.png" }];
const given = { ...explained, explanation: { ...explanation, aspects } };
const filesOf = async (out: string) => (await readdir(out)).filter((name) => !name.startsWith(".")).sort();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "aspectlens-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("writes JSON, overlay and the masks that the JSON names, in the original's shape, and nothing else", async () => {
  const out = join(folder, "out");
  const paths = await writeExplanation(given, { image: square, folder: out, stem: "x", shape });
  const names = ["x.json", "x.necrosis.png", "x.necrosis.survival.png", "x.overlay.jpg"];
  expect(await filesOf(out)).toEqual(names);
  expect(paths[0]).toBe(join(out, "x.json"));
  expect(JSON.parse(await readFile(paths[0], "utf8")).aspects[0].mask).toBe("x.necrosis.png");
  // Panels of 400 x 267 (300 x 200), a caption and a scale.
  expect((await sharp(join(out, "x.overlay.jpg")).metadata()).height).toBe(76 + 26 + 267 + 30 + 8);
  for (const name of ["x.necrosis.png", "x.necrosis.survival.png"])
    expect(await sharp(join(out, name)).metadata()).toMatchObject({ ...shape, channels: 1, depth: "uchar" });
});

test("takes a path, and names the files after the image", async () => {
  const image = join(folder, "wide.png");
  await sharp({ create: { ...shape, channels: 3, background: "#c08080" } })
    .png()
    .toFile(image);
  const out = join(folder, "out");
  const one = { ...given, explanation: { ...given.explanation, image, aspects: [] } };
  const paths = await writeExplanation(one, { image, folder: out });
  expect(paths).toEqual([join(out, "wide.json"), join(out, "wide.overlay.jpg")]);
  expect((await sharp(paths[1]).metadata()).width).toBe(28 + 3 * 420 + 300 + 36);
});

test("a second explanation under the same name leaves no mask of the first; another's file is refused", async () => {
  await writeExplanation(given, { image: square, folder, stem: "x", shape });
  const absent = { ...explained, explanation: { ...explanation, aspects: [] } };
  await writeExplanation(absent, { image: square, folder, stem: "x", shape });
  expect(await filesOf(folder)).toEqual(["x.json", "x.overlay.jpg"]);
  await writeFile(join(folder, "x.necrosis.png"), "drawn by hand");
  await expect(writeExplanation(given, { image: square, folder, stem: "x", shape })).rejects.toThrow(InputError);
  expect(await filesOf(folder)).toEqual(["x.json", "x.necrosis.png", "x.overlay.jpg"]);
  expect(await readFile(join(folder, "x.necrosis.png"), "utf8")).toBe("drawn by hand");
});

test("masks are squares at the model's size where that is asked for", async () => {
  await writeExplanation(given, { image: square, folder, stem: "x", shape, maskSize: "model" });
  const { size } = explained.maps;
  expect(await sharp(join(folder, "x.necrosis.png")).metadata()).toMatchObject({ width: size, height: size });
});

test("a region keeps place and share in any size: 0 and 255, its edge where the enlarged region passes one half", async () => {
  // 4 x 4 cells, the left half: in 40 x 20 pixels the left 20 columns, in 2 x 2 the left one.
  const size = 4;
  const region = Uint8Array.from({ length: 16 }, (_, cell) => (cell % 4 < 2 ? 1 : 0));
  const survival = region.map((inside, cell) => inside * (50 + cell));
  const maps = { ...explained.maps, size, regions: { necrosis: region }, survival: { necrosis: survival } };
  const small = { explanation: given.explanation, maps };
  for (const [width, height] of [
    [40, 20],
    [10, 6],
    [2, 2],
    [4, 4],
  ]) {
    const files = await maskFiles(small, { shape: { width, height } });
    const pixels = await sharp(files["x.necrosis.png"]).toColourspace("b-w").raw().toBuffer();
    expect([...pixels]).toEqual(Array.from({ length: width * height }, (_, at) => (at % width < width / 2 ? 255 : 0)));
  }
  const files = await maskFiles(small, { shape: { width: 8, height: 4 } });
  const doubled = await sharp(files["x.necrosis.survival.png"]).toColourspace("b-w").raw().toBuffer();
  expect([...doubled.subarray(0, 8)]).toEqual([50, 50, 51, 51, 0, 0, 0, 0]);
});
