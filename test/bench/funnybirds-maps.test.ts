/** FunnyBirds' attribution maps, of a small model with random weights; lines that are kept while a run is killed. */

import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { enlarged, openAttributions } from "../../bench/funnybirds/attributions.js";
import { eachOnce } from "../../bench/funnybirds/each-once.js";
import { random } from "../../src/core/random.js";
import type { Engine } from "../../src/engine/engine.js";
import { selectEngine } from "../../src/engine/select-engine.js";
import { answer, features } from "../../src/model/model.js";
import { tinyModel, tinyParameters } from "../explain/tiny-model.js";

const SIZE = 64;
const model = tinyModel({ inputSize: SIZE });
const parameters = tinyParameters(model);
const stream = random(11, "image");
const pixels = Uint8Array.from({ length: SIZE * SIZE * 3 }, () => stream.uniform(0, 256));
const asked = [0, 1, 2].map((target) => ({ pixels, target }));
let engine: Engine;
let maps: Awaited<ReturnType<typeof openAttributions>>;

beforeAll(async () => {
  await tf.setBackend("cpu");
  engine = await selectEngine();
  maps = await openAttributions({ engine, model, parameters });
});
afterAll(async () => {
  await maps.dispose();
  await engine.dispose();
});

const tensors = () =>
  Object.fromEntries(Object.entries(parameters).map(([name, { shape, data }]) => [name, tf.tensor(data, [...shape])]));
const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);

/** The logits of the image, made darker or brighter by a factor. */
function logitsAt(factor: number): number[] {
  return tf.tidy(() => {
    const image = tf.tensor4d(
      Float32Array.from(pixels, (value) => value * factor),
      [1, SIZE, SIZE, 3],
    );
    const read = features(model, tensors(), { input: image }, { taps: model.classifier.spec.taps });
    return [...answer(model.classifier, tensors(), read).dataSync()];
  });
}

/** How fast the logits rise with the image's brightness, by finite differences. */
function riseAt(factor: number): number[] {
  const [less, more] = [logitsAt(factor - 0.0005), logitsAt(factor + 0.0005)];
  return more.map((value, index) => (value - less[index]) / 0.001);
}

test("input x gradient sums to the logit's rise with the image's brightness", async () => {
  const found = (await maps["input x gradient"](asked)).map(sum);
  for (const [row, { target }] of asked.entries()) expect(found[row]).toBeCloseTo(riseAt(1)[target], 1);
  expect(Math.abs(found[0] - found[1])).toBeGreaterThan(0.1);
});

test("integrated gradients sum to the mean rise of twenty steps from black on", async () => {
  const rises = Array.from({ length: 20 }, (_, step) => riseAt((step + 0.5) / 20));
  const found = (await maps["integrated gradients"](asked)).map(sum);
  for (const [row, { target }] of asked.entries())
    expect(found[row]).toBeCloseTo(sum(rises.map((rise) => rise[target])) / 20, 2);
  expect(Math.abs(found[0] - found[1])).toBeGreaterThan(0.02);
});

test("Grad-CAM weighs the last layer's channels by their mean gradient, the kernel over the places", async () => {
  const [kernel, last] = tf.tidy(() => {
    const image = tf.tensor4d(Float32Array.from(pixels), [1, SIZE, SIZE, 3]);
    const read = features(model, tensors(), { input: image }, { taps: ["conv_pw_13"] });
    return [[...parameters["head/class/kernel"].data], [...read.conv_pw_13.dataSync()]];
  });
  const channels = kernel.length / 3;
  const found = await maps["Grad-CAM"](asked);
  for (const [row, map] of found.entries()) {
    // Two by two places; the corners of the enlarged map are the places' own values.
    for (const [place, at] of [0, SIZE - 1, SIZE * (SIZE - 1), SIZE * SIZE - 1].entries()) {
      const weighed = Array.from(
        { length: channels },
        (_, k) => (kernel[k * 3 + row] / 4) * last[place * channels + k],
      );
      expect(map[at]).toBeCloseTo(Math.max(0, sum(weighed)), 4);
    }
  }
  expect(found.some((map) => map[0] > 0.001)).toBe(true);
});

test("guided Grad-CAM is nothing where Grad-CAM is nothing, and signed elsewhere", async () => {
  const [cams, guided] = [await maps["Grad-CAM"](asked), await maps["guided Grad-CAM"](asked)];
  for (const [row, map] of guided.entries())
    expect(map.every((value, at) => cams[row][at] > 0 || Math.abs(value) === 0)).toBe(true);
  expect(guided.some((map) => map.some((value) => value < 0) && map.some((value) => value > 0))).toBe(true);
});

test("a map is enlarged linearly between the centres of its cells", () => {
  // Centres of two cells at 1 and 3 of 4 pixels, whose own centres are at 0.5, 1.5, 2.5, 3.5.
  const rows = [0, 1, 3, 4];
  expect([...enlarged([0, 0, 4, 4], 4)]).toEqual(rows.flatMap((value) => [value, value, value, value]));
});

test("a run that was killed goes on after its last whole line", async () => {
  const file = join(mkdtempSync(join(tmpdir(), "lines-")), "values.jsonl");
  const made: number[] = [];
  const make = async (item: number) => {
    made.push(item);
    return { item };
  };
  await eachOnce([1, 2], file, make);
  writeFileSync(file, `${readFileSync(file, "utf8")}{"item":`);
  expect(await eachOnce([1, 2, 3, 4], file, make)).toEqual([1, 2, 3, 4].map((item) => ({ item })));
  expect(made).toEqual([1, 2, 3, 4]);
  expect(readFileSync(file, "utf8").trim().split("\n").length).toBe(4);
  expect(await eachOnce([1], file, make)).toEqual([{ item: 1 }]);
});
