import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Box } from "../../src/core/box.js";
import { random } from "../../src/core/random.js";
import { addNoise, drawView, jitterColours, viewBoxes, viewSlivers } from "../../src/dataset/augment.js";
import { openDataset, readRecord } from "../../src/dataset/dataset.js";
import { readOriginalMasks } from "../../src/dataset/original-masks.js";
import { createPixelCache } from "../../src/dataset/pixel-cache.js";
import { loadSample } from "../../src/dataset/sample.js";
import { boxAround } from "../reference/dataset.js";
import { fromRaw, pngBytes, rgb, temporaryFolder, writeDataset } from "./given.js";

const folder = await temporaryFolder();
const ASPECTS = [
  { name: "thing", kind: "segmentation" },
  { name: "thingBox", kind: "boxes" },
  { name: "there", kind: "presence" },
  { name: "much", kind: "amount" },
];
/** Rows 12..28 and columns 30..50 of 40 x 60. */
const isThing = (x: number, y: number) => x >= 30 && x < 50 && y >= 12 && y < 28;
const BOX: Box = [12 / 40, 30 / 60, 28 / 40, 50 / 60];

async function openGiven() {
  const levels = Array.from({ length: 40 }, (_, y) => Array.from({ length: 60 }, (_, x) => (isThing(x, y) ? 2 : 1)));
  const image = rgb(60, 40, (x, y) => (isThing(x, y) ? [250, 0, 0] : [20, 200, 200]));
  // The same image stored lying: orientation 6 means "turn clockwise", so its (x, y) is the upright (39 - y, x).
  const lying = rgb(40, 60, (x, y) => (isThing(y, 39 - x) ? [250, 0, 0] : [20, 200, 200]));
  const annotated = {
    thing: { mask: "m.png", values: [2], boxes: [BOX] },
    thingBox: { mask: "m.png", values: [2], boxes: [BOX] },
    there: { mask: "m.png" },
    much: { amount: 0.4, map: "m.png" },
  };
  return openDataset(
    await writeDataset(join(folder, "set"), {
      manifest: { aspects: ASPECTS, causes: { b: ["thing"] } },
      lines: [
        { image: "i.png", split: "train", label: "b", aspects: annotated },
        { image: "lying.jpg", split: "train", label: "a", aspects: annotated, causes: [] },
        { image: "lying.jpg", split: "test", aspects: { thing: { mask: "turned.png" } } },
        {
          image: "i.png",
          split: "validation",
          aspects: { thing: { mask: null }, thingBox: { boxes: [] }, much: { amount: 0 }, there: { boxes: [] } },
        },
      ],
      files: {
        "i.png": await fromRaw(image, 60, 40).png().toBuffer(),
        "lying.jpg": await fromRaw(lying, 40, 60)
          .withMetadata({ orientation: 8 })
          .jpeg({ quality: 100, chromaSubsampling: "4:4:4" })
          .toBuffer(),
        "m.png": pngBytes(levels),
        "turned.png": pngBytes(levels[0].map((_, x) => levels.map((row) => row[x]))),
      },
    }),
  );
}

const dataset = await openGiven();
const first = await readRecord(dataset, "train", 0);
/** 1 where the loaded image is red. */
const redness = (image: Uint8Array) =>
  Uint8Array.from({ length: image.length / 3 }, (_, i) => (image[3 * i] > 135 ? 1 : 0));

function overlap(a: Uint8Array, b: ArrayLike<number>): number {
  const both = a.filter((value, i) => value === 1 && b[i] >= 0.5).length;
  return both / a.filter((value, i) => value === 1 || b[i] >= 0.5).length;
}

