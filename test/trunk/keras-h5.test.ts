import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import * as h5 from "h5wasm/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { NdArray, NdArrays } from "../../src/core/nd-array.js";
import { createTrunk } from "../../src/trunk/create-trunk.js";
import { inspectWeights } from "../../src/trunk/formats/inspect-weights.js";
import { readKerasH5 } from "../../src/trunk/formats/keras-h5.js";
import { loadWeights } from "../../src/trunk/formats/load-weights.js";
import { readOnnx } from "../../src/trunk/formats/onnx-file.js";
import { readWeights } from "../../src/trunk/formats/read-weights.js";
import type { Trunk } from "../../src/trunk/trunk.js";
import type { TrunkSpec } from "../../src/trunk/trunk-spec.js";
import { expectedFeatures, fixturePath, imageTensor } from "./fixtures.js";
import { toTensors, unevenWeights, worstDifference } from "./narrow.js";
import { refusalOf } from "./refusal.js";
import { type KerasLayers, writeArchive, writeNamed, writeVariables } from "./write-keras.js";

let root: string;
let fileCount = 0;
beforeAll(async () => {
  await tf.setBackend("cpu");
  root = await mkdtemp(join(tmpdir(), "aspectlens-h5-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));
const newPath = () => join(root, `${fileCount++}.h5`);

const VGG16 = { name: "vgg16", alpha: 1 / 32, inputSize: 48 } as const;
const VGG19 = { ...VGG16, name: "vgg19" } as const;
const V1 = { name: "mobilenet-v1", alpha: 0.1, inputSize: 64 } as const;
const V2 = { name: "mobilenet-v2", alpha: 0.05, inputSize: 64 } as const;

/** Shapes and bytes by name. */
function digest(parameters: NdArrays): Record<string, string> {
  const hash = ({ data }: NdArray) => createHash("sha256").update(new Uint8Array(data.buffer)).digest("hex");
  return Object.fromEntries(
    Object.entries(parameters).map(([name, array]) => [name, `[${array.shape}] ${hash(array)}`]),
  );
}

/** Our parameters by Keras layer and part, batch norm as layers of their own. */
function kerasLayers({ spec }: Pick<Trunk, "spec">, parameters: NdArrays): Record<string, Record<string, NdArray>> {
  const layers: Record<string, Record<string, NdArray>> = {};
  for (const [ours, array] of Object.entries(parameters)) {
    const [, layer, part] = ours.split("/");
    const isNorm = part !== "kernel" && part !== "bias";
    const name = isNorm ? normName(spec.name, layer) : layer;
    layers[name] = { ...layers[name], [part]: array };
  }
  return layers;
}

function normName(trunk: TrunkSpec["name"], layer: string): string {
  if (layer === "Conv1") return "bn_Conv1";
  return `${layer}_${trunk === "mobilenet-v1" || layer === "Conv_1" ? "bn" : "BN"}`;
}

/** Of Keras, by what it calls their groups. */
const CLASSES: Readonly<Record<string, string>> = {
  conv2d: "Conv2D",
  depthwise_conv2d: "DepthwiseConv2D",
  batch_normalization: "BatchNormalization",
};

/** `conv1/kernel:0` and `conv_dw_1/depthwise_kernel:0`, as Keras 2 has them. */
function keras2(layers: KerasLayers): KerasLayers {
  const name = (layer: string, part: string) => {
    const isDepthwise = part === "kernel" && /_dw_|depthwise/.test(layer);
    return `${layer}/${isDepthwise ? "depthwise_kernel" : part}:0`;
  };
  return renamed(layers, name);
}

/** `block1_conv1_W_1:0`, as in the published VGG files. */
function keras1(layers: KerasLayers): KerasLayers {
  return renamed(layers, (layer, part) => `${layer}_${part === "kernel" ? "W" : "b"}_1:0`);
}

function renamed(layers: KerasLayers, name: (layer: string, part: string) => string): KerasLayers {
  return Object.fromEntries(
    Object.entries(layers).map(([layer, arrays]) => [
      layer,
      Object.fromEntries(Object.entries(arrays).map(([part, array]) => [name(layer, part), array])),
    ]),
  );
}

/** Class and count of each layer, as Keras 3 calls its groups. */
function keras3(layers: KerasLayers, { isNamed }: { isNamed: boolean }) {
  const counts = new Map<string, number>();
  return Object.entries(layers).map(([name, arrays]) => {
    const isNorm = "gamma" in arrays;
    const kind = isNorm ? "batch_normalization" : /_dw_|depthwise/.test(name) ? "depthwise_conv2d" : "conv2d";
    const count = counts.get(kind) ?? 0;
    counts.set(kind, count + 1);
    const group = count === 0 ? kind : `${kind}_${count}`;
    return { group, arrays: Object.values(arrays), ...(isNamed && { name }) };
  });
}

/** Would fail to be read: whole numbers where a trunk has floats. */
const UNREADABLE = { shape: [2], data: Int32Array.of(1, 2) };

describe("a file in the layout of Keras comes back number for number", () => {
  const cases = [VGG16, VGG19, V1, V2].map((spec) => {
    const trunk = createTrunk(spec);
    const weights = unevenWeights(trunk, { seed: 5 });
    return { spec, trunk, weights, layers: kerasLayers(trunk, weights) };
  });

  test.each(cases)("$spec.name, weights of Keras 2, and layers of a classifier are not even read", async (each) => {
    const { spec, trunk, weights, layers } = each;
    const head = { flatten: {}, fc1: { "fc1/kernel:0": UNREADABLE }, conv_preds: { "conv_preds/bias:0": UNREADABLE } };
    const path = await writeNamed(newPath(), { input_1: {}, ...keras2(layers), ...head }, { strings: "fixed" });
    const file = await readKerasH5(path);
    expect(digest((await loadWeights(trunk, file)).parameters)).toEqual(digest(weights));
    const { name, alpha } = spec;
    expect(await inspectWeights(file)).toMatchObject({ name, alpha, hasBatchNorm: !name.startsWith("vgg") });
  });

  test.each(cases.filter(({ spec }) => spec.name.startsWith("vgg")))("$spec.name, names of Keras 1", async (each) => {
    const path = await writeNamed(newPath(), keras1(each.layers), { strings: "fixed" });
    expect(digest((await loadWeights(each.trunk, await readKerasH5(path))).parameters)).toEqual(digest(each.weights));
  });

  test.each(cases)("$spec.name, Keras 3 with names, and without", async ({ trunk, weights, layers }) => {
    for (const isNamed of [true, false]) {
      const path = await writeVariables(newPath(), keras3(layers, { isNamed }));
      expect(digest((await loadWeights(trunk, await readKerasH5(path))).parameters)).toEqual(digest(weights));
    }
  });

  test("Keras 3 without names, with the classifier of MobileNet v1, which is a convolution too", async () => {
    const [{ trunk, weights, layers }] = cases.filter(({ spec }) => spec === V1);
    const preds = { kernel: { shape: [1, 1, 102, 5], data: new Float32Array(510) } };
    const path = await writeVariables(newPath(), keras3({ ...layers, preds }, { isNamed: false }));
    expect(digest((await loadWeights(trunk, await readKerasH5(path))).parameters)).toEqual(digest(weights));
  });

  test("a whole model: its epsilon and input size count, and a trunk nested in it is found", async () => {
    const [{ trunk, weights, layers }] = cases.filter(({ spec }) => spec === V1);
    const input = { class_name: "InputLayer", config: { name: "input_1", batch_input_shape: [null, 96, 96, 3] } };
    const norm = { class_name: "BatchNormalization", config: { name: "conv1_bn", epsilon: 0.101 } };
    const nested = Object.fromEntries(Object.entries(keras2(layers)).flatMap(([, arrays]) => Object.entries(arrays)));
    const config = { class_name: "Sequential", config: { layers: [input, norm] } };
    const file = await readKerasH5(await writeNamed(newPath(), { "mobilenet_0.10": nested }, { config }));
    expect(await inspectWeights(file)).toMatchObject({ alpha: 0.1, inputSize: 96 });
    const { parameters } = await loadWeights(trunk, file);
    const variance = "trunk/conv1/moving_variance";
    const moved = weights[variance].data.map((value) => value + 0.1);
    expect(worstDifference(parameters[variance].data, moved)).toBeLessThan(1e-6);
    const { [variance]: _, ...rest } = parameters;
    const { [variance]: __, ...expected } = weights;
    expect(digest(rest)).toEqual(digest(expected));
  });

  test("a .keras archive", async () => {
    for (const { trunk, weights, layers } of cases) {
      const kinds = keras3(layers, { isNamed: false });
      const groups = Object.fromEntries(kinds.map(({ group, arrays }) => [`layers/${group}`, { arrays }]));
      const listed = Object.keys(layers).map((name, index) => ({
        class_name: CLASSES[kinds[index].group.replace(/_\d+$/, "")],
        config: { name },
      }));
      const config = { class_name: "Functional", config: { name: "trunk", layers: listed } };
      const path = await writeArchive(newPath(), { config, groups });
      expect(digest((await loadWeights(trunk, await readWeights(path))).parameters)).toEqual(digest(weights));
    }
  });

  test("names that are split over several attributes", async () => {
    const [{ trunk, weights, layers }] = cases;
    const path = await writeNamed(newPath(), keras2(layers), { namesAnAttribute: 5 });
    expect(digest((await loadWeights(trunk, await readKerasH5(path))).parameters)).toEqual(digest(weights));
  });
});

test("float16, float64 and big-endian numbers are read (a file of h5py)", async () => {
  const { weights } = await readKerasH5(fixturePath("widths.h5"));
  const expected = new Float32Array([1.5, -2, 2 ** -24, 65504]);
  const names = ["block1_conv1", "block1_conv2"].flatMap((layer) =>
    ["bias", "kernel"].map((part) => `${layer}/${layer}/${part}`),
  );
  expect(Object.keys(weights).sort()).toEqual(names);
  for (const name of names) expect(weights[name]).toEqual({ shape: [4], data: expected });
});

test("a narrow VGG16 from such a file computes what PyTorch computes from Caffe's pixels", async () => {
  const { weights } = await readOnnx(fixturePath("vgg16.onnx"));
  const layers: Record<string, Record<string, NdArray>> = {};
  for (const [name, array] of Object.entries(weights)) {
    const [layer, part] = name.split("/");
    layers[layer] = { ...layers[layer], [part]: array };
  }
  const file = await readKerasH5(await writeNamed(newPath(), keras1(layers), { strings: "fixed" }));
  const trunk = createTrunk(VGG16);
  const { parameters } = await loadWeights(trunk, file);
  const expected = expectedFeatures("vgg16", "keras");
  const features = trunk.run(toTensors(parameters), { input: imageTensor(48) }, Object.keys(expected));
  for (const [name, { shape, data }] of Object.entries(expected)) {
    expect(features[name].shape).toEqual(shape);
    expect(worstDifference(features[name].dataSync(), data), name).toBeLessThan(1e-5);
  }
});

describe("what is wrong with a file is said in one line", () => {
  const refusal = (path: string) => refusalOf(readKerasH5, path);
  const write = async (bytes: string | Uint8Array) => {
    const path = newPath();
    await writeFile(path, bytes);
    return path;
  };
  const trunk = createTrunk(VGG16);
  const layers = kerasLayers(trunk, unevenWeights(trunk, { seed: 6 }));

  test("no such file, a folder, another kind of file", async () => {
    expect(await refusal(newPath())).toMatch(/^does not exist\. Give a \.h5 file/);
    expect(await refusal(root)).toMatch(/^is a folder, no file\. Give a \.h5 file/);
    expect(await refusal(await write("{}"))).toMatch(/^is no HDF5 file\. Give a \.h5 file/);
  });

  test("a file that is cut off, also by a byte", async () => {
    const whole = readFileSync(await writeNamed(newPath(), keras2(layers)));
    for (const kept of [whole.length - 1, 3000])
      expect(await refusal(await write(whole.subarray(0, kept)))).toBe(
        `is cut off: ${kept} bytes of ${whole.length}. Fetch or save it again.`,
      );
  });

  test("a file whose inside is damaged", async () => {
    const whole = await readFile(await writeNamed(newPath(), keras2(layers)));
    // The root group's header, just behind the superblock.
    expect(await refusal(await write(whole.fill(0xaa, 96, 200)))).toMatch(/^is damaged: HDF5 cannot read it/);
  });

  test("no weights, or none of a trunk", async () => {
    expect(await refusal(await writeVariables(newPath(), []))).toMatch(/^holds no weights of Keras/);
    const other = { conv2d: {}, dense: { "dense/kernel:0": UNREADABLE }, a: {}, b: {}, c: {} };
    expect(await refusal(await writeNamed(newPath(), other))).toBe(
      "holds no layer of a trunk, but conv2d, dense, a, b and 1 more. Layers must be named as in keras-applications.",
    );
  });

  test("an array that is absent, whole numbers, numbers that are not finite", async () => {
    const absent = (change: (file: h5.File) => void) => {
      const path = newPath();
      const file = new h5.File(path, "w");
      file.create_attribute("layer_names", ["block1_conv1"]);
      change(file);
      file.close();
      return refusal(path);
    };
    expect(await absent(() => undefined)).toBe("lacks the layer block1_conv1. Fetch or save it again.");
    const nameless = (file: h5.File) => {
      file.create_group("block1_conv1").create_attribute("weight_names", ["block1_conv1/bias:0"]);
    };
    expect(await absent(nameless)).toBe("lacks block1_conv1/bias:0. Fetch or save it again.");
    const integers = await writeNamed(newPath(), { block1_conv1: { "block1_conv1/kernel:0": UNREADABLE } });
    expect(await refusal(integers)).toMatch(/^\/block1_conv1\/block1_conv1\/kernel:0 holds no floats\. Save/);
    const bias = { shape: [2], data: Float32Array.of(1, Number.NaN) };
    const nan = await writeNamed(newPath(), { block1_conv1: { "block1_conv1/bias:0": bias } });
    expect(await refusal(nan)).toMatch(/^\/block1_conv1\/block1_conv1\/bias:0 holds numbers that are not finite/);
  });

  test("a description of the model that is not JSON", async () => {
    const path = await writeNamed(newPath(), keras2(layers));
    const file = new h5.File(path, "a");
    file.create_attribute("model_config", "{");
    file.close();
    expect(await refusal(path)).toMatch(/^its model_config: is not JSON/);
  });

  test("layers of Keras 3 without names whose number or width is no trunk's", async () => {
    const unnamed = keras3(layers, { isNamed: false });
    expect(await refusal(await writeVariables(newPath(), unnamed.slice(1)))).toMatch(
      /^its layers have no names, and no trunk has as many of each kind and width\. Save the whole model/,
    );
    const wide = unnamed.with(3, { ...unnamed[3], arrays: unnamed[2].arrays });
    expect(await refusal(await writeVariables(newPath(), wide))).toMatch(/^its layers have no names/);
  });
});
