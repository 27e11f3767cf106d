/** What a model sees that is no square: images, masks, boxes and what is drawn of them lie alike. */

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { ndArray } from "../../src/core/nd-array.js";
import { random } from "../../src/core/random.js";
import type { Dataset } from "../../src/dataset/dataset.js";
import { createPixelCache } from "../../src/dataset/pixel-cache.js";
import { loadSample } from "../../src/dataset/sample.js";
import { derivedPlace } from "../../src/explain/reading/derived-place.js";
import { regionsOf } from "../../src/explain/reading/regions.js";
import { perturbed } from "../../src/explain/reading/relevance-interval.js";
import { cellsIn } from "../../src/explain/reading/touched-cells.js";
import { inpaint } from "../../src/faithfulness/inpaint.js";
import { encodeBoxes } from "../../src/heads/boxes-encoding.js";
import { boundaryCounts, boundaryTolerance } from "../../src/metrics/boundary.js";

const HEIGHT = 20;
const WIDTH = 60;
const folder = mkdtempSync(join(tmpdir(), "aspectlens-rectangles-"));

/** White where the thing is, 12 of 60 columns and 8 of 20 rows. */
const isThing = (x: number, y: number) => x >= 36 && x < 48 && y >= 4 && y < 12;
const written = (async () => {
  const grey = Uint8Array.from({ length: HEIGHT * WIDTH }, (_, at) =>
    isThing(at % WIDTH, Math.floor(at / WIDTH)) ? 255 : 0,
  );
  const raw = { width: WIDTH, height: HEIGHT, channels: 1 } as const;
  for (const name of ["image.png", "mask.png"]) await sharp(grey, { raw }).png().toFile(join(folder, name));
})();
const box = [4 / HEIGHT, 36 / WIDTH, 12 / HEIGHT, 48 / WIDTH] as const;

const dataset = {
  directory: folder,
  manifest: {
    aspects: [
      { name: "thing", kind: "segmentation" },
      { name: "box", kind: "boxes" },
    ],
    causes: {},
  },
} as unknown as Pick<Dataset, "directory" | "manifest">;
const record = {
  ...{ image: "image.png", where: "line 1", target: { label: "a" } },
  aspects: { thing: { mask: "mask.png" }, box: { boxes: [box] } },
} as unknown as Parameters<typeof loadSample>[1];

describe("a sample at 10 high x 15 wide", () => {
  const inputSize = [10, 15] as const;
  /** Where the image is white, and where the mask says so. */
  const seen = ({ image, aspects }: Awaited<ReturnType<typeof loadSample>>) => ({
    white: Array.from({ length: 150 }, (_, at) => (image[3 * at] > 127 ? 1 : 0)),
    marked: Array.from(aspects.thing.mask ?? [], (share) => (share >= 0.5 ? 1 : 0)),
    boxes: aspects.box.boxes ?? [],
  });
  const filled = ([yMin, xMin, yMax, xMax]: readonly number[], [height, width] = [10, 15]) =>
    Array.from({ length: height * width }, (_, at) => {
      const [y, x] = [(Math.floor(at / width) + 0.5) / height, ((at % width) + 0.5) / width];
      return y > yMin && y < yMax && x > xMin && x < xMax ? 1 : 0;
    });

  test("image, mask and boxes of the whole lie alike, and are as long as the size says", async () => {
    await written;
    const sample = await loadSample(dataset, record, { inputSize, otherSizes: [8, [6, 4]] });
    const { white, marked, boxes } = seen(sample);
    expect(sample.image).toHaveLength(450);
    // 8 of 20 rows are 4 of 10, 12 of 60 columns are 3 of 15.
    expect(white.reduce((a: number, b) => a + b, 0)).toBe(12);
    expect(white).toEqual(filled(box));
    expect(marked).toEqual(white);
    expect(boxes).toEqual([box]);
    expect(Object.entries(sample.otherSizes ?? {}).map(([key, { length }]) => [key, length])).toEqual([
      ["8", 192],
      ["6x4", 72],
    ]);
  });

  test("its middle has the shape that is seen, and is cut out of all alike", async () => {
    await written;
    // The largest of 15 to 10 in 60 x 20: 30 x 20, from column 15 on. The thing begins at 36 and ends at 45, 3 too early.
    const sample = await loadSample(dataset, record, { inputSize, centerCrop: { share: 1, shape: inputSize } });
    const { white, marked, boxes } = seen(sample);
    expect(boxes[0].map((edge) => Number(edge.toFixed(6)))).toEqual([0.2, 0.7, 0.6, 1]);
    // The column that begins in its middle may count or not: 4 pixels.
    const inside = filled([0.2, 0.701, 0.6, 1]);
    expect(inside.reduce((a: number, b) => a + b, 0)).toBe(16);
    for (const found of [white, marked])
      expect(found.filter((value, at) => value !== inside[at]).length).toBeLessThanOrEqual(4);
  });

  test.each([0, 1, 2, 3, 4, 5, 6, 7])("augmented with quarter turns, draw %d", async (draw) => {
    await written;
    const augment = { flip: true, turn: "quarter", crop: 0, colour: 0 } as const;
    const cache = createPixelCache({ bytes: 1e6, inputSize: [40, 60] });
    for (const kept of [undefined, cache]) {
      const options = { inputSize: [40, 60] as const, augment, random: random(draw, "turn"), cache: kept };
      const { image, aspects } = await loadSample(dataset, record, options);
      const [found] = aspects.box.boxes ?? [];
      const wanted = filled(found, [40, 60]);
      const marked = Array.from(aspects.thing.mask ?? [], (share) => (share >= 0.5 ? 1 : 0));
      const white = Array.from({ length: 2400 }, (_, at) => (image[3 * at] > 127 ? 1 : 0));
      const apart = (one: readonly number[]) => one.filter((value, at) => value !== wanted[at]).length;
      // An edge of a pixel at most: 8 x 12 of 20 x 60 are 16 x 12 of 40 x 60, or 8 x 36 with rows for columns.
      expect(wanted.reduce((a: number, b) => a + b, 0)).toBeGreaterThan(150);
      expect(apart(marked)).toBeLessThanOrEqual(40);
      expect(apart(white)).toBeLessThanOrEqual(80);
    }
  });
});

