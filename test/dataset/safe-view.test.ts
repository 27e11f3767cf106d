import { describe, expect, test } from "vitest";
import type { Box } from "../../src/core/box.js";
import { random } from "../../src/core/random.js";
import { viewBoxes } from "../../src/dataset/augment.js";
import type { Raster } from "../../src/dataset/raster.js";
import { boxMarks, drawSafeView, maskMarks } from "../../src/dataset/safe-view.js";

const size = { width: 200, height: 100 };
const augment = { flip: false, crop: 0.4, colour: 0 };

describe("drawSafeView", () => {
  test("keeps three quarters of what is marked of each aspect, and crops all the same", () => {
    const corner: Box = [0, 0, 0.1, 0.1];
    const middle: Box = [0.45, 0.45, 0.5, 0.5];
    let cropped = 0;
    for (let i = 0; i < 200; i++) {
      const view = drawSafeView(size, augment, random(1, i), [boxMarks([corner]), boxMarks([middle])]);
      expect(viewBoxes([corner, middle], view, { ...size, leastShare: 0.7 })).toHaveLength(2);
      if (view.crop.width < size.width) cropped++;
    }
    expect(cropped).toBeGreaterThan(50);
  });

  test("things that fill the image are cropped: most of them stay", () => {
    const views = Array.from({ length: 50 }, (_, i) =>
      drawSafeView(size, augment, random(2, i), [boxMarks([[0, 0, 1, 1]])]),
    );
    const kept = views.map(({ crop }) => (crop.width * crop.height) / (size.width * size.height));
    expect(Math.min(...kept)).toBeGreaterThanOrEqual(0.75);
    expect(Math.min(...kept)).toBeLessThan(0.85);
  });

  test("nothing is cut away where no crop keeps all aspects", () => {
    const corners: Box[] = [
      [0, 0, 0.05, 0.05],
      [0.95, 0.95, 1, 1],
    ];
    const marks = corners.map((corner) => boxMarks([corner]));
    for (let i = 0; i < 50; i++)
      expect(viewBoxes(corners, drawSafeView(size, augment, random(3, i), marks), size)).toHaveLength(2);
  });

  test("without marks it is cropped blindly, as configured", () => {
    const view = drawSafeView(size, augment, random(4), []);
    expect(view.crop.width).toBeLessThan(size.width);
  });
});

test("a mask is marked where its pixels lie, by their number", () => {
  const values = new Uint8Array(64 * 64);
  values[0] = 1;
  values[63] = values[62] = 1; // one cell of two by two pixels
  values[1] = 2; // another aspect
  const raster = { width: 64, height: 64, values } as unknown as Raster;
  expect(maskMarks(raster, (value) => value === 1)).toEqual([
    { box: [0, 0, 1 / 32, 1 / 32], weight: 1 },
    { box: [0, 31 / 32, 1 / 32, 1], weight: 2 },
  ]);
});
