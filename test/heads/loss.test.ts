import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import type { Annotation, ClassAnnotation } from "../../src/core/annotation.js";
import { sizeOf } from "../../src/core/nd-array.js";
import { random } from "../../src/core/random.js";
import type { Head, Label } from "../../src/heads/head.js";
import { boxLoss, crossEntropy, maskLoss, slope } from "../reference/heads.js";
import { encoded, given, kinds, labels, oneTap, type specs } from "./given.js";

beforeAll(() => tf.setBackend("cpu"));

/** One labelled image. */
interface Labelled {
  readonly logits: Float64Array;
  readonly label: Annotation & ClassAnnotation;
}

/** The loss of a batch's labelled images from its definition. */
function twin(kind: keyof typeof specs, images: readonly Labelled[]): number {
  if (kind === "segmentation")
    return maskLoss(images.map(({ logits, label }) => ({ logits, mask: label.mask ?? new Uint8Array(64) })));
  if (kind === "boxes")
    return boxLoss(
      images.map(({ logits, label }) => ({ logits, boxes: label.boxes ?? [] })),
      8,
    );
  return images.reduce((sum, image) => sum + twinOfOne(kind, image) / images.length, 0);
}

function twinOfOne(kind: Exclude<keyof typeof specs, "segmentation" | "boxes">, { logits, label }: Labelled): number {
  const entropies = (targets: ArrayLike<number>) =>
    logits.reduce((sum, value, i) => sum + crossEntropy(value, targets[i]) / logits.length, 0);
  const classes = ["a", "b", "c"];
  switch (kind) {
    case "single": {
      const sum = logits.reduce((total, value) => total + Math.exp(value), 0);
      return -Math.log(Math.exp(logits[classes.indexOf(label.label ?? "")]) / sum);
    }
    case "multi":
      return entropies(classes.map((name) => (label.labels?.includes(name) ? 1 : 0)));
    case "regression":
      return ((logits[0] - (label.value ?? Number.NaN)) / 4) ** 2;
    case "presence":
      return entropies([label.present ? 1 : 0]);
    case "number":
      return entropies([label.amount ?? Number.NaN]);
    case "map":
      return entropies(Array.from({ length: 64 }, (_, i) => (label.map?.[i] ?? 0) / 255));
  }
}

function drawLogits(head: Head, batch: number): Float64Array {
  const stream = random(3, head.spec.name, head.spec.kind);
  return Float64Array.from({ length: batch * sizeOf(head.outputShape) }, () => Math.fround(2 * stream.normal()));
}

function lossAndGradient(head: Head, logits: Float64Array, batch: readonly Label[]) {
  const given = encoded(head, batch);
  const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => head.loss(x, given))(
    tf.tensor(Float32Array.from(logits), [batch.length, ...head.outputShape]),
  );
  return { loss: value.dataSync()[0], gradient: grad.dataSync() };
}

describe.each(kinds)("the loss of %s", (kind) => {
  const { head } = given(kind, oneTap);
  const size = sizeOf(head.outputShape);
  const batch = [labels[kind][0], undefined, labels[kind][1]];
  const logits = drawLogits(head, 3);
  const labelled = (i: number) => ({ logits: logits.slice(i * size, (i + 1) * size), label: batch[i] as Annotation });
  const value = () => twin(kind, [0, 2].map(labelled));

  test("is its definition's over the two labelled of three", () => {
    const { loss } = lossAndGradient(head, logits, batch);
    expect(Math.abs(loss - value()) / Math.max(1, value())).toBeLessThan(1e-5); // float32 sums of 64 to 320 terms
  });

  test("has the gradient of finite differences, and exactly none for the unlabelled", () => {
    const { gradient } = lossAndGradient(head, logits, batch);
    const scale = Math.max(...gradient.map(Math.abs));
    expect(scale).toBeGreaterThan(0);
    for (let i = 0; i < gradient.length; i++) {
      if (i >= size && i < 2 * size) expect(Math.abs(gradient[i])).toBe(0);
      else expect(Math.abs(gradient[i] - slope(value, logits, i)) / scale).toBeLessThan(1e-4); // float32
    }
  });

  test("is exactly 0 without gradient where nothing is labelled, and finite far from 0", () => {
    const nothing = lossAndGradient(head, logits, [undefined, undefined, {}]);
    expect(nothing.loss).toBe(0);
    expect(nothing.gradient.every((entry) => entry === 0)).toBe(true);
    const far = lossAndGradient(
      head,
      logits.map((entry) => 50 * entry),
      batch,
    );
    expect(Number.isFinite(far.loss) && far.gradient.every(Number.isFinite)).toBe(true);
  });

  test("encodes the unlabelled as zeros", () => {
    for (const [name, data] of Object.entries(head.encode([undefined, {}]))) {
      expect(data.length, name).toBe(2 * sizeOf(head.labelShapes[name]));
      expect(
        data.every((entry) => entry === 0),
        name,
      ).toBe(true);
    }
    expect([...head.encode(batch).labelled]).toEqual([1, 0, 1]);
  });
});