describe("loadSample", () => {
  test("gives each aspect what its kind reads, and leaves the rest on disk", async () => {
    const sample = await loadSample(dataset, first, { inputSize: 60 });
    expect(Object.keys(sample.aspects.thing)).toEqual(["mask"]);
    expect(Object.keys(sample.aspects.thingBox)).toEqual(["boxes"]);
    expect(Object.keys(sample.aspects.there)).toEqual(["mask"]);
    expect(Object.keys(sample.aspects.much)).toEqual(["map", "amount"]);
    expect(sample).toMatchObject({ path: "i.png", target: { label: "b" }, causes: ["thing"] });
    const all = await loadSample(dataset, first, { inputSize: 60, annotations: "all" });
    expect(Object.keys(all.aspects.thingBox)).toEqual(["mask", "boxes"]);
  });

  test("keeps empty apart from unlabelled", async () => {
    const empty = await loadSample(dataset, await readRecord(dataset, "validation", 0), { inputSize: 16 });
    expect(empty.aspects).toEqual({
      thing: { mask: null },
      thingBox: { boxes: [] },
      much: { amount: 0 },
      there: { boxes: [] },
    });
    expect(empty.target).toEqual({});
    expect(empty.causes).toBeUndefined();
    const other = await readRecord(dataset, "test", 0);
    expect(Object.keys(other.aspects)).toEqual(["thing"]);
  });

  test("maps mask, boxes and image of a turned photograph onto each other; masks mean the upright image", async () => {
    const record = await readRecord(dataset, "train", 1);
    const sample = await loadSample(dataset, record, { inputSize: 60, annotations: "all" });
    expect(sample.causes).toEqual([]);
    const { mask, boxes } = sample.aspects.thing;
    expect(boxAround(mask ?? [], 60)).toEqual(boxes?.[0]);
    expect(boxes?.[0]).toEqual(BOX);
    expect(overlap(redness(sample.image), mask ?? new Uint8Array())).toBeGreaterThan(0.9);
  });

  test("refuses a mask made for the stored instead of the upright image, by line, naming both sizes", async () => {
    const record = await readRecord(dataset, "test", 0);
    await expect(loadSample(dataset, record, { inputSize: 16 })).rejects.toThrow(
      /samples\.jsonl:3: .*turned\.png: 40 x 60 pixels; its image has 60 x 40 upright/,
    );
  });

  test.each(["none", "half", "quarter"] as const)("moves image, mask, map and boxes alike (turn: %s)", async (turn) => {
    let flips = 0;
    for (let epoch = 0; epoch < 12; epoch++) {
      const stream = random(3, "augment", epoch, 0);
      const augment = { flip: true, turn, crop: 0.4, colour: 0 };
      const sample = await loadSample(dataset, first, { inputSize: 120, augment, random: stream, annotations: "all" });
      const { mask, boxes } = sample.aspects.thing;
      expect(mask).toBeInstanceOf(Float32Array);
      if (!mask || !boxes) continue;
      const around = boxAround(mask, 120);
      // Nearest neighbour puts an edge at most half a pixel off at 120.
      for (const k of [0, 1, 2, 3]) expect(Math.abs((around?.[k] ?? -1) - boxes[0][k])).toBeLessThanOrEqual(1 / 120);
      expect(overlap(redness(sample.image), mask)).toBeGreaterThan(0.93);
      const { map } = sample.aspects.much;
      expect(map?.filter((value) => value === 2).length).toBe(mask.filter((value) => value === 1).length);
      // The thing lies right of the middle unless mirrored; of transposed views, below it.
      const isWide = boxes[0][3] - boxes[0][1] > boxes[0][2] - boxes[0][0];
      if (turn === "none" && boxes[0][1] + boxes[0][3] < 0.95) flips++;
      if (turn === "quarter" && !isWide) flips++;
      if (turn === "half" && boxes[0][0] + boxes[0][2] < 1) flips++;
      expect(sample.aspects.much.amount).toBe(0.4);
    }
    expect(flips).toBeGreaterThan(1);
    expect(flips).toBeLessThan(11);
  });

  test("a crop keeps what is marked: a thing in the corner is never cut away", async () => {
    const record = {
      ...first,
      aspects: { thing: first.aspects.thing, thingBox: { boxes: [[0, 0, 0.05, 0.05] as const] } },
    };
    const corner = pngBytes(
      Array.from({ length: 40 }, (_, y) => Array.from({ length: 60 }, (_, x) => (x < 2 && y < 2 ? 2 : 0))),
    );
    await writeDataset(join(folder, "set2"), {
      lines: [],
      files: {
        "m.png": corner,
        "i.png": await fromRaw(
          rgb(60, 40, () => [9, 9, 9]),
          60,
          40,
        )
          .png()
          .toBuffer(),
      },
    });
    const other = { ...dataset, directory: join(folder, "set2") };
    const cropped = {
      next: () => 0.99,
      uniform: (low: number) => low,
      integer: (limit: number) => limit - 1,
      normal: () => 0,
    };
    const sample = await loadSample(other, record, {
      inputSize: 20,
      augment: { flip: false, crop: 0.5, colour: 0 },
      random: cropped,
    });
    expect(sample.aspects.thing.mask?.[0]).toBeGreaterThan(0);
    expect(sample.aspects.thingBox.boxes).toEqual([[0, 0, 0.05, 0.05]]);
  });
});

