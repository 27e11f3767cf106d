import { describe, expect, test } from "vitest";
import { logit } from "../../src/core/logistic.js";
import { scoreBins } from "../../src/review/score-bins.js";

describe("precision over recall", () => {
  test("reads, at each recall, the best precision at that or any higher recall", () => {
    // Best first: right, wrong, right, wrong: precision 1 at recall 1/2, 1/2 there too, 2/3 at recall 1, then 1/2.
    const bins = scoreBins();
    for (const [score, isRight] of [
      [3, true],
      [2, false],
      [1, true],
      [0, false],
    ] as const)
      bins.add(score, isRight);
    const curve = bins.precision() ?? [];
    expect(curve).toHaveLength(101);
    expect(curve[0]).toBe(1);
    expect(curve[50]).toBe(1);
    expect(curve[51]).toBeCloseTo(2 / 3, 12);
    expect(curve[100]).toBeCloseTo(2 / 3, 12);
  });

  test("is 0 beyond what was ever found, and null without positives", () => {
    const bins = scoreBins();
    bins.add(1, true);
    expect(bins.precision(4)?.[25]).toBe(1);
    expect(bins.precision(4)?.[26]).toBe(0);
    expect(scoreBins().precision()).toBeNull();
  });
});

test("reliability compares the mean probability of each tenth with the share that came true", () => {
  const bins = scoreBins();
  for (const [probability, isRight] of [
    [0.62, true],
    [0.68, false],
    [0.11, false],
  ] as const)
    bins.add(logit(probability), isRight);
  const [low, high] = bins.reliability();
  expect(low).toMatchObject({ cameTrue: 0, count: 1 });
  expect(low.said).toBeCloseTo(0.11, 12);
  expect(high).toMatchObject({ cameTrue: 0.5, count: 2 });
  expect(high.said).toBeCloseTo(0.65, 12);
});
