import { expect, test } from "vitest";
import { boundaryCounts, boundaryF1, boundaryTolerance } from "../../src/metrics/boundary.js";
import { diceOf, iouOf, overlapCounts } from "../../src/metrics/overlap.js";

test("IoU and Dice by hand; what does not count is left out", () => {
  const counts = overlapCounts([1, 1, 0, 0, 1], [1, 0, 1, 0, 1]);
  expect(counts).toEqual({ shared: 2, found: 3, marked: 3 });
  expect(iouOf(counts)).toBe(2 / 4);
  expect(diceOf(counts)).toBe(4 / 6);
  expect(overlapCounts([1, 1, 0, 0, 1], [1, 0, 1, 0, 1], (pixel) => pixel > 0)).toEqual({
    ...{ shared: 1, found: 2, marked: 2 },
  });
  expect(overlapCounts([1, 0], null)).toEqual({ shared: 0, found: 1, marked: 0 });
  expect(iouOf({ shared: 0, found: 0, marked: 0 })).toBeNull();
  expect(diceOf({ shared: 0, found: 0, marked: 0 })).toBeNull();
});

/** A row of columns that are filled from top to bottom. */
function columns(size: number, isFilled: (x: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: size * size }, (_, pixel) => (isFilled(pixel % size) ? 1 : 0));
}

test("boundaries within the tolerance agree, one pixel further they do not", () => {
  const size = 100;
  expect(boundaryTolerance(size)).toBe(2); // 0.008 * 141 = 1.13
  const marked = columns(size, (x) => x < 50); // boundary: column 49
  const near = boundaryCounts(columns(size, (x) => x < 52), marked, { size }); // biome-ignore format: one call
  expect(near).toEqual({ found: 100, foundNear: 100, marked: 100, markedNear: 100 });
  const far = boundaryCounts(columns(size, (x) => x < 53), marked, { size }); // biome-ignore format: one call
  expect(far).toEqual({ found: 100, foundNear: 0, marked: 100, markedNear: 0 });
  expect(boundaryF1(near)).toBe(1);
  expect(boundaryF1(far)).toBe(0);
});

test("boundary F1 is the harmonic mean of both ways", () => {
  expect(boundaryF1({ found: 10, foundNear: 5, marked: 4, markedNear: 4 })).toBeCloseTo(2 / 3, 12);
  expect(boundaryF1({ found: 0, foundNear: 0, marked: 4, markedNear: 0 })).toBe(0);
  expect(boundaryF1({ found: 0, foundNear: 0, marked: 0, markedNear: 0 })).toBeNull();
});

test("the distance is Euclidean, and the image's edge is no boundary", () => {
  const size = 100; // tolerance 2
  const at = (y: number, x: number) => Uint8Array.from({ length: size * size }, (_, i) => (i === y * size + x ? 1 : 0));
  expect(boundaryCounts(at(50, 52), at(50, 50), { size }).foundNear).toBe(1);
  expect(boundaryCounts(at(52, 51), at(50, 50), { size }).foundNear).toBe(0); // the root of 5
  expect(boundaryCounts(new Uint8Array(size * size).fill(1), at(0, 0), { size })).toMatchObject({
    found: 0,
    marked: 1,
  });
});

test("what is unknown makes no boundary, and hides those on it", () => {
  const size = 100;
  const marked = columns(size, (x) => x < 40);
  const unknown = columns(size, (x) => x >= 40 && x < 60);
  // The marked area ends at what is unknown; what was found ends within it, or in the known.
  expect(boundaryCounts(columns(size, (x) => x < 50), marked, { size, unknown })).toEqual({
    ...{ found: 0, foundNear: 0, marked: 0, markedNear: 0 },
  }); // biome-ignore format: one call
  expect(boundaryCounts(columns(size, (x) => x < 70), marked, { size, unknown })).toMatchObject({
    ...{ found: 100, foundNear: 0 },
  }); // biome-ignore format: one call
});
