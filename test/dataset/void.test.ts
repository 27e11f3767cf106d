/** Void: which pixels it is at the model's size, what is left of the others, and how it moves with the image. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { random } from "../../src/core/random.js";
import { viewBoxes } from "../../src/dataset/augment.js";
import { checkDataset } from "../../src/dataset/check.js";
import { openDataset, readRecord } from "../../src/dataset/dataset.js";
import { parseManifest } from "../../src/dataset/manifest.js";
import { ignoredPixels, toMap, toMask } from "../../src/dataset/mask.js";
import { readRaster } from "../../src/dataset/raster.js";
import { toRecord } from "../../src/dataset/record.js";
import { loadSample } from "../../src/dataset/sample.js";
import { fromRaw, pngBytes, rgb, temporaryFolder, writeDataset } from "./given.js";

const folder = await temporaryFolder();
let count = 0;

async function rasterOf(rows: readonly (readonly number[])[]) {
  const path = join(folder, `${count++}.png`);
  await writeFile(path, pngBytes(rows));
  return readRaster(path);
}

const options = (size: number, side: number) => ({
  size,
  crop: { left: 0, top: 0, width: side, height: side },
  flip: false,
  path: "m.png",
});

describe("a line", () => {
  const manifest = parseManifest(
    { format: "aspectlens-dataset/1", name: "x", classes: ["a", "b"], aspects: [{ name: "n", kind: "segmentation" }] },
    "d.json",
  );
  const read = (n: object) => toRecord({ image: "i.png", split: "train", aspects: { n } }, manifest, "s:1").aspects.n;

  test("keeps void values and regions", () => {
    const whole = { mask: "m.png", values: [1], ignore: [3, 255], boxes: [], ignoredBoxes: [[0, 0.5, 1, 1]] };
    expect(read(whole)).toEqual(whole);
    expect(read({ map: "m.png", ignore: [255] })).toEqual({ map: "m.png", ignore: [255] });
  });

  test.each<[string, object, string]>([
    ["a value in both lists", { mask: "m.png", values: [1, 3], ignore: [3] }, '3 is in both "values" and "ignore"'],
    ["ignore of no file", { mask: null, ignore: [3] }, "ignore without a mask or map"],
    ["ignore of two files", { mask: "m.png", map: "a.png", ignore: [3] }, "ignore beside both a mask and a map"],
    ["ignore that is no list", { mask: "m.png", ignore: 3 }, "ignore is 3. List whole pixel values in 0..65535"],
    ["an empty list", { mask: "m.png", ignore: [] }, "ignore is []"],
    ["regions alone", { ignoredBoxes: [[0, 0, 1, 1]] }, "has no annotation"],
    ["regions without boxes", { present: true, ignoredBoxes: [[0, 0, 1, 1]] }, "ignoredBoxes without boxes"],
    ["a region without area", { boxes: [], ignoredBoxes: [[1, 0, 1, 1]] }, "ignored box 1 [1,0,1,1] has no area"],
  ])("is refused with %s", (_, aspect, message) => {
    expect(() => read(aspect)).toThrow(`s:1: aspect "n": ${message}`);
  });
});

describe("at the model's size", () => {
  test("a pixel is void from half of its area on; of the others the aspect has its share of what is known", async () => {
    // 4 x 4 to 2 x 2; 1 is the aspect, 9 is void. Upper left: 2 of 4 void. Upper right: 1 void, 2 of the other 3.
    // Lower left: all void. Lower right: 1 void, the other 3 the aspect, which is all that is known.
    const raster = await rasterOf([
      [1, 9, 1, 9],
      [9, 0, 1, 0],
      [9, 9, 9, 1],
      [9, 9, 1, 1],
    ]);
    const given = { ...options(2, 4), values: [1], ignore: [9] };
    expect([...(ignoredPixels(raster, given) ?? [])]).toEqual([1, 0, 1, 0]);
    expect([...toMask(raster, given)]).toEqual([0, Math.fround(2 / 3), 0, 1]);
  });

  test("void values do not decide what the others mean: 0 and 1 with void 255 are no shades", async () => {
    const raster = await rasterOf([
      [0, 1],
      [255, 0],
    ]);
    const given = { ...options(2, 2), ignore: [255] };
    expect([...toMask(raster, given)]).toEqual([0, 1, 0, 0]);
    expect([...(ignoredPixels(raster, given) ?? [])]).toEqual([0, 0, 1, 0]);
  });

  test("a file without the void value has no void pixel, nor one with too few of them", async () => {
    const raster = await rasterOf([
      [1, 0],
      [9, 0],
    ]);
    expect(ignoredPixels(raster, { ...options(2, 2), ignore: [8] })).toBeUndefined();
    expect(ignoredPixels(raster, { ...options(1, 2), ignore: [9] })).toBeUndefined();
    expect([...toMask(raster, { ...options(1, 2), values: [1], ignore: [9] })]).toEqual([Math.fround(1 / 3)]);
  });

  test("an amount is the mean of what is known: 100 and 50 beside a void 255", async () => {
    const raster = await rasterOf([
      [100, 255],
      [50, 0],
    ]);
    expect([...toMap(raster, { ...options(1, 2), ignore: [255] })]).toEqual([50]);
    expect([...toMap(raster, { ...options(2, 2), ignore: [255] })]).toEqual([100, 0, 50, 0]);
  });
});

const SIDE = 32;
const rows = (value: (x: number, y: number) => number) =>
  Array.from({ length: SIDE }, (_, y) => Array.from({ length: SIDE }, (_, x) => value(x, y)));
/** The aspect fills columns 4..11, void columns 12..19: red and green in the image. */
const level = (x: number) => (x >= 12 && x < 20 ? 255 : x >= 4 && x < 12 ? 1 : 0);
const picture = await fromRaw(
  rgb(SIDE, SIDE, (x) => [level(x) === 1 ? 255 : 0, level(x) === 255 ? 255 : 0, 0]),
  SIDE,
  SIDE,
)
  .png()
  .toBuffer();
