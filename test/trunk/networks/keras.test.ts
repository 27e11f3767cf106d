import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { random } from "../../../src/core/random.js";
import { readNetwork } from "../../../src/trunk/networks/read-network.js";
import { sourceLayers } from "../../../src/trunk/networks/source-layers.js";
import { runEager } from "../../engine/trace/run-traced.js";
import { drawn, networkFunction } from "./run-network.js";

beforeAll(() => tf.setBackend("cpu"));

const folder = mkdtempSync(join(tmpdir(), "aspectlens-keras-"));
let count = 0;

/** Gives a model numbers that differ everywhere, and writes it as TensorFlow.js does. @returns its folder. */
async function save(model: tf.LayersModel, change: (topology: object) => object = (same) => same): Promise<string> {
  const source = random(7);
  model.setWeights(
    model.weights.map(({ shape, originalName }) => {
      const size = (shape as number[]).reduce((product, side) => product * side, 1);
      // Variances and scales are above 0.
      const low = /variance|gamma/.test(originalName) ? 0.5 : -0.6;
      return tf.tensor(
        Float32Array.from({ length: size }, () => source.uniform(low, low + 1.2)),
        shape as number[],
      );
    }),
  );
  const out = join(folder, String(count++));
  mkdirSync(out);
  await model.save(
    tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
      const manifest = [{ paths: ["weights.bin"], weights: weightSpecs }];
      const json = {
        format: "layers-model",
        modelTopology: change(modelTopology as object),
        weightsManifest: manifest,
      };
      writeFileSync(join(out, "model.json"), JSON.stringify(json));
      writeFileSync(join(out, "weights.bin"), Buffer.from(weightData as ArrayBuffer));
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
    }),
  );
  return out;
}

const { layers } = tf;
const SHAPE = [12, 10, 3];
type Layers = readonly tf.layers.Layer[];
const sequence = (...all: Layers) => {
  const input = tf.input({ shape: SHAPE });
  const output = all.reduce((x, layer) => layer.apply(x) as tf.SymbolicTensor, input);
  return tf.model({ inputs: input, outputs: output });
};
const conv = (more: object = {}) => layers.conv2d({ filters: 4, kernelSize: 3, ...more } as never);

/** By what it is about. Names of layers are drawn by TensorFlow.js. */
const MODELS: Readonly<Record<string, () => tf.LayersModel>> = {
  "convolutions of every padding": () =>
    sequence(
      conv({ padding: "same", strides: 2, activation: "relu" }),
      conv({ padding: "valid", useBias: false }),
      conv({ padding: "same", dilationRate: 2, activation: "tanh" }),
    ),
  "depthwise and separable": () =>
    sequence(
      layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, padding: "same", activation: "elu" }),
      layers.separableConv2d({ filters: 5, kernelSize: 3, strides: 2, padding: "same", activation: "relu6" }),
    ),
  "normalisation before and after": () =>
    sequence(
      layers.batchNormalization(),
      conv(),
      layers.batchNormalization({ epsilon: 0.01 }),
      layers.reLU({ maxValue: 6 }),
    ),
  "activations as layers": () =>
    sequence(
      conv(),
      layers.leakyReLU({ alpha: 0.2 }),
      layers.prelu({}),
      layers.elu({}),
      layers.activation({ activation: "hardSigmoid" }),
      layers.activation({ activation: "softplus" }),
      layers.activation({ activation: "swish" }),
      layers.softmax({ axis: -1 }),
    ),
  "zeros around, pooling of both kinds": () =>
    sequence(
      layers.zeroPadding2d({ padding: [[0, 1], [2, 1]] }), // biome-ignore format: a table
      layers.maxPooling2d({ poolSize: 3, strides: 2, padding: "same" }),
      layers.averagePooling2d({ poolSize: [2, 3], strides: 1, padding: "same" }),
      layers.maxPooling2d({ poolSize: 2 }),
    ),
  "flattened in its own order, dense layers": () =>
    sequence(
      conv(),
      layers.flatten(),
      layers.dense({ units: 5, activation: "sigmoid" }),
      layers.dropout({ rate: 0.5 }),
      layers.dense({ units: 3, activation: "softmax", useBias: false }),
    ),
  "a dense layer at each place, reshaped as MobileNet does": () =>
    sequence(
      layers.dense({ units: 4, activation: "relu" }),
      layers.globalMaxPooling2d({}),
      layers.reshape({ targetShape: [1, 1, 4] }),
      conv({ kernelSize: 1 }),
      layers.reshape({ targetShape: [4] }),
    ),
  "branches that meet": () => {
    const input = tf.input({ shape: SHAPE });
    const one = conv({ padding: "same" }).apply(input) as tf.SymbolicTensor;
    const two = conv({ padding: "same", activation: "sigmoid" }).apply(input) as tf.SymbolicTensor;
    const sum = layers.add().apply([one, two]) as tf.SymbolicTensor;
    const gated = layers.multiply().apply([sum, two]) as tf.SymbolicTensor;
    const most = layers.maximum().apply([gated, one]) as tf.SymbolicTensor;
    const all = layers.concatenate().apply([most, one]) as tf.SymbolicTensor;
    const large = layers.upSampling2d({ size: [2, 3] }).apply(all) as tf.SymbolicTensor;
    return tf.model({ inputs: input, outputs: layers.globalAveragePooling2d({}).apply(large) as tf.SymbolicTensor });
  },
  "models inside a model": () => {
    const trunk = sequence(conv({ activation: "relu" }), conv({ activation: "relu" }));
    const head = tf.sequential({
      layers: [layers.globalAveragePooling2d({ inputShape: [8, 6, 4] }), layers.dense({ units: 2 })],
    });
    return tf.sequential({ layers: [trunk, head] });
  },
};

