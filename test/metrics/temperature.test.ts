import { describe, expect, test } from "vitest";
import { sigmoid, softmax } from "../../src/core/logistic.js";
import { type Random, random } from "../../src/core/random.js";
import { fitTemperature } from "../../src/metrics/temperature.js";

/** Answers whose scores are right as often as they say once the logits are divided by `temperature`. */
function drawn(count: number, { temperature, width }: { temperature: number; width: number }, stream: Random) {
  const logits: number[] = [];
  const isTrue: number[] = [];
  for (let i = 0; i < count; i++) {
    const row = Array.from({ length: width }, () => 2 * stream.normal());
    const scores = width > 1 ? softmax(row) : row.map(sigmoid);
    let left = stream.next();
    const truth = scores.findIndex((score) => {
      left -= score;
      return left < 0;
    });
    logits.push(...row.map((logit) => logit * temperature));
    isTrue.push(...row.map((_, index) => (index === truth ? 1 : 0)));
  }
  return { logits, isTrue, width, isExclusive: width > 1 };
}

describe.each([
  ["of several classes", 3],
  ["of yes and no", 1],
])("answers %s", (_, width) => {
  test.each([0.4, 3])("that are off by a factor of %f get that temperature", (temperature) => {
    const found = fitTemperature(drawn(4000, { temperature, width }, random(1, "t")));
    expect(Math.abs((found ?? 0) / temperature - 1)).toBeLessThan(0.1); // by 4000 answers
  });

  test("that are calibrated keep their scores", () => {
    const found = fitTemperature(drawn(4000, { temperature: 1, width }, random(2, "t"))) ?? 1;
    expect(Math.abs(found - 1)).toBeLessThan(0.1);
  });
});

test("several labels share one temperature", () => {
  const one = drawn(4000, { temperature: 2.5, width: 1 }, random(3, "t"));
  expect(fitTemperature({ ...one, width: 4 })).toBeCloseTo(2.5, 0);
});

test("a few answers that are all right do not prove that the next one is", () => {
  const logits = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? [12, 0] : [0, 12])).flat();
  const isTrue = logits.map((logit) => (logit > 0 ? 1 : 0));
  const temperature = fitTemperature({ logits, isTrue, width: 2, isExclusive: true }) ?? Number.NaN;
  expect(softmax([12 / temperature, 0])[0]).toBeCloseTo(21 / 22, 6);
});

test("an answer that is wrong counts as one, however sure it was", () => {
  const given = (wrong: number) => {
    const logits = Array.from({ length: 40 }, (_, i) => (i === 0 ? -wrong : 2));
    return fitTemperature({ logits, isTrue: logits.map(() => 1), width: 1, isExclusive: false }) ?? Number.NaN;
  };
  // 39 of 40 are right: 40/42 on average. Likelihood alone would move by a factor of three.
  expect(given(30) / given(2)).toBeGreaterThan(0.95);
  expect(given(30) / given(2)).toBeLessThan(1.05);
});

test("fewer than ten answers say nothing", () => {
  expect(
    fitTemperature({ logits: Array(9).fill(3), isTrue: Array(9).fill(1), width: 1, isExclusive: false }),
  ).toBeNull();
});