describe("viewBoxes", () => {
  const size = { width: 100, height: 50 };
  const right = { crop: { left: 50, top: 0, width: 50, height: 50 }, flip: false };

  test("clips to the crop: x 40..80 of 100 becomes 0..0.6 of the right half", () => {
    expect(viewBoxes([[0.2, 0.4, 0.6, 0.8]], right, size)).toEqual([[0.2, 0, 0.6, 0.6]]);
    expect(viewBoxes([[0.2, 0.4, 0.6, 0.8]], { ...right, flip: true }, size)).toEqual([[0.2, 0.4, 0.6, 1]]);
  });

  test("drops a box of which less than a quarter is left", () => {
    // x 30..56: 6 of 26 = 23 % left; 30..57: 7 of 27 = 26 %.
    expect(viewBoxes([[0, 0.3, 1, 0.56]], right, size)).toEqual([]);
    expect(viewBoxes([[0, 0.3, 1, 0.57]], right, size)).toHaveLength(1);
  });

  test("what is left of a dropped box is a sliver", () => {
    expect(viewSlivers([[0, 0.3, 1, 0.56]], right, size)).toEqual([[0, 0, 1, expect.closeTo(0.12, 9)]]);
    expect(viewSlivers([[0, 0.3, 1, 0.57]], right, size)).toEqual([]);
    expect(viewSlivers([[0, 0.1, 1, 0.4]], right, size)).toEqual([]); // none of it is left
  });
});

describe("drawView", () => {
  test("stays inside the image and cuts away no more of a side than was allowed", () => {
    let smallest = 1;
    for (let i = 0; i < 500; i++) {
      const { crop } = drawView({ width: 200, height: 100 }, { flip: true, crop: 0.2, colour: 0.2 }, random(1, i));
      expect(crop.left >= 0 && crop.top >= 0 && crop.left + crop.width <= 200 && crop.top + crop.height <= 100).toBe(
        true,
      );
      smallest = Math.min(smallest, crop.width / 200, crop.height / 100);
    }
    expect(smallest).toBeGreaterThanOrEqual(0.8);
    expect(smallest).toBeLessThan(0.82);
  });

  test("a margin lies around the image, which is whole in it", () => {
    let widest = 1;
    for (let i = 0; i < 500; i++) {
      const augment = { flip: true, crop: 0, margin: 0.2, colour: 0.2 };
      const { crop } = drawView({ width: 200, height: 100 }, augment, random(1, i));
      const [right, bottom] = [crop.left + crop.width, crop.top + crop.height];
      expect(crop.left <= 0 && crop.top <= 0 && right >= 200 && bottom >= 100).toBe(true);
      widest = Math.max(widest, crop.width / 200, crop.height / 100);
    }
    expect(widest).toBeLessThanOrEqual(1.2);
    expect(widest).toBeGreaterThan(1.18);
  });

  test("draws nothing but the whole image where all is switched off", () => {
    const view = drawView({ width: 7, height: 5 }, { flip: false, crop: 0, colour: 0 }, random(1));
    expect(view).toEqual({ crop: { left: 0, top: 0, width: 7, height: 5 }, flip: false });
  });
});

describe("blur and noise", () => {
  const augment = { flip: false, crop: 0, colour: 0, blur: 2, noise: 0.1 };
  const views = Array.from({ length: 400 }, (_, i) => drawView({ width: 64, height: 64 }, augment, random(3, i)));

  test("about half of the images have each, up to what is set", () => {
    const blurs = views.flatMap(({ blur }) => blur ?? []);
    expect(blurs.length).toBeGreaterThan(130);
    expect(blurs.length).toBeLessThan(210); // below 0.3 of 2 there is none
    expect([Math.min(...blurs) >= 0.3, Math.max(...blurs) <= 2, Math.max(...blurs) > 1.9]).toEqual([true, true, true]);
    const deviations = views.flatMap(({ noise }) => noise?.deviation ?? []);
    expect(Math.abs(deviations.length - 200)).toBeLessThan(40);
    expect(Math.max(...deviations)).toBeLessThanOrEqual(0.1);
    expect(Math.max(...deviations)).toBeGreaterThan(0.095);
  });

  test("noise has the deviation that is given, and the same seed the same noise", () => {
    const image = new Uint8Array(3 * 100 * 100).fill(128);
    addNoise(image, { deviation: 0.05, seed: 130_000 });
    const mean = image.reduce((sum, value) => sum + value, 0) / image.length;
    const variance = image.reduce((sum, value) => sum + (value - mean) ** 2, 0) / image.length;
    expect(mean).toBeCloseTo(128, 0);
    expect(Math.sqrt(variance)).toBeGreaterThan(0.05 * 255 - 0.5);
    expect(Math.sqrt(variance)).toBeLessThan(0.05 * 255 + 0.5);
    const again = new Uint8Array(image.length).fill(128);
    addNoise(again, { deviation: 0.05, seed: 130_000 });
    expect(again).toEqual(image);
  });
});

