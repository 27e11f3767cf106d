import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { unzipSync, zipSync } from "fflate";
import { beforeAll, describe, expect, test } from "vitest";
import type { NdArray } from "../../../src/core/nd-array.js";
import { random } from "../../../src/core/random.js";
import { readNetwork } from "../../../src/trunk/networks/read-network.js";
import { sourceLayers } from "../../../src/trunk/networks/source-layers.js";
import { runEager } from "../../engine/trace/run-traced.js";
import { type KerasGroups, writeArchive, writeNamed } from "../write-keras.js";
import { drawn, networkFunction } from "./run-network.js";

beforeAll(() => tf.setBackend("cpu"));

const folder = mkdtempSync(join(tmpdir(), "aspectlens-keras-"));
let count = 0;

/** Gives a model numbers that differ everywhere. */
function fill(model: tf.LayersModel): void {
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
}

/** Writes a model as TensorFlow.js does. @returns its folder. */
async function save(model: tf.LayersModel, change: (topology: object) => object = (same) => same): Promise<string> {
  fill(model);
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
  "enlarged by transposed convolutions": () =>
    sequence(
      layers.conv2dTranspose({ filters: 4, kernelSize: 3, strides: 2, padding: "same", activation: "relu" }),
      layers.conv2dTranspose({ filters: 3, kernelSize: [2, 4], strides: [3, 1], padding: "valid", useBias: false }),
      layers.conv2dTranspose({ filters: 3, kernelSize: [1, 4], strides: [2, 1], padding: "same" }),
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

/** Forms in which a model may lie on the disk. */
const FORMS: Readonly<Record<string, (model: tf.LayersModel) => Promise<string>>> = {
  "a layers-model": save,
  "a .h5 of Keras 2": (model) => saveKeras2(model),
  "a .keras of Keras 3": (model) => saveKeras3(model),
  "a .keras of TensorFlow 2.13 on Windows": (model) =>
    saveKeras3(model, (place) => place.replaceAll("layers/", "_layer_checkpoint_dependencies\\")),
  "a .keras that names its layers": (model) => saveKeras3(model, undefined, true),
};
const IN_EACH_FORM = Object.keys(FORMS).flatMap((form) => Object.keys(MODELS).map((what) => [form, what] as const));

describe("a model computes what it computes in TensorFlow.js", () => {
  test.each(IN_EACH_FORM)("%s: %s", async (form, what) => {
    const model = MODELS[what]();
    const out = await FORMS[form](model);
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
    expect(sourceLayers(operations, { height: 12, width: 12 }).map(({ name }) => name)).toEqual(["first"]);
  });
});

const arrayOf = (weight: tf.LayerVariable): NdArray => ({
  shape: weight.shape as number[],
  data: Float32Array.from(weight.read().dataSync()),
});
const innerLayers = (layer: tf.layers.Layer) => (layer as unknown as tf.LayersModel).layers as Layers | undefined;
const topologyOf = (model: tf.LayersModel) => model.toJSON(null, false) as unknown as Record<string, unknown>;

/** By layer, `conv2d/kernel:0`; a model inside has one group with the arrays of all its layers. */
async function saveKeras2(model: tf.LayersModel): Promise<string> {
  fill(model);
  const ofLayer = (layer: tf.layers.Layer): Record<string, NdArray> =>
    Object.assign(
      {},
      ...(innerLayers(layer)?.map(ofLayer) ?? [
        Object.fromEntries(layer.weights.map((weight) => [`${weight.originalName}:0`, arrayOf(weight)])),
      ]),
    );
  const all = Object.fromEntries(model.layers.map((layer) => [layer.name, ofLayer(layer)]));
  return writeNamed(join(folder, `${count++}.h5`), all, { config: topologyOf(model) });
}

/** As Keras calls groups. */
const KINDS: Readonly<Record<string, string>> = {
  ...{ Conv2D: "conv2d", Conv2DTranspose: "conv2d_transpose", DepthwiseConv2D: "depthwise_conv2d" },
  ...{ SeparableConv2D: "separable_conv2d", BatchNormalization: "batch_normalization", Dense: "dense" },
  ...{ PReLU: "p_re_lu", Sequential: "sequential", Model: "functional", Functional: "functional" },
};

/** By class and count, whatever the layers are called; tensors with their history. */
async function saveKeras3(
  model: tf.LayersModel,
  placeOf: (place: string) => string = (same) => same,
  isNamed = false,
): Promise<string> {
  fill(model);
  const groups: Record<string, { name?: string; arrays: NdArray[] }> = {};
  const walk = (layers: Layers, path: string) => {
    const counts = new Map<string, number>();
    for (const layer of layers) {
      const kind = KINDS[layer.getClassName()] ?? "other";
      const before = counts.get(kind) ?? 0;
      counts.set(kind, before + 1);
      // Where the names are written, those of the groups say nothing.
      const place = `${path}layers/${isNamed ? `group_${counts.size}_${before}` : before === 0 ? kind : `${kind}_${before}`}`;
      const inner = innerLayers(layer);
      if (inner) walk(inner, isNamed ? `${path}layers/${before === 0 ? kind : `${kind}_${before}`}/` : `${place}/`);
      else if (layer.weights.length > 0)
        groups[placeOf(place)] = { ...(isNamed && { name: layer.name }), arrays: layer.weights.map(arrayOf) };
    }
  };
  walk(model.layers, "");
  const text = JSON.stringify(topologyOf(model), (_, value) => {
    if (!Array.isArray(value?.inbound_nodes)) return value;
    const tensors = value.inbound_nodes.flat().map(([name]: [string]) => ({
      ...{ class_name: "__keras_tensor__", config: { shape: [], dtype: "float32", keras_history: [name, 0, 0] } },
    }));
    const args = tensors.length > 1 ? [tensors] : tensors;
    return { ...value, module: "keras.layers", inbound_nodes: tensors.length > 0 ? [{ args, kwargs: {} }] : [] };
  })
    .replaceAll('"batch_input_shape"', '"batch_shape"')
    .replaceAll('"class_name":"Model"', '"class_name":"Functional"');
  // Its hard sigmoid is another from Keras 3 on.
  const version = text.includes("hard_sigmoid") ? "2.15.0" : "3.5.0";
  return writeArchive(join(folder, `${count++}.keras`), { config: JSON.parse(text), groups, version });
}

/** Of one place: three channels, by layers that keep them apart. */
async function ofOnePlace(layers: readonly object[], groups: KerasGroups = {}, version = "3.5.0"): Promise<number[]> {
  const input = { class_name: "InputLayer", config: { name: "input", batch_shape: [null, 1, 1, 3] } };
  const config = { class_name: "Sequential", config: { name: "by_hand", layers: [input, ...layers] } };
  const path = await writeArchive(join(folder, `${count++}.keras`), { config, groups, version });
  const fn = networkFunction(await readNetwork(path));
  const given = { shapes: { image: [1, 1, 1, 3] }, data: { image: Float32Array.of(-1, 0.5, 4) } };
  return Array.from(runEager(({ image }) => ({ out: fn(image) }), given).out.data);
}

describe("what TensorFlow.js has not, by hand", () => {
  const activation = (name: string) => ({ class_name: "Activation", config: { name: "act", activation: name } });
  const erf = [-0.6826894921, 0.3829249225, 0.9999366575]; // of x / sqrt(2)
  const CASES: readonly (readonly [name: string, version: string, wanted: readonly number[]])[] = [
    ["hard_sigmoid", "3.5.0", [1 / 3, 3.5 / 6, 1]],
    ["hard_sigmoid", "2.15.0", [0.3, 0.6, 1]],
    ["hard_silu", "3.5.0", [-1 / 3, (0.5 * 3.5) / 6, 4]],
    ["hard_swish", "2.15.0", [-1 / 3, (0.5 * 3.5) / 6, 4]],
    ["gelu", "3.5.0", [-1, 0.5, 4].map((x, index) => (x / 2) * (1 + erf[index]))],
    ["leaky_relu", "3.5.0", [-0.2, 0.5, 4]],
  ];
  test.each(CASES)("the activation %s of Keras %s", async (name, version, wanted) => {
    const got = await ofOnePlace([activation(name)], {}, version);
    for (const [index, value] of wanted.entries()) expect(got[index]).toBeCloseTo(value, 5);
  });

  test("images are normalised by what was adapted, or given; augmentation does nothing", async () => {
    const array = (...data: number[]): NdArray => ({ shape: [data.length], data: Float32Array.from(data) });
    const flip = { class_name: "RandomFlip", config: { name: "flip", mode: "horizontal" } };
    const adapted = { class_name: "Normalization", config: { name: "norm", axis: [-1], mean: null, variance: null } };
    const groups = { "layers/normalization": { arrays: [array(1, 0.5, 2), array(4, 1, 0.25)] } };
    expect(await ofOnePlace([flip, adapted], groups)).toEqual([-1, 0, 4]);
    const given = { ...adapted, config: { ...adapted.config, mean: [1, 0.5, 2], variance: [4, 1, 0.25] } };
    expect(await ofOnePlace([given])).toEqual([-1, 0, 4]);
  });

  test("two models inside whose layers have the same names", async () => {
    const one = (value: number): NdArray => ({ shape: [1, 1, 3, 1], data: new Float32Array(3).fill(value) });
    const conv = { class_name: "Conv2D", config: { name: "conv", filters: 1, kernel_size: 1, use_bias: false } };
    const inside = (name: string) => {
      const input = { class_name: "InputLayer", config: { name: "in", batch_shape: [null, 1, 1, 3] } };
      return { class_name: "Sequential", config: { name, layers: [input, conv] } };
    };
    const back = { class_name: "UpSampling2D", config: { name: "same", size: 1 } };
    const three = { class_name: "Conv2D", config: { name: "three", filters: 3, kernel_size: 1, use_bias: false } };
    const groups = {
      "layers/sequential/layers/conv2d": { arrays: [one(1)] },
      "layers/conv2d": { arrays: [{ shape: [1, 1, 1, 3], data: Float32Array.of(1, 1, 1) }] },
      "layers/sequential_1/layers/conv2d": { arrays: [one(2)] },
    };
    // The sum is 3.5; three times that, doubled.
    expect(await ofOnePlace([inside("a"), three, back, inside("b")], groups)).toEqual([21]);
  });
});

describe("a file of Keras that cannot be read is one line", () => {
  const small = () => sequence(conv({ name: "first" }), layers.globalAveragePooling2d({ name: "mean" }));
  const refusal = async (path: string) => String(await readNetwork(path).catch((thrown: unknown) => thrown));

  test("an archive that is cut off, lacks a part, or has none of its weights", async () => {
    const whole = readFileSync(await saveKeras3(small()));
    const cut = join(folder, "cut.keras");
    writeFileSync(cut, whole.subarray(0, whole.length - 40));
    expect(await refusal(cut)).toMatch(
      /cut\.keras: is a damaged archive, it cannot be unpacked\. Copy or save it again\.$/,
    );
    const files = unzipSync(whole);
    for (const name of ["config.json", "model.weights.h5"]) {
      const path = join(folder, `${name}.keras`);
      writeFileSync(path, zipSync(Object.fromEntries(Object.entries(files).filter(([key]) => key !== name))));
      expect(await refusal(path)).toMatch(new RegExp(`: lacks its ${name}\\. Save the whole model`));
    }
    const empty = await saveKeras3(small(), () => "layers/other");
    expect(await refusal(empty)).toMatch(/layer first \(Conv2D\) lacks its kernel/);
  });

  test("more than the file can hold", async () => {
    const path = join(folder, "bomb.keras");
    const zeros = new Uint8Array(30_000_000);
    writeFileSync(path, zipSync({ "config.json": zeros, "model.weights.h5": zeros }));
    expect(await refusal(path)).toMatch(
      /its config\.json would unpack to 30000000 bytes, more than the 20000000 allowed/,
    );
  });

  test("weights alone, and sums that are no layers", async () => {
    expect(await refusal(await writeNamed(join(folder, "alone.h5"), {}))).toMatch(/holds weights alone/);
    const added = { class_name: "Add", module: "keras.src.ops.numpy", config: { name: "add" } };
    expect(String(await ofOnePlace([added]).catch((thrown: unknown) => thrown))).toMatch(
      /layer add \(Add\) is not read/,
    );
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
