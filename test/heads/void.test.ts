/** Void in the heads: exactly no gradient, no metric, no false positive. */

import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import type { Annotation } from "../../src/core/annotation.js";
import { shareInside } from "../../src/core/box.js";
import { ndArray } from "../../src/core/nd-array.js";
import { random } from "../../src/core/random.js";
import { createMetrics } from "../../src/heads/metrics.js";
import { presentOf } from "../../src/heads/presence-reading.js";
import { crossEntropy, maskLoss, slope } from "../reference/heads.js";
import { encoded, given, oneTap, specs } from "./given.js";

beforeAll(() => tf.setBackend("cpu"));

const isVoid = (pixel: number) => pixel % 8 >= 5 || pixel >= 48;
const ignored = Uint8Array.from({ length: 64 }, (_, pixel) => (isVoid(pixel) ? 1 : 0));
const known = (values: ArrayLike<number>) => Float64Array.from(Array.from(values).filter((_, pixel) => !isVoid(pixel)));
const mask = Float32Array.from({ length: 64 }, (_, pixel) => (isVoid(pixel) ? 0 : pixel % 8 < 2 ? 1 : pixel / 256));
const map = Uint8Array.from({ length: 64 }, (_, pixel) => (isVoid(pixel) ? 0 : pixel * 3));

/** The loss of the known pixels alone, as if the image had no others. */
const cases = {
  segmentation: {
    label: { mask, ignored } as Annotation,
    twin: (logits: Float64Array) => maskLoss([{ logits: known(logits), mask: known(mask) }]),
  },
  map: {
    label: { map, ignored } as Annotation,
    twin: (logits: Float64Array) =>
      known(logits).reduce((sum, value, i) => sum + crossEntropy(value, known(map)[i] / 255), 0) / known(map).length,
  },
};

describe.each(["segmentation", "map"] as const)("the loss of %s", (kind) => {
  const { label, twin } = cases[kind];
  const { head } = given(kind, oneTap);
  const stream = random(4, kind);
  const logits = Float64Array.from({ length: 64 }, () => Math.fround(2 * stream.normal()));
  const run = (batch: readonly (Annotation | undefined)[]) => {
    const labels = encoded(head, batch);
    const rows = Float32Array.from(batch.flatMap(() => [...logits]));
    const x = tf.tensor(rows, [batch.length, 8, 8, 1]);
    const { value, grad } = tf.valueAndGrad((given: tf.Tensor) => head.loss(given, labels))(x);
    return { loss: value.dataSync()[0], gradient: grad.dataSync() };
  };

  test("is that of the known pixels, with the gradient of finite differences there and exactly none in void", () => {
    const { loss, gradient } = run([label]);
    expect(Math.abs(loss - twin(logits))).toBeLessThan(1e-5); // float32 sums of 30 terms
    const scale = Math.max(...gradient.map(Math.abs));
    for (let pixel = 0; pixel < 64; pixel++) {
      if (isVoid(pixel)) expect(Math.abs(gradient[pixel])).toBe(0);
      else expect(Math.abs(gradient[pixel] - slope(() => twin(logits), logits, pixel)) / scale).toBeLessThan(1e-4);
    }
  });

  test("void everywhere is unlabelled, and takes no share of the batch", () => {
    const all = { ...label, ignored: new Uint8Array(64).fill(1) };
    const { loss, gradient } = run([label, all]);
    expect(loss).toBe(run([label]).loss);
    expect(gradient.slice(64).every((entry) => entry === 0)).toBe(true);
  });

  test("does not change without void, however it is said", () => {
    const { ignored: _, ...whole } = label;
    expect(run([whole])).toEqual(run([{ ...whole, ignored: new Uint8Array(64) }]));
  });
});

