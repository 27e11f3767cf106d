import { describe, expect, test } from "vitest";
import { logit } from "../../src/core/logistic.js";
import { createTuner, type HeadTuner } from "../../src/evaluation/tune-head.js";
import type { Label } from "../../src/heads/head.js";
import { specs } from "../heads/given.js";

function add(tuner: HeadTuner, rows: readonly (readonly [logits: readonly number[], label: Label])[], shape = [1]) {
  rows.forEach(([logits, label], image) => {
    tuner.add({ image, logits: Float32Array.from(logits), shape, label });
  });
  return tuner;
}

describe("presence", () => {
  /** Images with the aspect say 0.35, those without 0.25: 0.30 tells them apart. */
  const rows = Array.from({ length: 24 }, (_, i) => [[logit(i % 2 ? 0.35 : 0.25)], { present: i % 2 === 1 }] as const);

  test("takes a temperature, and the threshold of the best F1 of the tempered scores", () => {
    const head = add(createTuner(specs.presence), rows).result();
    expect(head).toMatchObject({ kind: "presence", threshold: expect.any(Number) });
    const { threshold, temperature = 1 } = head as { threshold: number; temperature?: number };
    expect(temperature * logit(threshold)).toBeGreaterThan(logit(0.25));
    expect(temperature * logit(threshold)).toBeLessThanOrEqual(logit(0.35) + 1e-6);
  });

  test("keeps a threshold that the user gave, and the usual one with few images", () => {
    expect(add(createTuner(specs.presence), rows).result({ isThresholdGiven: true })).toMatchObject({ threshold: 0.5 });
    expect(add(createTuner(specs.presence), rows.slice(0, 18)).result()).toMatchObject({ threshold: 0.5 }); // 9 positives
  });
});

test("segmentation: the threshold of the best IoU over all pixels; void ones do not count", () => {
  // Marked pixels say 0.32, others 0.28; the third is void, and would want a lower threshold.
  const label = { mask: Uint8Array.of(1, 0, 0, 0), ignored: Uint8Array.of(0, 0, 1, 0) };
  const rows = Array.from({ length: 12 }, () => [[0.32, 0.28, 0.9, 0.28].map(logit), label] as const);
  expect(add(createTuner(specs.segmentation), rows, [2, 2, 1]).result()).toEqual({
    ...specs.segmentation,
    threshold: 0.32, // of 0.29 to 0.32 the nearest to 0.5
  });
  expect(add(createTuner(specs.segmentation), rows.slice(0, 9), [2, 2, 1]).result()).toEqual(specs.segmentation);
});

test("segmentation: empty images count where they are silent, so that a higher IoU does not make them all alarms", () => {
  // IoU is 24 / 36 from 0.40 on, with a find in every empty image, and 12 / 24 from 0.46 on, with none.
  const present = [[0.6, 0.4, 0.1, 0.1].map(logit), { mask: Uint8Array.of(1, 1, 0, 0) }] as const;
  const empty = [[0.45, 0.1, 0.1, 0.1].map(logit), { mask: null }] as const;
  const rows = Array.from({ length: 24 }, (_, i) => (i % 2 ? present : empty));
  expect(add(createTuner({ ...specs.segmentation, threshold: 0.2 }), rows, [2, 2, 1]).result()).toMatchObject({
    threshold: 0.46,
  });
});

test("segmentation: a head that is best where it finds all of the image keeps the usual threshold", () => {
  const label = { mask: Uint8Array.of(1, 0, 0, 0) };
  const rows = Array.from({ length: 12 }, () => [[0.2, 0.2, 0.2, 0.2].map(logit), label] as const);
  expect(add(createTuner(specs.segmentation), rows, [2, 2, 1]).result()).toEqual(specs.segmentation);
});

test("boxes: the threshold of the best F1", () => {
  const cell = (score: number) => [logit(score), Math.log(0.2), Math.log(0.2), 0.5, 0.5];
  // The right one of each image says 0.6, a wrong one beside it 0.4.
  const label = { boxes: [[0.4, 1 / 6 - 0.1, 0.6, 1 / 6 + 0.1] as const] };
  const rows = Array.from({ length: 10 }, () => [[...cell(0.6), ...cell(0.01), ...cell(0.4)], label] as const);
  const head = add(createTuner(specs.boxes), rows, [1, 3, 5]).result();
  expect(head).toEqual({ ...specs.boxes, threshold: 0.41 }); // of 0.41 to 0.60 the nearest to 0.3
});

test("classifier: one temperature, at which surely wrong answers are said less surely", () => {
  const spec = { ...specs.single, classes: ["a", "b"] };
  const rows = Array.from({ length: 60 }, (_, i) => [[9, 0], { label: i % 3 === 0 ? "b" : "a" }] as const);
  const { temperature = 1 } = add(createTuner(spec), rows).result() as { temperature?: number };
  expect(9 / temperature).toBeCloseTo(logit(2 / 3), 1);
  expect(add(createTuner(specs.regression), [[[3], { value: 3 }]]).result()).toEqual(specs.regression);
  expect(add(createTuner(specs.number), [[[3], { amount: 1 }]]).result()).toEqual(specs.number);
});
