import { describe, expect, test } from "vitest";
import { ndArray } from "../../src/core/nd-array.js";
import type { AspectExplanation } from "../../src/explain/explanation.js";
import { perturbed, relevanceIntervals } from "../../src/explain/reading/relevance-interval.js";
import { PERTURBATIONS } from "../../src/explain/relevance-constants.js";
import { necrosis } from "../pictures/fixtures.js";

const SIZE = 32;

describe("perturbations", () => {
  test("are sixteen copies, the same each time; the image stays as it is", () => {
    const image = ndArray(
      [1, SIZE, SIZE, 3],
      Float32Array.from({ length: 3 * SIZE * SIZE }, (_, at) => at % 251),
    );
    const before = Float32Array.from(image.data);
    const [first, second] = [[...perturbed(image, { size: SIZE })], [...perturbed(image, { size: SIZE })]];
    expect(first).toHaveLength(PERTURBATIONS.count);
    expect(first).toEqual(second);
    expect(image.data).toEqual(before);
    expect(new Set(first.map(({ data }) => data.join())).size).toBe(PERTURBATIONS.count);
    for (const { data } of first) {
      expect(Math.min(...data)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...data)).toBeLessThanOrEqual(255);
    }
  });

  test("move a spot by up to eight pixels, every second one mirrored, and change its brightness by up to 15 %", () => {
    const image = ndArray([1, SIZE, SIZE, 3]);
    const [row, column] = [12, 10];
    image.data.fill(200, 3 * (row * SIZE + column), 3 * (row * SIZE + column) + 3);
    for (const [index, { data }] of [...perturbed(image, { size: SIZE })].entries()) {
      const at = Math.floor(data.findIndex((value) => value > 0) / 3);
      const x = index % 2 === 1 ? SIZE - 1 - (at % SIZE) : at % SIZE;
      expect(Math.abs(Math.floor(at / SIZE) - row)).toBeLessThanOrEqual(8);
      expect(Math.abs(x - column)).toBeLessThanOrEqual(8);
      expect(data[3 * at] / 200).toBeGreaterThan(0.85);
      expect(data[3 * at] / 200).toBeLessThan(1.15);
      expect(data.filter((value) => value > 0)).toHaveLength(3);
    }
  });
});

describe("intervals of relevance", () => {
  const seen = (relevance: number | null): readonly AspectExplanation[] => [{ ...necrosis, relevance }];

  test("go from the 5 % to the 95 % quantile", () => {
    // 0, 0.01, ... 0.15: the quantiles lie at 0.75 and 14.25 of the places 0 to 15.
    const readings = Array.from({ length: 16 }, (_, index) => seen(index / 100));
    const [low, high] = relevanceIntervals([...readings].reverse()).necrosis ?? [];
    expect(low).toBeCloseTo(0.0075, 12);
    expect(high).toBeCloseTo(0.1425, 12);
  });

  test("count an aspect that is not seen in a copy as 0 there", () => {
    const mixed = (count: number) =>
      relevanceIntervals(Array.from({ length: 16 }, (_, index) => seen(index < count ? 0.5 : null))).necrosis;
    expect(mixed(16)).toEqual([0.5, 0.5]);
    expect(mixed(8)).toEqual([0, 0.5]);
  });
});
