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
  // Ten of each class: each counts as 1 - 1 / 12 true, so the score is 11/12 and the logits' difference log 11.
  expect(softmax([12 / temperature, 0])[0]).toBeCloseTo(11 / 12, 3);
});

test("one that does not help on the other half is not taken", () => {
  // The first half (even places) is right, the second wrong, each as surely.
  const isTrue = Array.from({ length: 400 }, (_, i) => (i % 2 === 0 ? 1 : 0));
  expect(fitTemperature({ logits: isTrue.map(() => 0.1), isTrue, width: 1, isExclusive: false })).toBeNull();
  expect(fitTemperature({ logits: [3], isTrue: [1], width: 1, isExclusive: false })).toBeNull();
});
