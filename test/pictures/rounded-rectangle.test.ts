import { expect, test } from "vitest";
import { dot, paintRectangle, type RoundedRectangle } from "../../src/pictures/rounded-rectangle.js";

/** Red values of a white image of 8 x 6 on which black shapes are painted. */
function painted(shape: RoundedRectangle): number[][] {
  const image = { width: 8, height: 6, pixels: new Uint8Array(8 * 6 * 3).fill(255) };
  paintRectangle(image, shape);
  return Array.from({ length: 6 }, (_, y) => Array.from({ length: 8 }, (_, x) => image.pixels[3 * (8 * y + x)]));
}
const BLACK = "#000000";

test("covers whole pixels whole, and those that an edge crosses by their share", () => {
  const rows = painted({ x: 1.25, y: 1, width: 4.25, height: 3, fill: BLACK });
  expect(rows[0]).toEqual([255, 255, 255, 255, 255, 255, 255, 255]);
  // From 1.25 to 5.5: of the first pixel 0.75, of the last 0.5.
  expect(rows[1]).toEqual([255, 64, 0, 0, 0, 128, 255, 255]);
});

test("an outline lies half inside, half outside of the edge", () => {
  const rows = painted({ x: 2, y: 1, width: 4, height: 4, stroke: BLACK, strokeWidth: 2 });
  expect(rows[2]).toEqual([255, 0, 0, 255, 255, 0, 0, 255]);
});

test("corners are round, opacity is a share, and nothing is painted outside the clip", () => {
  const circle = painted(dot(3, 3, { radius: 3, fill: BLACK }));
  // The first centre is 2.55 from the middle: 0.95 of the pixel.
  expect(circle[3].slice(0, 6)).toEqual([13, 0, 0, 0, 0, 13]);
  expect(circle[0][0]).toBe(255); // its centre is 3.54 from the middle
  expect(painted({ x: 0, y: 0, width: 8, height: 6, fill: BLACK, fillOpacity: 0.2 })[2][2]).toBe(204);
  const clip = { x: 2, y: 0, width: 3, height: 6 };
  expect(painted({ x: -5, y: 0, width: 20, height: 6, fill: BLACK, clip })[0]).toEqual([
    255, 255, 0, 0, 0, 255, 255, 255,
  ]);
});

test("several colours run from left to right", () => {
  const image = { width: 4, height: 1, pixels: new Uint8Array(12) };
  paintRectangle(image, { x: 0, y: 0, width: 4, height: 1, fill: ["#000000", "#c80000", "#640000"] });
  // Centres at 1/8, 3/8, 5/8, 7/8 of the width, 0 to 200 to 100.
  expect([0, 1, 2, 3].map((x) => image.pixels[3 * x])).toEqual([50, 150, 175, 125]);
});

test("dashes leave gaps", () => {
  const whole = painted({ x: 1, y: 1, width: 4, height: 4, stroke: BLACK, strokeWidth: 1 }).flat();
  const dashed = painted({ x: 1, y: 1, width: 4, height: 4, stroke: BLACK, strokeWidth: 1, dashCount: 2 }).flat();
  const ink = (values: number[]) => values.filter((value) => value < 255).length;
  expect(ink(dashed)).toBeGreaterThan(0);
  expect(ink(dashed)).toBeLessThan(ink(whole));
});