describe("a layers-model computes what it computes in TensorFlow.js", () => {
  test.each(Object.entries(MODELS))("%s", async (_, make) => {
    const model = make();
    const out = await save(model);
    const image = drawn([1, ...SHAPE], 3);
    const wanted = tf.tidy(() => {
      const output = model.predict(tf.tensor(Float32Array.from(image.values), [1, ...SHAPE])) as tf.Tensor;
      // As ONNX has it.
      const first = output.rank === 4 ? tf.transpose(output, [0, 3, 1, 2]) : output;
      return { shape: first.shape, values: Array.from(first.dataSync()) };
    });
    const network = await readNetwork(out);
    const fn = networkFunction(network);
    const { out: got } = runEager(({ image }) => ({ out: fn(image) }), {
      shapes: { image: [1, ...SHAPE] },
      data: { image: Float32Array.from(image.values) },
    });
    expect(got.shape).toEqual(wanted.shape);
    const most = Math.max(...wanted.values.map(Math.abs));
    for (const [index, value] of wanted.values.entries())
      expect(Math.abs(got.data[index] - value)).toBeLessThan(1e-5 * most);
  });

  test("its rows are called by its layers", async () => {
    const input = layers.inputLayer({ inputShape: [12, 12, 3] });
    const first = conv({ name: "first", activation: "relu" });
    const rest = [layers.globalAveragePooling2d({ name: "mean" }), layers.dense({ units: 2, name: "answer" })];
    const out = await save(tf.sequential({ layers: [input, first, ...rest] }));
    const { operations } = await readNetwork(out);
    expect(operations.map(({ name }) => name)).toEqual(["first", "mean.pool", "mean", "answer"]);
    expect(sourceLayers(operations).map(({ name }) => name)).toEqual(["first"]);
  });
});

describe("what is not read is one line that names the layer", () => {
  const changed = (from: RegExp, to: string) => (topology: object) =>
    JSON.parse(JSON.stringify(topology).replaceAll(from, to));
  const small = () =>
    sequence(conv({ name: "first" }), layers.flatten({ name: "flat" }), layers.dense({ units: 2, name: "answer" }));
  const CASES: readonly (readonly [RegExp, string, RegExp])[] = [
    [/"class_name":"Flatten"/g, '"class_name":"LSTM"', /layer flat \(LSTM\) is not read/],
    [/"activation":"linear"/g, '"activation":"gelu_new"', /has the activation "gelu_new"/],
    [/"data_format":"channels_last"/g, '"data_format":"channels_first"', /layer first \(Conv2D\) has channels first/],
    [/"padding":"valid"/g, '"padding":"causal"', /layer first \(Conv2D\) pads by "causal"/],
    [/"name":"first"/g, '"name":"other"', /layer other \(Conv2D\) lacks its kernel|reads first/],
    [/\[null,12,10,3\]/g, "[null,12,10,1]", /wants 12 x 10 x 1 numbers, no image/],
    [/\[null,12,10,3\]/g, "[null,null,null,3]", /leaves the size of its image open/],
    [/"class_name":"(Model|Functional)"/g, '"class_name":"Siamese"', /is a model of class "Siamese"/],
  ];
  test.each(CASES)("%s", async (from, to, said) => {
    const out = await save(small(), changed(from, to));
    const error = await readNetwork(out).catch((thrown: unknown) => thrown);
    expect(String(error)).toMatch(said);
    expect(String(error)).not.toContain("\n");
  });

  test("weights without a description, and a folder without a model", async () => {
    const out = await save(small());
    const file = join(out, "model.json");
    const { modelTopology: _, ...rest } = JSON.parse(readFileSync(file, "utf8"));
    writeFileSync(file, JSON.stringify(rest));
    await expect(readNetwork(out)).rejects.toThrow(/is a graph-model|holds weights alone/);
    await expect(readNetwork(folder)).rejects.toThrow(/model\.json/);
  });
});
