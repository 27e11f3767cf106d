import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import { ndArray } from "../../src/core/nd-array.js";
import { SCALINGS } from "../../src/trunk/networks/network-table.js";
import { runLayersModel } from "../../src/weights/original-network-tfjs.js";
import { withoutEnding } from "../../src/weights/without-ending.js";

beforeAll(() => tf.setBackend("cpu"));

const { layers } = tf;
const SHAPE = [2, 2, 3];
/** The mean of each channel, times 1000 and -1000: behind a softmax only 0 and 1 are left. */
const WEIGHTS = [1000, -1000, 0, 0, 0, 0];

/** Saves a model whose only weights are those of its dense layer. @returns the path of its model.json. */
async function save(model: tf.LayersModel): Promise<string> {
  model.setWeights(model.weights.map(({ shape }) => tf.tensor(WEIGHTS, shape as number[])));
  const path = join(mkdtempSync(join(tmpdir(), "aspectlens-ending-")), "model.json");
  await model.save(
    tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
      const weightsManifest = [{ paths: ["w.bin"], weights: weightSpecs }];
      writeFileSync(path, JSON.stringify({ format: "layers-model", modelTopology, weightsManifest }));
      writeFileSync(join(path, "..", "w.bin"), Buffer.from(weightData as ArrayBuffer));
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
    }),
  );
  return path;
}

const dense = (activation?: "softmax" | "sigmoid") =>
  layers.dense({ units: 2, useBias: false, ...(activation && { activation }) });
const pool = (more: object = {}) => layers.globalAveragePooling2d(more as never);
const functional = (...rest: tf.layers.Layer[]) => {
  const input = tf.input({ shape: SHAPE });
  const output = rest.reduce(
    (x, layer) => layer.apply(x) as tf.SymbolicTensor,
    pool().apply(input) as tf.SymbolicTensor,
  );
  return tf.model({ inputs: input, outputs: output });
};

const MODELS: Readonly<Record<string, () => tf.LayersModel>> = {
  "a dense layer's own softmax": () => functional(dense("softmax")),
  "a dense layer's own sigmoid": () => functional(dense("sigmoid")),
  "an activation": () => functional(dense(), layers.activation({ activation: "softmax" })),
  "a softmax layer": () => functional(dense(), layers.softmax({ axis: -1 })),
  "the last of a sequence": () => tf.sequential({ layers: [pool({ inputShape: SHAPE }), dense("softmax")] }),
  "the last of the last of several models": () =>
    tf.sequential({
      layers: [
        tf.sequential({ layers: [pool({ inputShape: SHAPE })] }),
        tf.sequential({
          layers: [layers.dense({ units: 2, useBias: false, activation: "softmax", inputShape: [3] })],
        }),
      ],
    }),
};

test.each(Object.entries(MODELS))("leaves out %s", async (_, make) => {
  const image = ndArray([1, 2, 2, 3], new Float32Array(12).fill(255));
  const run = await runLayersModel(await save(make()), [image], { scaling: SCALINGS.unit, wantsLogits: true });
  expect(run).toMatchObject({ isLogits: true, outputs: [{ data: Float32Array.of(1000, -1000) }] });
});

test("leaves what ends otherwise as it is", async () => {
  const image = ndArray([1, 2, 2, 3], new Float32Array(12).fill(255));
  const path = await save(functional(dense("softmax"), layers.reshape({ targetShape: [2, 1] })));
  const run = await runLayersModel(path, [image], { scaling: SCALINGS.unit, wantsLogits: true });
  expect(run).toMatchObject({ isLogits: false, outputs: [{ data: Float32Array.of(1, 0) }] });
  for (const odd of [null, "text", {}, { class_name: "Sequential" }, { class_name: "Model", config: { layers: [1] } }])
    expect(withoutEnding(odd)).toBeUndefined();
});
