import { expect, test } from "vitest";
import { confusionScores } from "../../src/metrics/confusion.js";

test("accuracy, recalls, F1 and the majority by hand; a class that never occurs is left out of the means", () => {
  const scores = confusionScores([
    [6, 2, 0],
    [1, 1, 0],
    [0, 0, 0],
  ]);
  // Recalls 6/8 and 1/2. F1 = 2 right / (labelled + predicted): 12 / (8 + 7) and 2 / (2 + 3).
  expect(scores.accuracy).toBe(7 / 10);
  expect(scores.majorityBaseline).toBe(8 / 10);
  expect(scores.recall).toEqual([3 / 4, 1 / 2, null]);
  expect(scores.balancedAccuracy).toBeCloseTo(5 / 8, 12);
  expect(scores.f1ByClass).toEqual([12 / 15, 2 / 5, null]);
  expect(scores.f1).toBeCloseTo(0.6, 12);
});

test("of no image nothing is known", () => {
  const empty = { accuracy: null, majorityBaseline: null, balancedAccuracy: null, f1: null };
  expect(confusionScores([[0, 0], [0, 0]])).toMatchObject(empty); // biome-ignore format: one matrix
});
