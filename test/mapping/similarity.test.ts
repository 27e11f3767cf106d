import { expect, test } from "vitest";
import { random } from "../../src/core/random.js";
import { linearSimilarity } from "../../src/mapping/similarity.js";

const stream = random(2, "similarity");
const drawn = (rows: number, channels: number) =>
  Array.from({ length: rows }, () => Array.from({ length: channels }, () => stream.normal()));

test("by hand: one channel each, so the squared correlation", () => {
  // Centred (-1, 0, 1) and (-1, 2, -1): no correlation; with itself 1.
  const [first, second] = [
    [[1], [2], [3]],
    [[0], [3], [0]],
  ];
  expect(linearSimilarity(first, second)).toBeCloseTo(0, 12);
  expect(linearSimilarity(first, [[2], [1], [0]])).toBeCloseTo(1, 12);
  // (-1, 0, 1) and (-1, 1, 0): correlation 1 / 2.
  expect(linearSimilarity(first, [[0], [2], [1]])).toBeCloseTo(0.25, 12);
});

test("rotations, scales and shifts of the channels leave it alone; constants are like nothing", () => {
  const rows = drawn(30, 2);
  const turned = rows.map(([a, b]) => [3 * (0.6 * a - 0.8 * b) + 7, 3 * (0.8 * a + 0.6 * b)]);
  expect(linearSimilarity(rows, turned)).toBeCloseTo(1, 10);
  expect(linearSimilarity(rows, drawn(30, 2))).toBeLessThan(0.3);
  expect(
    linearSimilarity(
      rows,
      rows.map(() => [1]),
    ),
  ).toBe(0);
});
