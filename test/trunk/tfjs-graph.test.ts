import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WeightsError } from "../../src/core/errors.js";
import { architectureOf } from "../../src/trunk/architecture-of.js";
import { createTrunk } from "../../src/trunk/create-trunk.js";
import { foldBatchNorm } from "../../src/trunk/fold-batch-norm.js";
import { inspectWeights } from "../../src/trunk/formats/inspect-weights.js";
import { loadWeights } from "../../src/trunk/formats/load-weights.js";
import { readWeights } from "../../src/trunk/formats/read-weights.js";
import { graphEnds } from "../../src/trunk/formats/tfjs-graph.js";
import { type GraphForm, writeGraphModel } from "./graph-model.js";
import { noiseImage, toTensor, toTensors, unevenWeights, worstDifference } from "./narrow.js";

let root: string;
beforeAll(async () => {
  await tf.setBackend("cpu");
  root = await mkdtemp(join(tmpdir(), "aspectlens-graph-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function saved(name: "mobilenet-v1" | "mobilenet-v2", form: GraphForm, epsilon?: number) {
  const trunk = createTrunk({ name, alpha: 0.1, inputSize: 64 });
  const uneven = unevenWeights(trunk, { seed: 4 });
  const parameters = form === "kept" ? uneven : foldBatchNorm(trunk, uneven);
  const folder = join(root, `${name}-${form}-${epsilon ?? "own"}`);
  await writeGraphModel(folder, architectureOf(trunk.spec), { form, parameters, epsilon });
  return { trunk, folder };
}

/** TensorFlow.js' own executor on the file. */
async function execute(folder: string, lastLayer: string, image: tf.Tensor4D) {
  const { modelTopology, weightsManifest, format } = JSON.parse(await readFile(join(folder, "model.json"), "utf8"));
  const [{ paths, weights: weightSpecs }] = weightsManifest;
  const { buffer, byteOffset, byteLength } = await readFile(join(folder, paths[0]));
  const weightData = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
  const model = await tf.loadGraphModel(tf.io.fromMemory({ format, modelTopology, weightSpecs, weightData }));
  const { input = "", output = "" } = graphEnds(modelTopology, lastLayer);
  return model.execute({ [input]: tf.div(image, 255) }, output) as tf.Tensor;
}

describe("a graph-model of TF-Hub's form", () => {
  test.each([
    ["mobilenet-v1", "fused", undefined],
    ["mobilenet-v1", "kept", 1e-5],
    ["mobilenet-v2", "folded", undefined],
    ["mobilenet-v2", "kept", undefined],
    ["mobilenet-v2", "fused", undefined],
  ] as const)(
    "%s, %s, epsilon %s: our trunk gives what TensorFlow.js makes of the graph",
    async (name, form, epsilon) => {
      const { trunk, folder } = await saved(name, form, epsilon);
      expect(await inspectWeights(folder)).toMatchObject({
        name,
        alpha: 0.1,
        hasBatchNorm: form === "kept",
        lastLayer: trunk.output,
      });
      const { parameters, randomLayers } = await loadWeights(trunk, folder);
      expect(randomLayers).toEqual([]);
      const image = toTensor(noiseImage(64));
      const ours = trunk.run(toTensors(parameters), { input: image }, [trunk.output])[trunk.output];
      const theirs = await execute(folder, trunk.output, image);
      expect(worstDifference(ours.dataSync(), theirs.dataSync())).toBeLessThan(1e-4);
    },
  );

  const edited = async (edit: (text: string) => string) => {
    const { folder } = await saved("mobilenet-v1", "folded");
    const file = join(folder, "model.json");
    await writeFile(file, edit(await readFile(file, "utf8")));
    return readWeights(folder).then(
      () => "read",
      (error: unknown) => (error instanceof WeightsError ? error.message : String(error)),
    );
  };

  test.each([
    ["another network", (text: string) => text.replaceAll("Conv2d_", "Mixed_"), /no node is named as a MobileNet's/],
    [
      "other padding",
      (text: string) =>
        text.replaceAll(Buffer.from("SAME").toString("base64"), Buffer.from("VALID").toString("base64")),
      /Conv2d_0\/Conv2D: pads VALID; the trunk pads "SAME"/,
    ],
    [
      "something else behind a convolution",
      (text: string) => text.replace('"BiasAdd"', '"Relu"'),
      /Conv2d_0\/Conv2D is followed by Relu, not by a bias or batch norm/,
    ],
    ["no nodes", (text: string) => text.replace('"node"', '"nodes"'), /a graph-model without nodes/],
  ])("%s is refused in one line that names the place", async (_, edit, message) => {
    expect(await edited(edit)).toMatch(message);
  });
});