const directory = await writeDataset(join(folder, "set"), {
  manifest: {
    aspects: [
      { name: "area", kind: "segmentation" },
      { name: "box", kind: "boxes" },
      { name: "there", kind: "presence" },
      { name: "much", kind: "amount" },
    ],
  },
  lines: [
    {
      image: "i.png",
      split: "train",
      label: "a",
      aspects: {
        area: { mask: "m.png", values: [1], ignore: [255] },
        box: { boxes: [[0, 4 / SIDE, 1, 12 / SIDE]], ignoredBoxes: [[0, 12 / SIDE, 1, 20 / SIDE]] },
        there: { mask: "void.png", ignore: [255] },
        much: { map: "m.png", ignore: [255] },
      },
    },
    {
      image: "j.png",
      split: "test",
      label: "b",
      aspects: {
        area: { mask: "all.png", ignore: [255] },
        there: { boxes: [], ignoredBoxes: [[0, 0, 1, 1]] },
      },
    },
  ],
  files: {
    "i.png": picture,
    "j.png": await fromRaw(
      rgb(SIDE, SIDE, (x) => [x, 0, 99]),
      SIDE,
      SIDE,
    )
      .png()
      .toBuffer(),
    "m.png": pngBytes(rows(level)),
    "void.png": pngBytes(rows((x) => (level(x) === 1 ? 0 : level(x)))),
    "all.png": pngBytes(rows(() => 255)),
  },
});

test("is carried on the sample, of the kinds that read it", async () => {
  const dataset = await openDataset(directory);
  const { aspects } = await loadSample(dataset, await readRecord(dataset, "train", 0), { inputSize: SIDE });
  expect(Object.keys(aspects.area)).toEqual(["mask", "ignored"]);
  expect(Object.keys(aspects.box)).toEqual(["boxes", "ignoredBoxes"]);
  expect([...(aspects.area.ignored ?? [])]).toEqual(rows((x) => (level(x) === 255 ? 1 : 0)).flat());
  expect([...(aspects.area.mask ?? [])]).toEqual(rows((x) => (level(x) === 1 ? 1 : 0)).flat());
  expect(aspects.much.ignored).toEqual(aspects.area.ignored);
  expect(aspects.box.ignoredBoxes).toEqual([[0, 12 / SIDE, 1, 20 / SIDE]]);
});

test("moves with the image under crops, flips and changes of colour", async () => {
  const dataset = await openDataset(directory);
  const record = await readRecord(dataset, "train", 0);
  const augment = { flip: true, crop: 0.4, colour: 0.1 };
  const size = 64;
  for (let epoch = 0; epoch < 8; epoch++) {
    const { image, aspects } = await loadSample(dataset, record, {
      ...{ inputSize: size, augment },
      random: random(5, epoch),
    });
    const { ignored, mask } = aspects.area;
    const isGreen = Uint8Array.from({ length: size ** 2 }, (_, i) => (image[3 * i + 1] > 127 ? 1 : 0));
    const wrong = isGreen.filter((green, i) => green !== ignored?.[i]).length;
    expect(wrong / size).toBeLessThanOrEqual(3); // at most one column at each edge, and one for rounding
    expect(mask?.some((share, i) => share > 0 && ignored?.[i] === 1)).toBe(false);
    const [[, xMin, , xMax]] = aspects.box.ignoredBoxes ?? [];
    for (let x = 0; x < size; x++) {
      const isInside = x + 0.5 > xMin * size + 1 && x + 0.5 < xMax * size - 1;
      if (isInside) expect(ignored?.[x]).toBe(1);
    }
  }
});

test("a region stays void however little of it is seen, where a box is dropped", () => {
  const view = { crop: { left: 50, top: 0, width: 50, height: 50 }, flip: false };
  const sliver = [[0, 0, 1, 0.51]] as const;
  expect(viewBoxes(sliver, view, { width: 100, height: 50 })).toEqual([]);
  const [region] = viewBoxes(sliver, view, { width: 100, height: 50, leastShare: 0 });
  expect(region[3]).toBeCloseTo(0.02);
  expect(viewBoxes([[0, 0, 1, 0.5]], view, { width: 100, height: 50, leastShare: 0 })).toEqual([]);
});

test("data check counts what is void everywhere, or may be in the void, as unlabelled", async () => {
  const { heads, faults } = await checkDataset(directory);
  expect(heads.area.states.train).toEqual({ labelled: 1, empty: 0, unlabelled: 0 });
  expect(heads.area.states.test).toEqual({ labelled: 0, empty: 0, unlabelled: 1 });
  expect(heads.there.states.train.unlabelled).toBe(1);
  expect(heads.there.states.test.unlabelled).toBe(1);
  const messages = faults.map(({ message }) => message);
  expect(messages).toContainEqual(expect.stringContaining('all.png: every pixel is void for aspect "area"'));
  // Nothing to mend: no mask at all would say less.
  expect(messages.some((message) => message.includes("no pixel of aspect"))).toBe(false);
  expect(messages.some((message) => /m\.png: .*(values|graded)/.test(message))).toBe(false);
});
