import { expect, test } from "vitest";
import { writeResampling } from "../../src/core/resample.js";

function matrix(part: { start: number; length: number; size: number; isMirrored?: boolean }, from: number) {
  const out = new Float32Array(part.size * from);
  writeResampling(out, { whole: from, ...part }, { offset: 0, stride: from, step: 1 });
  return Array.from({ length: part.size }, (_, i) => [...out.subarray(i * from, (i + 1) * from)]);
}

test("the same size changes nothing, mirrored it turns round", () => {
  expect(matrix({ start: 1, length: 2, size: 2 }, 4)).toEqual([
    [0, 1, 0, 0],
    [0, 0, 1, 0],
  ]);
  expect(matrix({ start: 1, length: 2, size: 2, isMirrored: true }, 4)).toEqual([
    [0, 0, 1, 0],
    [0, 1, 0, 0],
  ]);
});

test("doubled by hand, a quarter behind a pixel", () => {
  // Catmull-Rom at distances 1.75, 0.75, 0.25, 1.25: -0.0234375, 0.2265625, 0.8671875, -0.0703125
  const [, , , third] = matrix({ start: 0, length: 4, size: 8 }, 4); // centre 1.25: pixels 0, 1, 2, 3
  expect(third).toEqual([-0.0703125, 0.8671875, 0.2265625, -0.0234375]);
});

test("edges are repeated, and shares sum to 1, enlarged or reduced", () => {
  for (const [length, size] of [
    [4, 8],
    [7, 3],
    [1, 5],
    [5, 1],
    [64, 17],
  ]) {
    for (const row of matrix({ start: 0, length, size }, length)) {
      expect(row.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 6);
    }
  }
  const [first] = matrix({ start: 0, length: 4, size: 8 }, 4); // centre -0.25: two of its four pixels lie outside
  expect(first[0]).toBeCloseTo(-0.0234375 + 0.2265625 + 0.8671875, 6);
  expect(first[1]).toBeCloseTo(-0.0703125, 6);
});

test("beyond the image its edge is repeated", () => {
  expect(matrix({ start: -1, length: 4, size: 4 }, 2)).toEqual([
    [1, 0],
    [1, 0],
    [0, 1],
    [0, 1],
  ]);
});
