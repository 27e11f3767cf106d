import { describe, expect, test } from "vitest";
import { bootstrapIntervals } from "../../src/metrics/bootstrap.js";
import type { Weights } from "../../src/metrics/weights.js";

/** Share of the images whose value is 1. */
const shareOf = (values: readonly number[]) => (weights: Weights) => {
  const all = values.reduce((sum, _, image) => sum + weights[image], 0);
  return { share: values.reduce((sum, value, image) => sum + value * weights[image], 0) / all };
};

test("an interval of a share is about the binomial's", () => {
  const values = Array.from({ length: 400 }, (_, image) => (image % 5 === 0 ? 0 : 1)); // 0.8, deviation 0.02
  const { share } = bootstrapIntervals(shareOf(values), { count: 400 });
  expect(share?.[0]).toBeGreaterThan(0.75);
  expect(share?.[0]).toBeLessThan(0.77); // 0.8 - 1.96 * 0.02 = 0.761
  expect(share?.[1]).toBeGreaterThan(0.83);
  expect(share?.[1]).toBeLessThan(0.85);
});

test("the same seed gives the same interval, another seed another", () => {
  const values = Array.from({ length: 50 }, (_, image) => image % 2);
  const draw = (seed: number) => bootstrapIntervals(shareOf(values), { count: 50, seed, draws: 50 });
  expect(draw(3)).toEqual(draw(3));
  expect([draw(3), draw(4), draw(5)].every((one) => JSON.stringify(one) === JSON.stringify(draw(3)))).toBe(false);
});

describe("groups", () => {
  test("are drawn whole: images that are all alike in a group say no more than the group", () => {
    // 20 patients of 20 images each; every second patient's are right.
    const groups = Array.from({ length: 400 }, (_, image) => Math.floor(image / 20));
    const values = groups.map((group) => group % 2);
    const width = (given?: readonly number[]) => {
      const { share } = bootstrapIntervals(shareOf(values), { count: 400, groups: given });
      return share ? share[1] - share[0] : Number.NaN;
    };
    // Deviations: 0.5 / sqrt(20) = 0.11 by patients, 0.5 / sqrt(400) = 0.025 by images.
    expect(width(groups)).toBeGreaterThan(0.35);
    expect(width()).toBeLessThan(0.11);
  });
});

test("a number that most draws lack has no interval", () => {
  const { rare } = bootstrapIntervals(() => ({ rare: null }), { count: 3, draws: 10 });
  expect(rare).toBeNull();
});
