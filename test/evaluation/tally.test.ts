/** Every metric of a head by hand, and the same as the metrics of training where both have them. */

import { describe, expect, test } from "vitest";
import type { OriginalMask } from "../../src/core/annotation.js";
import type { Box } from "../../src/core/box.js";
import { logit } from "../../src/core/logistic.js";
import { ndArray } from "../../src/core/nd-array.js";
import { random } from "../../src/core/random.js";
import { createTally, type HeadResult } from "../../src/evaluation/create-tally.js";
import type { Label } from "../../src/heads/head.js";
import type { HeadSpec } from "../../src/heads/head-spec.js";
import { createMetrics } from "../../src/heads/metrics.js";
import { labels as givenLabels, kinds, specs } from "../heads/given.js";

interface Row {
  readonly logits: readonly number[];
  readonly label: Label;
  readonly original?: OriginalMask;
}

function tallyOf(spec: HeadSpec, rows: readonly Row[], shape: readonly number[] = [rows[0].logits.length]) {
  const tally = createTally(spec, { size: Math.round(Math.sqrt(rows[0].logits.length)) });
  rows.forEach(({ logits, ...row }, image) => {
    tally.add({ image, logits: Float32Array.from(logits), shape, ...row });
  });
  return tally;
}

const measure = (...given: Parameters<typeof tallyOf>): HeadResult => tallyOf(...given).result();

test("one class of several", () => {
  const result = measure({ ...specs.single, classes: ["a", "b"] }, [
    { logits: [0, Math.log(9)], label: { label: "b" } }, // says b with 0.9
    { logits: [Math.log(4), 0], label: { label: "a" } }, // a with 0.8
    { logits: [Math.log(1.5), 0], label: { label: "b" } }, // a with 0.6
    { logits: [9, 0], label: {} },
  ]);
  // Recalls 1 and 1/2; F1 of a 2 / (1 + 2), of b 2 / (2 + 1). Pairs: b at 0.9 and 0.4 against a's b of 0.2: all right.
  // Calibration: |0.9 - 1|, |0.8 - 1|, |0.6 - 0|, each a third.
  expect(result).toMatchObject({
    accuracy: 2 / 3,
    balancedAccuracy: 3 / 4,
    f1: expect.closeTo(2 / 3, 12),
    auc: 1,
    majorityBaseline: 2 / 3,
    calibrationError: expect.closeTo((0.1 + 0.2 + 0.6) / 3, 6),
    reliability: [{ count: 1 }, { count: 1 }, { count: 1 }],
    count: 3,
  });
});

test("a temperature changes what is said, never what is decided", () => {
  const rows = [
    { logits: [0, 4], label: { label: "b" } },
    { logits: [6, 0], label: { label: "b" } },
  ];
  const spec: HeadSpec = { ...specs.single, classes: ["a", "b"] };
  const [plain, tempered] = [measure(spec, rows), measure({ ...spec, temperature: 4 }, rows)];
  expect(tempered).toMatchObject({ accuracy: 1 / 2, confusion: [[0, 0], [1, 1]] }); // biome-ignore format: one line
  expect(plain).toMatchObject({ confusion: [[0, 0], [1, 1]] }); // biome-ignore format: one line
  // Said 0.731 and 0.818 instead of 0.982 and 0.998; right and wrong.
  expect(tempered).toMatchObject({ calibrationError: expect.closeTo((1 - 0.7311 + 0.8176) / 2, 4) });
  expect(plain).toMatchObject({ calibrationError: expect.closeTo(Math.abs(0.982 + 0.9975 - 1) / 2, 3) });
});

test("several labels", () => {
  const result = measure({ ...specs.multi, classes: ["a", "b"] }, [
    { logits: [3, -1], label: { labels: ["a"] } },
    { logits: [2, 1], label: { labels: [] } },
    { logits: [1, -2], label: { labels: ["a", "b"] } },
  ]);
  // Average precision: a right, wrong, right: 5/6; b wrong, wrong, right: 1/3. Pairs: a 1 of 2, b 0 of 2.
  // Decisions: a said 3 times, 2 right; b once, wrong; 3 labels.
  expect(result).toMatchObject({
    meanAveragePrecision: expect.closeTo((5 / 6 + 1 / 3) / 2, 12),
    meanAuc: 1 / 4,
    auc: { a: 1 / 2, b: 0 },
    f1: 4 / 7,
    recall: { a: 1, b: 0 },
    prevalence: { a: 2 / 3, b: 1 / 3 },
  });
});

