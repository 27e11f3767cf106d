import { describe, expect, test } from "vitest";
import { random } from "../../src/core/random.js";
import { areaUnderCurve, averagePrecision, rankCorrelation } from "../../src/core/ranking.js";

const ranked = (text: string) => [...text].map((sign, i) => ({ score: -i, isPositive: sign === "+" }));

test("AUC counts the pairs in order, ties one half", () => {
  const stream = random(1);
  const items = Array.from({ length: 60 }, () => ({ score: stream.integer(12), isPositive: stream.next() < 0.3 }));
  let right = 0;
  let pairs = 0;
  for (const a of items.filter((item) => item.isPositive)) {
    for (const b of items.filter((item) => !item.isPositive)) {
      pairs++;
      right += a.score > b.score ? 1 : a.score === b.score ? 0.5 : 0;
    }
  }
  expect(areaUnderCurve(items)).toBeCloseTo(right / pairs, 12);
});

test("AUC is null where there is nothing to tell apart", () => {
  expect(areaUnderCurve(ranked("++"))).toBeNull();
  expect(areaUnderCurve(ranked("-"))).toBeNull();
  expect(areaUnderCurve([])).toBeNull();
});

test("average precision by hand", () => {
  // - + + : precision 0, 1/2, 2/3 at recall 0, 1/2, 1
  expect(averagePrecision(ranked("-++"))).toBeCloseTo((1 / 2 + 2 / 3) / 2, 12);
});

test("without a positive there is no average precision", () => {
  expect(averagePrecision(ranked("--"))).toBeNull();
  expect(averagePrecision([])).toBeNull();
});

test("equal scores count together, whatever their order", () => {
  const tied = [
    { score: 1, isPositive: true },
    { score: 1, isPositive: false },
  ];
  expect(averagePrecision(tied)).toBe(1 / 2);
  expect(averagePrecision([...tied].reverse())).toBe(1 / 2);
});

describe("rank correlation", () => {
  test("is 1 for the same order, -1 for the opposite, whatever the distances", () => {
    expect(
      rankCorrelation([
        [1, 10],
        [2, 11],
        [9, 500],
      ]),
    ).toBeCloseTo(1, 12);
    expect(
      rankCorrelation([
        [1, 3],
        [2, 2],
        [9, -7],
      ]),
    ).toBeCloseTo(-1, 12);
  });

  test("gives ties the mean of their ranks", () => {
    // Ranks 1, 2.5, 2.5, 4 against 1, 3, 2, 4: product of deviations 4.5, squares 4.5 and 5.
    expect(
      rankCorrelation([
        [0, 1],
        [5, 3],
        [5, 2],
        [7, 4],
      ]),
    ).toBeCloseTo(4.5 / Math.sqrt(4.5 * 5), 12);
  });

  test("of nothing, or of one value, is null", () => {
    expect(rankCorrelation([])).toBeNull();
    expect(
      rankCorrelation([
        [1, 2],
        [1, 3],
      ]),
    ).toBeNull();
  });
});
