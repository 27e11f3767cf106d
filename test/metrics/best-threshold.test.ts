import { expect, test } from "vitest";
import { bestThreshold } from "../../src/metrics/best-threshold.js";

test("the best one, of equally good ones the nearest to the usual", () => {
  const peak = (at: number) => (threshold: number) => 1 - Math.abs(threshold - at);
  expect(bestThreshold(peak(0.31), { usual: 0.5, baseline: 0 })).toBe(0.31);
  const plateau = (threshold: number) => (threshold >= 0.2 && threshold < 0.4 ? 0.9 : 0.5);
  expect(bestThreshold(plateau, { usual: 0.5, baseline: 0 })).toBe(0.39);
  expect(bestThreshold(plateau, { usual: 0.3, baseline: 0 })).toBe(0.3);
});

test("the usual one where nothing is known, or always saying yes is as good", () => {
  expect(bestThreshold(() => null, { usual: 0.5, baseline: 0 })).toBe(0.5);
  expect(bestThreshold((threshold) => 1 - threshold, { usual: 0.5, baseline: 0.95 })).toBe(0.5);
});
