import { expect, test } from "vitest";
import { scoreText } from "../../src/explain/headline.js";
import { rankAspects, remainderTexts, scaleNote, shareText } from "../../src/pictures/number-text.js";
import { explanation, mitosis, necrosis, ranked } from "./fixtures.js";

test("never writes a zero with a sign", () => {
  expect([-0.001, -0.02, 0.004, null].map(shareText)).toEqual(["0.00", "-0.02", "0.00", "–"]);
});

test("a score has two digits wherever it begins, and none so small that it means nothing", () => {
  expect([0.61234, 0.0312, 0.004178, 0.00011, 0.00009, 0, null].map(scoreText)).toEqual([
    "0.61",
    "0.031",
    "0.0042",
    "0.00011",
    "< 0.0001",
    "0",
    "–",
  ]);
});

test("ranks relevant before present before absent", () => {
  const names = (of: typeof explanation) => rankAspects(of.aspects).map(({ name }) => name);
  expect(names(explanation)).toEqual(["necrosis", "mitosis", "nucleus", "vessel"]);
  expect(names(ranked.explanation)).toEqual(["necrosis", "mitosis", "nucleus", "vessel"]); // by score alone
});

test("ranks relevant aspects by their share, whatever their scores", () => {
  const larger = { ...mitosis, share: 0.7 };
  expect(rankAspects([necrosis, larger]).map(({ name }) => name)).toEqual(["mitosis", "necrosis"]);
});

test("says from when on an aspect is relevant, by kind of scale", () => {
  const of = (scale: typeof explanation.scale) => scaleNote({ ...explanation, scale });
  expect(of(explanation.scale)).toBe("relevant from a relevance of 0.50 on");
  expect(of({ kind: "above-chance", line: 0.01234 })).toBe("above chance from a score of 0.012 on");
  expect(of({ kind: "uncalibrated" })).toBe("not calibrated: scores rank the aspects");
});

test("says what is beside the aspects only where that is known", () => {
  expect(remainderTexts(explanation)).toEqual([
    "11 % of the evidence lies elsewhere",
    "4 % of all evidence speaks against the answer",
  ]);
  expect(remainderTexts({ ...explanation, elsewhere: null, against: null })).toEqual([]);
});