test("garbage in the fields of other kinds does not reach a head", () => {
  const strange = { present: true, amount: Number.NaN, map: new Uint8Array(3) } as Label;
  const { head } = given("segmentation", oneTap);
  const { loss, gradient } = lossAndGradient(head, drawLogits(head, 1), [strange]);
  expect(loss).toBe(0);
  expect(gradient.every((entry) => entry === 0)).toBe(true);
});

test("Dice by hand: half of one pixel of two, everything else certain", () => {
  // p = 1/2 on one labelled pixel, 0 on 63 others: 1 - (2 * 0.5 + 1) / (0.5 + 1 + 1) = 0.2; entropy log(2) / 64
  const { head } = given("segmentation", oneTap);
  const mask = new Uint8Array(64);
  mask[0] = 1;
  const logits = new Float64Array(64).fill(-40);
  logits[0] = 0;
  expect(lossAndGradient(head, logits, [{ mask }]).loss).toBeCloseTo(0.2 + Math.log(2) / 64, 6);
});

test("where most images lack the aspect, those without it add no Dice, and a batch without it has none", () => {
  // Both images: p = 1/2 on one pixel, which the first labels: 1 - (2 * 0.5 + 1) / (0.5 + 0.5 + 1 + 1) = 1/3.
  const { head } = given("segmentation", oneTap);
  const mask = new Uint8Array(64);
  mask[0] = 1;
  const logits = new Float64Array(128).fill(-40);
  logits[0] = 0;
  logits[64] = 0;
  expect(lossAndGradient(head, logits, [{ mask }, { mask: null }]).loss).toBeCloseTo(1 / 3 + Math.log(2) / 64, 6);
  expect(lossAndGradient(head, logits, [{ mask: null }, { mask: null }]).loss).toBeCloseTo(Math.log(2) / 64, 6);
});

test("shares by hand: a quarter of one pixel, half a chance of it and of another", () => {
  // p = 1/2, m = 1/4; p = 1/2, m = 0; p = 0 on 62 others. Shared min(1/2, 1/4) = 1/4, areas 1 + 1/4:
  // 1 - (2/4 + 1) / (5/4 + 1) = 1/3. Entropy: log 2 of either, whatever its share, over 64.
  const { head } = given("segmentation", oneTap);
  const mask = new Float32Array(64);
  mask[0] = 0.25;
  const logits = new Float64Array(64).fill(-40);
  logits.fill(0, 0, 2);
  expect(lossAndGradient(head, logits, [{ mask }]).loss).toBeCloseTo(1 / 3 + Math.log(2) / 32, 6);
});

test("of a share, the chance of that share is the best: the loss falls towards it from both sides", () => {
  const { head } = given("segmentation", oneTap);
  const mask = new Float32Array(64).fill(0.3);
  const at = (chance: number) =>
    lossAndGradient(head, new Float64Array(64).fill(Math.log(chance / (1 - chance))), [{ mask }]).loss;
  const chances = [0.1, 0.2, 0.28, 0.3, 0.32, 0.5, 0.9].map(at);
  expect(chances.indexOf(Math.min(...chances))).toBe(3);
});

test("the squared error counts in deviations", () => {
  const { head } = given("regression", oneTap);
  expect(lossAndGradient(head, Float64Array.of(18), [{ value: 10 }]).loss).toBeCloseTo(4, 6); // (8 / 4)^2
});