describe("boxes", () => {
  const { head } = given("boxes", oneTap); // 8 x 8 cells
  const ignoredBoxes = [[0.5, 0.45, 0.8, 0.9]] as const;
  /** Rows 4..6, columns 3..7: every cell that the region touches. */
  const isIgnored = (cell: number) => {
    const [row, column] = [Math.floor(cell / 8), cell % 8];
    return row >= 4 && row <= 6 && column >= 3 && column <= 7;
  };
  const gradientOf = (label: Annotation) => {
    const labels = encoded(head, [label]);
    const x = tf.tensor(
      Float32Array.from({ length: 320 }, (_, i) => Math.sin(i)),
      [1, 8, 8, 5],
    );
    return tf
      .grad((logits: tf.Tensor) => head.loss(logits, labels))(x)
      .dataSync();
  };

  test("cells that an ignored region touches have exactly no gradient, all others one of their heat", () => {
    const gradient = gradientOf({ boxes: [], ignoredBoxes });
    for (let cell = 0; cell < 64; cell++) {
      const own = gradient.slice(5 * cell, 5 * cell + 5);
      if (isIgnored(cell)) expect(own.every((entry) => Math.abs(entry) === 0)).toBe(true);
      else expect(own[0]).not.toBe(0);
    }
  });

  test("a box marked inside the region is learned there all the same", () => {
    const gradient = gradientOf({ boxes: [[0.55, 0.55, 0.7, 0.7]], ignoredBoxes }); // centre in row 5, column 5
    expect(gradient[5 * (5 * 8 + 5)]).toBeLessThan(0);
    expect(Math.abs(gradient[5 * (6 * 8 + 7)])).toBe(0); // of the region, beyond the cells around the centre
  });

  test("the share of a box in a region is of the box's own area", () => {
    expect(shareInside([0, 0, 0.2, 0.2], [0, 0.1, 1, 1])).toBeCloseTo(0.5);
    expect(shareInside([0, 0, 1, 1], [0, 0.1, 1, 0.3])).toBeCloseTo(0.2);
    expect(shareInside([0.2, 0, 0.1, 1], [0, 0, 1, 1])).toBe(0);
  });

  test("a detection in an ignored region that matches no box is not counted", () => {
    const logits = ndArray([1, 8, 8, 5]);
    const draw = (row: number, column: number, heat: number) =>
      logits.data.set([heat, Math.log(0.25), Math.log(0.25), 0.5, 0.5], 5 * (row * 8 + column));
    logits.data.fill(-9);
    draw(5, 5, 3); // in the region
    draw(1, 1, 2); // the box
    const label = { boxes: [[1.5 / 8 - 0.125, 1.5 / 8 - 0.125, 1.5 / 8 + 0.125, 1.5 / 8 + 0.125] as const] };
    const ap = (given: Annotation) => {
      const metrics = createMetrics(specs.boxes);
      metrics.add(logits, [given]);
      return (metrics.result() as { ap50: number }).ap50;
    };
    expect(ap(label)).toBeCloseTo(0.5);
    expect(ap({ ...label, ignoredBoxes })).toBeCloseTo(1);
  });
});

test("segmentation: void pixels are in neither sum; void everywhere is not counted", () => {
  const metrics = createMetrics(specs.segmentation);
  // Four pixels: found and labelled, found alone, found in void, missed. IoU 1 / 3.
  const logits = ndArray([2, 2, 2, 1], Float32Array.of(5, 5, 5, -5, 5, 5, 5, 5));
  const voids = (values: readonly number[]) => Uint8Array.from(values);
  metrics.add(logits, [
    { mask: Float32Array.of(1, 0, 0, 1), ignored: voids([0, 0, 1, 0]) },
    { mask: Float32Array.of(0, 0, 0, 0), ignored: voids([1, 1, 1, 1]) },
  ]);
  expect(metrics.result()).toEqual({ kind: "segmentation", iou: 1 / 3, dice: 1 / 2, count: 1 });
});

test("amount: the error is of the known pixels, the number the mean of the known part of a map", () => {
  const map = Uint8Array.of(255, 255, 0, 0);
  const label = { map, ignored: Uint8Array.of(0, 0, 1, 0) };
  const byPixel = createMetrics(specs.map);
  byPixel.add(ndArray([1, 2, 2, 1], Float32Array.of(0, 40, 40, -40)), [label]); // 0.5, 1, (1), 0 of 1, 1, -, 0
  expect(byPixel.result()).toMatchObject({ mae: 0.5 / 3, count: 1 });
  const byNumber = createMetrics(specs.number);
  byNumber.add(ndArray([1, 1], Float32Array.of(0)), [label]); // 0.5 of 2 / 3
  const { mae } = byNumber.result() as { mae: number };
  expect(mae).toBeCloseTo(1 / 6, 6);
});

test("presence: seen is present; not seen, but maybe in the void, is unlabelled", () => {
  const some = Uint8Array.of(0, 1);
  expect(presentOf({ mask: Float32Array.of(1, 0), ignored: some })).toBe(true);
  expect(presentOf({ mask: Float32Array.of(0, 0), ignored: some })).toBeUndefined();
  expect(presentOf({ mask: Float32Array.of(0, 0) })).toBe(false);
  expect(presentOf({ boxes: [], ignoredBoxes: [[0, 0, 1, 1]] })).toBeUndefined();
  expect(presentOf({ boxes: [], ignoredBoxes: [] })).toBe(false);
  expect(presentOf({ boxes: [[0, 0, 1, 1]], ignoredBoxes: [[0, 0, 1, 1]] })).toBe(true);
  expect(presentOf({ present: false, boxes: [], ignoredBoxes: [[0, 0, 1, 1]] })).toBe(false);
});
