import { expect, test } from "vitest";
import { random } from "../../src/core/random.js";
import { areaUnderCurve, averagePrecision } from "../../src/core/ranking.js";
import { type RankedAnswers, rankedAuc, rankedPrecision, rankScores } from "../../src/metrics/ranking.js";

const answers = (positives: readonly boolean[]): RankedAnswers => ({
  isPositive: (place) => positives[place],
  imageOf: (place) => place,
});

test("area under the curve and average precision by hand, with a tie", () => {
  const ranked = rankScores([0.9, 0.4, 0.4, 0.1]);
  const given = answers([true, true, false, true]);
  // One negative: 0.9 is above it, one is tied, 0.1 below: (1 + 1/2 + 0) / 3.
  expect(rankedAuc(ranked, given)).toBeCloseTo(1.5 / 3, 12);
  // Precision 1 at the first third of recall, 2/3 at the second, 3/4 at the last.
  expect(rankedPrecision(ranked, given)).toBeCloseTo((1 + 2 / 3 + 3 / 4) / 3, 12);
  expect(rankedAuc(ranked, answers([true, true, true, true]))).toBeNull();
  expect(rankedPrecision(ranked, answers([false, false, false, false]))).toBeNull();
});

test("weights are the same as giving an image as often", () => {
  const stream = random(3);
  for (let round = 0; round < 20; round++) {
    const items = Array.from({ length: 25 }, () => ({ score: stream.integer(9), isPositive: stream.next() < 0.4 }));
    const weights = items.map(() => stream.integer(4));
    const repeated = items.flatMap((item, index) => Array.from({ length: weights[index] }, () => item));
    const ranked = rankScores(items.map(({ score }) => score));
    const given = answers(items.map(({ isPositive }) => isPositive));
    expect(rankedAuc(ranked, given, weights)).toBeCloseTo(areaUnderCurve(repeated) ?? Number.NaN, 12);
    expect(rankedPrecision(ranked, given, weights)).toBeCloseTo(averagePrecision(repeated) ?? Number.NaN, 12);
  }
});
