import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { NdArrays } from "../../src/core/nd-array.js";
import { initialize } from "../../src/core/parameters.js";
import { openDataset } from "../../src/dataset/dataset.js";
import { takeInventory } from "../../src/dataset/inventory.js";
import type { Engine } from "../../src/engine/engine.js";
import { selectEngine } from "../../src/engine/select-engine.js";
import { createModel } from "../../src/model/model.js";
import { resolveConfig } from "../../src/train/config.js";
import { modelSpecOf } from "../../src/train/planned-model.js";
import { asTeacher, teacherLoss, teacherParameters } from "../../src/train/teacher.js";
import { trainStages } from "../../src/train/train-stages.js";
import { createTrunk } from "../../src/trunk/create-trunk.js";
import { foldBatchNorm } from "../../src/trunk/fold-batch-norm.js";
import { randomWeights } from "../../src/trunk/random-weights.js";
import { writeTinyDataset } from "../helpers/tiny-dataset.js";

let engine: Engine;
let dataset: string;
beforeAll(async () => {
  engine = await selectEngine();
  dataset = await writeTinyDataset();
  await tf.setBackend("cpu");
});
afterAll(() => engine.dispose());

const spec = { name: "mobilenet-v1", alpha: 0.25, inputSize: 64 } as const;
const trunk = createTrunk(spec);
const teacher = { trunk: createTrunk({ ...spec, alpha: 0.35 }), weight: 1 };
const teacherWeights = foldBatchNorm(teacher.trunk, randomWeights(teacher.trunk, { seed: 3 }));
const model = createModel({
  trunk: spec,
  source: trunk.source,
  heads: [{ name: "class", kind: "classifier", task: "single", classes: ["a", "b"], taps: [trunk.output] }],
});

function tensors(arrays: NdArrays): Record<string, tf.Tensor> {
  return Object.fromEntries(
    Object.entries(arrays).map(([name, { shape, data }]) => [name, tf.tensor(data, [...shape])]),
  );
}

test("the loss is the mean square of the teacher's standardised features, where the map says nothing", () => {
  const map = initialize(teacherParameters(model, teacher), { seed: 1 });
  for (const { data } of Object.values(map)) data.fill(0);
  const parameters = tensors({ ...asTeacher(teacherWeights), ...map });
  const image = tf.randomUniform([3, 64, 64, 3], 0, 255, "float32", 5) as tf.Tensor4D;
  const features = tf.zeros([3, 2, 2, 256]) as tf.Tensor4D;
  const loss = teacherLoss(teacher, parameters, { features, image }).arraySync();
  const { output } = teacher.trunk;
  const own = teacher.trunk.run(tensors(teacherWeights), { input: image }, [output])[output].arraySync();
  const cells = own.flat(2);
  const channels = cells[0].map((_, k) => cells.map((cell) => cell[k]));
  const shares = channels.map((values) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    return variance / (variance + 1e-3); // 1 but for channels that hardly vary
  });
  expect(loss).toBeCloseTo(shares.reduce((sum, share) => sum + share, 0) / shares.length, 4);
});

test("training learns to predict the teacher, and leaves nothing of it in the model", async () => {
  const opened = await openDataset(dataset);
  const out = join(mkdtempSync(join(tmpdir(), "run-")), "run");
  const stages = [{ train: "all", epochs: 6, learningRate: 0.01 }];
  const raw = { dataset, out, batchSize: 4, trunk: spec, teacher: { weights: "w", weight: 2 }, stages };
  const config = resolveConfig(raw, {
    trainCount: 10,
    aspects: opened.manifest.aspects,
    trunkOf: () => trunk,
  });
  const { task, classes, aspects } = opened.manifest;
  const facts = { task, classes, aspects, scale: opened.summary.scale, mapped: new Set<string>() };
  const losses: number[] = [];
  const { parameters } = await trainStages({
    dataset: opened,
    config,
    spec: modelSpecOf(config, facts, trunk),
    inventory: await takeInventory(opened),
    engine,
    startingWeights: randomWeights(trunk, config),
    teacher: { ...teacher, weight: 2, parameters: teacherWeights },
    onEpoch: (record) => {
      losses.push(record.losses.teacher);
    },
  });
  expect(losses[0]).toBeGreaterThan(0.5);
  expect(losses.at(-1)).toBeLessThan(0.8 * losses[0]);
  expect(Object.keys(parameters).filter((name) => name.includes("teacher"))).toEqual([]);
  expect(parameters["trunk/conv1/kernel"]).toBeDefined();
}, 60_000);
