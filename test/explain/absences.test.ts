/** Answers that need that an aspect is absent, on a model whose heads and classifier are set by hand. */

import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { areAbsences, neededAbsences } from "../../src/core/absences.js";
import type { Sample } from "../../src/core/annotation.js";
import { type NdArray, type NdArrays, ndArray } from "../../src/core/nd-array.js";
import { random } from "../../src/core/random.js";
import type { Engine } from "../../src/engine/engine.js";
import { createTfjsEngine } from "../../src/engine/tfjs-engine.js";
import { measureAbsences } from "../../src/explain/calibration/measure-absences.js";
import { computeReferences } from "../../src/explain/calibration/references.js";
import type { AspectSpec } from "../../src/heads/head-spec.js";
import { SOURCE, tinyModel, tinyParameters, toTensors } from "./tiny-model.js";

const SIZE = 32;
/** Images a group. */
const COUNT = 7;

let engine: Engine;
beforeAll(async () => {
  await tf.setBackend("cpu");
  engine = await createTfjsEngine({ backend: "cpu" });
});
afterAll(() => engine.dispose());

test("an answer needs the absence of the aspect that changes it, not that of another", async () => {
  const { model, parameters, images } = await handMade({ decisive: 1 });
  // Group 1 shows the spot and is "b"; group 2 shows the tag; group 0 neither: both are "a".
  expect(await measured(model, parameters, images)).toEqual({ a: { spot: 1 } });
});

test("nothing is said of an aspect that few images show, of several labels, or without aspects", async () => {
  const { model, parameters, images } = await handMade({ decisive: 1 });
  const few = images.filter((_, index) => Math.floor(index / COUNT) !== 1 || index % COUNT < 4);
  expect(await measured(model, parameters, few)).toEqual({});
  const multi = tinyModel({ aspects: model.aspects.map(({ spec }) => spec), classifier: { task: "multi" } });
  expect(await measureAbsences(multi, { engine, parameters, references: {}, samples: () => [], batchSize: 2 })).toEqual(
    {},
  );
});

test("absences are named from 0.95 on; tables are checked", () => {
  const table = { good: { scratch: 1, dent: 0.94, stain: 0.95 }, bad: {} };
  expect(neededAbsences(table, "good")).toEqual(["scratch", "stain"]);
  expect(neededAbsences(table, "bad")).toEqual([]);
  expect(neededAbsences(table, "toString")).toEqual([]);
  expect(areAbsences(table)).toBe(true);
  for (const wrong of [null, [], { a: 1 }, { a: { b: "1" } }, { a: { b: 1.5 } }, { a: { b: Number.NaN } }])
    expect(areAbsences(wrong)).toBe(false);
});

async function measured(model: ReturnType<typeof tinyModel>, parameters: NdArrays, images: readonly Sample[]) {
  const references = await computeReferences(model, { engine, parameters, samples: [images] });
  return measureAbsences(model, { engine, parameters, references, samples: () => [images], batchSize: 4 });
}

/** Three groups of images; `spot` sees the first, `tag` the second, and the answer is "b" where `decisive` is. */
async function handMade({ decisive }: { decisive: number }) {
  const aspects: AspectSpec[] = ["spot", "tag"].map((name) => ({
    kind: "presence",
    name,
    taps: [SOURCE],
    threshold: 0.5,
  }));
  const model = tinyModel({ aspects, classifier: { taps: [SOURCE], classes: ["a", "b"] } });
  const parameters = { ...tinyParameters(model) };
  const images = [0, 1, 2].flatMap((group) => Array.from({ length: COUNT }, (_, index) => sample(group, index)));
  const features = [0, 1, 2].map((group) => cellsOf(model, parameters, images[group * COUNT]));
  const cells = dual(features.flat());
  const directions = features.map((_, group) => {
    const own = cells.slice(group * features[0].length, (group + 1) * features[0].length);
    return own[0].map((_, channel) => own.reduce((sum, cell) => sum + cell[channel], 0));
  });
  for (const [index, name] of ["spot", "tag"].entries()) {
    parameters[`head/${name}/reduce/${SOURCE}/kernel`] = column(directions[index + 1], 32, 0);
    parameters[`head/${name}/reduce/bias`] = ndArray([32]);
    const output = ndArray([64, 1]);
    output.data[0] = 20; // of the largest
    parameters[`head/${name}/output/kernel`] = output;
    parameters[`head/${name}/output/bias`] = ndArray([1], Float32Array.of(-10));
  }
  const kernel = column(directions[decisive], 2, 1);
  parameters["head/class/kernel"] = { shape: [128, 2], data: kernel.data };
  parameters["head/class/bias"] = ndArray([2], Float32Array.of(0.4, 0));
  return { model, parameters, images };
}

function sample(group: number, index: number): Sample {
  const stream = random(group, "picture");
  const picture = Uint8Array.from({ length: SIZE * SIZE * 3 }, () => stream.integer(256));
  picture[index] = 255 - picture[index];
  return { path: `${group}-${index}.png`, image: picture, target: {}, aspects: {} };
}

/** The features of the source layer, cell by cell. */
function cellsOf(model: ReturnType<typeof tinyModel>, parameters: NdArrays, { image }: Sample): number[][] {
  return tf.tidy(() => {
    const input = tf.tensor(Float32Array.from(image), [1, SIZE, SIZE, 3]) as tf.Tensor4D;
    const features = model.trunk.run(toTensors(parameters), { input }, [SOURCE])[SOURCE];
    return tf.reshape(features, [-1, features.shape[3]]).arraySync() as number[][];
  });
}

/** Vectors whose product is 1 with their own, and 0 with the others: rows of the pseudoinverse. */
function dual(given: readonly number[][]): number[][] {
  const gram = given.map((a) => given.map((b) => a.reduce((sum, value, index) => sum + value * b[index], 0)));
  return given.map((_, row) => {
    const shares = solve(
      gram,
      given.map((_, index) => Number(index === row)),
    );
    return given[0].map((_, channel) => shares.reduce((sum, share, index) => sum + share * given[index][channel], 0));
  });
}

/** Gauss and Jordan. */
function solve(matrix: readonly number[][], right: readonly number[]): number[] {
  const rows = matrix.map((row, index) => [...row, right[index]]);
  for (const [index, row] of rows.entries()) {
    const pivot = row[index];
    for (let column = 0; column < row.length; column++) row[column] /= pivot;
    for (const other of rows) {
      if (other === row) continue;
      const factor = other[index];
      for (let column = 0; column < row.length; column++) other[column] -= factor * row[column];
    }
  }
  return rows.map((row) => row[row.length - 1]);
}

/** `[1, 1, 128, width]` with one column set. */
function column(values: readonly number[], width: number, at: number): NdArray {
  const kernel = ndArray([1, 1, values.length, width]);
  for (const [channel, value] of values.entries()) kernel.data[channel * width + at] = value;
  return kernel;
}