test("a regression", () => {
  const rows = [[1, 1], [4, 2], [5, 6]].map(([said, value]) => ({ logits: [said], label: { value } })); // biome-ignore format: pairs
  // Errors 0, 2, -1; the true mean is 3, so always saying it errs by 2, 1, 3; both orders are the same.
  expect(measure(specs.regression, rows)).toMatchObject({
    mae: 1,
    maeBaseline: 2,
    rmse: Math.sqrt(5 / 3),
    r2: expect.closeTo(1 - 5 / 14, 12),
    rankCorrelation: expect.closeTo(1, 12),
  });
});

describe("segmentation", () => {
  const [yes, no] = [5, -5];

  test("overlap, share of pixels, and false alarms", () => {
    const result = measure(specs.segmentation, [
      { logits: [yes, yes, no, no], label: { mask: Uint8Array.of(1, 0, 1, 0) } },
      { logits: [yes, no, no, no], label: { mask: null } },
      { logits: [no, no, no, no], label: { mask: null } },
      { logits: [yes, yes, yes, yes], label: undefined },
    ]);
    // Shared 1, found 3, marked 2 of 12 pixels; in the image that holds it shared 1, found 2, marked 2.
    expect(result).toMatchObject({
      iou: 1 / 4,
      iouWherePresent: 1 / 3,
      dice: 2 / 5,
      pixelShare: 2 / 12,
      falseAlarmRate: 1 / 2,
      iouAtOriginalSize: null,
      count: 3,
    });
  });

  test("void pixels count nowhere", () => {
    const ignored = Uint8Array.of(0, 1, 1, 0);
    const label = { mask: Uint8Array.of(1, 0, 0, 0), ignored };
    const original = { width: 2, height: 2, marked: Uint8Array.of(1, 0, 0, 0), ignored };
    const result = measure(specs.segmentation, [{ logits: [yes, yes, no, no], label, original }]);
    expect(result).toMatchObject({ iou: 1, iouAtOriginalSize: 1, pixelShare: 1 / 2 });
    const all = { ...label, ignored: Uint8Array.of(1, 1, 1, 1) };
    expect(measure(specs.segmentation, [{ logits: [yes, yes, no, no], label: all }]).count).toBe(0);
  });

  test("at the original's size what was found is enlarged", () => {
    // Two columns of which the left is found, four of the original: two are found. The expert marked three.
    const marked = Uint8Array.from({ length: 4 * 2 }, (_, pixel) => (pixel % 4 < 3 ? 1 : 0));
    const original = { width: 4, height: 2, marked };
    const label = { mask: Float32Array.of(1, 0.5, 1, 0.5) };
    const result = measure(specs.segmentation, [{ logits: [yes, no, yes, no], label, original }]);
    expect(result).toMatchObject({ iou: 1 / 2, iouAtOriginalSize: 2 / 3 });
  });
});

test("boxes: COCO's average precision, and F1 at the threshold", () => {
  // Two cells in a row: each may hold a box of a fifth of the image, in its middle.
  const cell = (heat: number, side = 0.2) => [heat, Math.log(side), Math.log(0.2), 0.5, 0.5];
  const at = (column: number): Box => [0.4, 0.25 + 0.5 * column - 0.1, 0.6, 0.25 + 0.5 * column + 0.1];
  const result = measure(
    specs.boxes,
    [
      { logits: [...cell(3), ...cell(-9)], label: { boxes: [at(0), at(1)] } },
      { logits: [...cell(-9), ...cell(1)], label: { boxes: [] } },
      { logits: [...cell(2, 0.12), ...cell(-9)], label: { boxes: [at(0)] } }, // overlaps by 0.6
      { logits: [...cell(2), ...cell(-9)], label: { boxes: [], ignoredBoxes: [[0, 0, 1, 1]] } },
    ],
    [1, 2, 5],
  );
  // At 0.50 to 0.60: right, right, wrong of 3 boxes; from 0.65 on: right, wrong, wrong. The last lies in a crowd.
  // Of the 101 points 0 to 0.66 (67) are reached, or 0 to 0.33 (34). 0.6 in float32 may be above or below the third.
  const high = 67 / 101;
  const low = 34 / 101;
  expect(result).toMatchObject({ ap50: expect.closeTo(high, 12), precision: 2 / 3, recall: 2 / 3, f1: 4 / 6 });
  expect([2, 3].map((count) => (count * high + (10 - count) * low) / 10)).toContainEqual(
    expect.closeTo((result as { ap: number }).ap, 12),
  );
  expect(result).toMatchObject({ instanceCount: 3, count: 4 });
});