describe("on a grid of 4 high x 6 wide", () => {
  const size = [4, 6] as const;

  test("a region's box, its cells and its area are shares of both sides", () => {
    const logits = Float32Array.from({ length: 24 }, (_, at) => (at === 8 || at === 14 ? 5 : -5));
    const spec = { kind: "segmentation", name: "a", taps: ["t"], threshold: 0.5 } as const;
    const { whole, instances, mask } = regionsOf(ndArray([1, 4, 6, 1], logits), {
      ...{ spec, size, derivedMask: () => new Uint8Array() },
    });
    // Pixels (1, 2) and (2, 2): rows 1 to 3 of 4, column 2 to 3 of 6.
    expect(instances.map(({ boxes }) => boxes)).toEqual([[[0.25, 2 / 6, 0.75, 3 / 6]]]);
    expect([...mask].flatMap((inside, at) => (inside ? at : []))).toEqual([8, 14]);
    // Cells of 2 x 2 pixels: rows 0 and 1 of column 1.
    expect([...cellsIn(whole, { grid: { height: 2, width: 3 }, size })]).toEqual([0, 1, 0, 0, 1, 0]);
  });

  test("a derived place is where the evidence is", () => {
    // 2 x 3 cells, all evidence in the last.
    const data = new Float32Array(12);
    data[11] = 1;
    const overlap = { tap: "t", index: 0, overlap: ndArray([1, 2, 3, 2], data) };
    const place = derivedPlace([overlap] as never, { size });
    expect(place).toHaveLength(24);
    expect(place[23]).toBe(1);
    expect([...place.slice(0, 4), place[18]]).toEqual([0, 0, 0, 0, 0]);
  });

  test("boxes are encoded in cells of both sides", () => {
    // Its centre is at row 0.75 * 4 = 3, column 0.25 * 6 = 1.5: cell (3, 1).
    const { centre, geometry } = encodeBoxes([{ boxes: [[0.6, 0.2, 0.9, 0.3]] }], { size });
    expect([...centre].flatMap((value, at) => (value === 1 ? at : []))).toEqual([3 * 6 + 1]);
    const at = 4 * (3 * 6 + 1);
    expect(geometry[at]).toBeCloseTo(Math.log(0.3), 5);
    expect(geometry[at + 1]).toBeCloseTo(Math.log(0.1), 5);
    expect([geometry[at + 2], geometry[at + 3]]).toEqual([expect.closeTo(0, 5), expect.closeTo(0.5, 5)]);
  });

  test("boundaries run along rows of the width, within a share of the diagonal", () => {
    expect([boundaryTolerance(100), boundaryTolerance([60, 80]), boundaryTolerance([240, 320])]).toEqual([2, 1, 4]);
    // Two rows, all across: the boundary of the upper is its lower edge, that of the lower its upper edge.
    const rows = (from: number, to: number) =>
      Uint8Array.from({ length: 24 }, (_, at) => (at >= from && at < to ? 1 : 0));
    expect(boundaryCounts(rows(0, 6), rows(6, 12), { size })).toEqual({
      ...{ found: 6, foundNear: 6, marked: 12 - 6, markedNear: 6 },
    });
  });

  test("a hole is filled from its surroundings", () => {
    const pixels = new Uint8Array(24 * 3).fill(90);
    pixels.set([255, 0, 0], 3 * 9);
    const hole = new Uint8Array(24);
    hole[9] = 1;
    expect([...new Set(inpaint(pixels, { size, hole }))]).toEqual([90]);
  });

  test("changed copies shift as many pixels both ways", () => {
    const image = ndArray([1, 4, 6, 3]);
    image.data.fill(100);
    const copies = [...perturbed(image, { size })];
    expect(copies).toHaveLength(16);
    for (const { shape, data } of copies) {
      expect(shape).toEqual([1, 4, 6, 3]);
      expect(new Set(data).size).toBe(1);
    }
  });
});