describe("jitterColours", () => {
  const one = { brightness: 1, contrast: 1, saturation: 1 };
  const jittered = (pixels: readonly number[], jitter: Partial<typeof one>) => {
    const image = Uint8Array.from(pixels);
    jitterColours(image, { ...one, ...jitter });
    return [...image];
  };

  test("multiplies by the brightness, and stops at 255", () => {
    expect(jittered([100, 50, 200, 0, 0, 0], { brightness: 1.5 })).toEqual([150, 75, 255, 0, 0, 0]);
  });

  test("stretches about the mean grey: (40 + 80) / 2 = 60 with contrast 1.5 gives 30 and 90", () => {
    expect(jittered([40, 40, 40, 80, 80, 80], { contrast: 1.5 })).toEqual([30, 30, 30, 90, 90, 90]);
  });

  test("without saturation leaves the luma: 0.299 * 100 + 0.587 * 200 + 0.114 * 50 = 153", () => {
    expect(jittered([100, 200, 50], { saturation: 0 })).toEqual([153, 153, 153]);
  });
});

describe("the middle square stands for all of the image", () => {
  const at = (pixels: Uint8Array, size: number, x: number, y: number) =>
    Array.from(pixels.subarray(3 * (y * size + x), 3 * (y * size + x) + 3));

  test("its pixels, masks, maps and boxes", async () => {
    // 40 x 40 from column 10 on, at its own size: no pixel is resized.
    const sample = await loadSample(dataset, first, { inputSize: 40, centerCrop: 1, annotations: "all" });
    const { mask, boxes } = sample.aspects.thing as { mask: Float32Array; boxes: Box[] };
    for (let y = 0; y < 40; y++)
      for (let x = 0; x < 40; x++) {
        const isHere = isThing(x + 10, y);
        expect(at(sample.image, 40, x, y)).toEqual(isHere ? [250, 0, 0] : [20, 200, 200]);
        expect(mask[y * 40 + x]).toBe(isHere ? 1 : 0);
      }
    expect(boxes).toEqual([[12 / 40, 20 / 40, 28 / 40, 1]]);
    expect((sample.aspects.much as { map: Float32Array }).map[15 * 40 + 25]).toBe(2);
  });

  test("a share of the shorter side; what is cut in two is clipped, or void", async () => {
    // 20 x 20 from column 20 and row 10 on: half of the thing.
    const half = await loadSample(dataset, first, { inputSize: 20, centerCrop: 0.5 });
    expect(half.aspects.thingBox).toEqual({ boxes: [[2 / 20, 10 / 20, 18 / 20, 1]] });
    expect(at(half.image, 20, 9, 5)).toEqual([20, 200, 200]);
    expect(at(half.image, 20, 10, 5)).toEqual([250, 0, 0]);
    // 12 x 12 from column 24 and row 14 on: less than a quarter of it.
    const part = await loadSample(dataset, first, { inputSize: 12, centerCrop: 0.3 });
    expect(part.aspects.thingBox).toEqual({ boxes: [], ignoredBoxes: [[0, 0.5, 1, 1]] });
  });

  test("a file that is stored lying, kept pixels, and augmented ones are cut alike", async () => {
    const lying = await readRecord(dataset, "train", 1);
    const cut = { inputSize: 40, centerCrop: 1 };
    const upright = await loadSample(dataset, first, cut);
    const turned = await loadSample(dataset, lying, cut);
    expect(turned.aspects.thing).toEqual(upright.aspects.thing);
    for (const [x, y] of [[5, 5], [19, 20], [22, 20], [39, 14]]) // biome-ignore format: a table
      for (const [channel, value] of at(turned.image, 40, x, y).entries())
        expect(Math.abs(value - at(upright.image, 40, x, y)[channel])).toBeLessThan(12);
    const cache = createPixelCache({ bytes: 1e6, inputSize: 40, centerCrop: 1 });
    for (let epoch = 0; epoch < 2; epoch++)
      expect((await loadSample(dataset, first, { ...cut, cache })).image).toEqual(upright.image);
    // Whatever is drawn, red is where the mask is.
    const augment = { flip: true, turn: "quarter", crop: 0.3, colour: 0 } as const;
    for (let seed = 0; seed < 5; seed++) {
      const { image, aspects } = await loadSample(dataset, first, { ...cut, augment, random: random(seed, "view") });
      const { mask } = aspects.thing as { mask: Float32Array };
      const isSame = mask.filter((share, place) => share > 0.5 === image[3 * place] > 135).length;
      expect(isSame).toBeGreaterThan(0.94 * mask.length);
    }
  });

  test("the masks of evaluation too, at the original's size", async () => {
    const { thing } = await readOriginalMasks(dataset, first, { aspects: ["thing"], centerCrop: 1 });
    expect([thing.width, thing.height]).toEqual([40, 40]);
    expect(thing.marked?.[15 * 40 + 20]).toBe(1);
    expect(thing.marked?.[15 * 40 + 19]).toBe(0);
  });
});