test("presence: ranking, decisions and what guessing reaches", () => {
  const rows = [2, 1, -1, -1].map((said, index) => ({ logits: [said], label: { present: index % 2 === 0 } }));
  // Pairs: 1 + 1 + 0 + 1/2 of 4. Precision 1 at half of the recall, 2/4 at all. Said twice, once right.
  expect(measure(specs.presence, rows)).toMatchObject({
    auc: 2.5 / 4,
    averagePrecision: (1 + 2 / 4) / 2,
    f1: 1 / 2,
    precision: 1 / 2,
    recall: 1 / 2,
    accuracy: 1 / 2,
    prevalence: 1 / 2,
    f1Baseline: 2 / 3,
  });
});

test("the threshold of a presence is of the score that is shown", () => {
  const spec = { ...specs.presence, threshold: 0.8, temperature: 2 };
  const rows = [2 * logit(0.81), 2 * logit(0.79)].map((said) => ({ logits: [said], label: { present: true } }));
  expect(measure(spec, rows)).toMatchObject({ recall: 1 / 2 });
});

test("amounts: of a map the pixels err, and the means of images are compared", () => {
  const rows = [
    { logits: [0, 0], label: { map: Uint8Array.of(255, 0) } }, // says 1/2 twice of 1 and 0
    { logits: [logit(0.25), logit(0.25)], label: { amount: 0 } },
  ];
  const result = measure({ ...specs.map }, rows, [1, 2, 1]);
  // Means said 1/2 and 1/4, true 1/2 and 0: squared errors 0 and 1/16, variance 2 / 16.
  expect(result).toMatchObject({
    mae: expect.closeTo(3 / 8, 6),
    maeBaseline: 1 / 4,
    r2: expect.closeTo(1 / 2, 6),
    rankCorrelation: expect.closeTo(1, 12),
  });
});

const shapes = { single: [3], multi: [3], segmentation: [8, 8, 1], boxes: [2, 2, 5], map: [8, 8, 1] };
const shapeOf = (kind: string): readonly number[] => (kind in shapes ? shapes[kind as keyof typeof shapes] : [1]);

describe.each(kinds)("%s", (kind) => {
  const shape = shapeOf(kind);
  const stream = random(5, kind);
  const length = shape.reduce((a, b) => a * b);
  const rows = Array.from({ length: 12 }, (_, image): Row => ({
    logits: Array.from({ length }, () => 3 * stream.normal()),
    label: image % 5 === 4 ? undefined : givenLabels[kind][image % 2],
  })); // biome-ignore format: one list

  test("gives what training measures, where both do", () => {
    const metrics = createMetrics(specs[kind]);
    const data = Float32Array.from(rows.flatMap(({ logits }) => logits));
    metrics.add(ndArray([rows.length, ...shape], data), rows.map(({ label }) => label)); // biome-ignore format: one call
    const result = tallyOf(specs[kind], rows, shape).result() as unknown as Record<string, unknown>;
    for (const [name, value] of Object.entries(metrics.result())) {
      if (typeof value === "number") expect(result[name], name).toBeCloseTo(value, 12);
      else expect(result[name], name).toEqual(value);
    }
  });

  test("weights are the same as adding an image as often", () => {
    const weights = rows.map((_, image) => image % 3);
    const repeated = rows.flatMap((row, image) => Array.from({ length: weights[image] }, () => row));
    const [weighed, again] = [tallyOf(specs[kind], rows, shape), tallyOf(specs[kind], repeated, shape)];
    expect(weighed.count(weights)).toBe(again.count());
    const expected = again.numbers();
    for (const [name, value] of Object.entries(weighed.numbers(weights))) {
      if (value === null) expect(expected[name], name).toBeNull();
      else expect(value, name).toBeCloseTo(expected[name] ?? Number.NaN, 10);
    }
  });

  test("without labels nothing is evaluated, never 0", () => {
    const tally = tallyOf(specs[kind], rows.map((row) => ({ ...row, label: undefined })), shape); // biome-ignore format: one call
    expect(Object.values(tally.numbers()).filter((value) => value !== null)).toEqual([]);
    expect(tally.result().count).toBe(0);
  });
});
