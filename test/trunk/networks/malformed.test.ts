/** Networks in files that are malformed: each is refused in one line that names the file and the place. */

import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readNetwork } from "../../../src/trunk/networks/read-network.js";
import { refusalOf } from "../refusal.js";
import { type Model, type Node, type Tensor, writeOnnx } from "../write-onnx.js";
import { drawn, modelOf } from "./run-network.js";

const folder = mkdtempSync(join(tmpdir(), "aspectlens-malformed-"));
const node = (operator: string, inputs: string[], attributes: Node["attributes"] = {}, output = "out"): Node => ({
  ...{ operator, inputs, output, attributes },
});
const integers = (...values: number[]): Tensor => ({ shape: [values.length], values, form: "int64" });
const K = { k: drawn([4, 3, 3, 3]), b: drawn([4]), w: drawn([4, 2]) };

/** A classifier whose first nodes are those given, which end in `x` of four channels. */
function model(nodes: readonly Node[], tensors: Model["tensors"] = {}, more: Partial<Model> = {}): Model {
  const rest = [
    node("Relu", ["x"], {}, "r"),
    node("GlobalAveragePool", ["r"], {}, "mean"),
    node("Flatten", ["mean"], {}, "flat"),
    node("Gemm", ["flat", "w"]),
  ];
  return { ...modelOf([...nodes, ...rest], { ...K, ...tensors }, { size: [64, 64] }), ...more };
}

const conv = (attributes: Node["attributes"], inputs = ["image", "k", "b"]) => node("Conv", inputs, attributes, "x");
const on = (operator: string, inputs: string[], attributes: Node["attributes"] = {}) => [
  node("Conv", ["image", "k", "b"], {}, "c"),
  node(operator, ["c", ...inputs], attributes, "x"),
];
const image = (...shape: (number | undefined)[]) => ({ input: { name: "image", shape } });

const MODELS: Readonly<Record<string, Model>> = {
  "a stride of 0": model([conv({ strides: [0, 0] })]),
  "a negative stride": model([conv({ strides: [-1, 1] })]),
  "a dilation of 0": model([conv({ dilations: [0, 1] })]),
  "no groups": model([conv({ group: 0 })]),
  "negative groups": model([conv({ group: -1 })]),
  "padding that cuts": model([conv({ pads: [-9, -9, -9, -9] })]),
  "a pad too few": model([conv({ pads: [1, 1, 1] })]),
  "padding beyond all memory": model([conv({ pads: [0, 0, 1e9, 1e9] })]),
  "a kernel of no size": model([conv({})], { k: { shape: [4, 3, 0, 0], values: [] } }),
  "a kernel of negative size": model([conv({})], { k: { shape: [4, 3, -3, -3], values: K.k.values } }),
  "a kernel of fewer numbers than its shape": model([conv({})], { k: { shape: [4, 3, 3, 3], values: [1, 2] } }),
  "a kernel of more numbers than fit": model([conv({})], { k: { shape: [4, 3, 1e6, 1e6], values: [1, 2] } }),
  "a kernel of a size that no number has": model([conv({})], { k: { shape: [4, 3, 2 ** 52, 2 ** 52], values: [1] } }),
  "a kernel that is not finite": model([conv({})], {
    k: { shape: [4, 3, 3, 3], values: new Array(108).fill(Number.NaN) },
  }),
  "a kernel of one dimension": model([conv({})], { k: { shape: [108], values: K.k.values } }),
  "a bias of another length": model([conv({})], { b: drawn([3]) }),
  "a bias that depends on the image": model([conv({}, ["image", "k", "image"])]),
  "a kernel in a file elsewhere": model([conv({})], { k: { ...K.k, external: { location: "../k.bin" } } }),
  "a kernel in a file that is absent": model([conv({})], { k: { ...K.k, external: { location: "k.bin" } } }),
  "a kernel at a place before the file": model([conv({})], {
    k: { ...K.k, external: { location: "beside.bin", offset: "-4" } },
  }),
  "a kernel behind the end of its file": model([conv({})], {
    k: { ...K.k, external: { location: "beside.bin", offset: "1000000" } },
  }),
  "a node that reads itself": model([conv({}, ["x", "k", "b"])]),
  "a circle": model([node("Relu", ["z"], {}, "y"), node("Relu", ["y"], {}, "z"), conv({}, ["z", "k", "b"])]),
  "a node without inputs": model([conv({}, [])]),
  "a node whose inputs are empty": model([conv({}, ["", "", ""])]),
  "an output that nothing makes": model([conv({})], {}, { output: "nothing" }),
  "an image without a shape": model([conv({})], {}, image()),
  "an image of negative size": model([conv({})], {}, image(1, 3, -64, -64)),
  "an image of two": model([conv({})], {}, image(2, 3, 64, 64)),
  "an image larger than any": model([conv({})], {}, image(1, 3, 2 ** 40, 2 ** 40)),
  "a window of 0": model(on("MaxPool", [], { kernel_shape: [0, 0] })),
  "a window of negative size": model(on("AveragePool", [], { kernel_shape: [-1, -1] })),
  "steps of 0": model(on("MaxPool", [], { kernel_shape: [2, 2], strides: [0, 0] })),
  "padding wider than the window": model(on("AveragePool", [], { kernel_shape: [2, 2], pads: [2, 2, 2, 2] })),
  "axes that are none": model(on("ReduceMean", [], { axes: [7] })),
  "an axis beyond the last": model(on("Concat", ["c"], { axis: 9 })),
  "a softmax along none": model(on("Softmax", [], { axis: -9 })),
  "axes that change places twice": model(on("Transpose", [], { perm: [0, 1, 1, 3] })),
  "axes that change places, one too few": model(on("Transpose", [], { perm: [0, 1, 2] })),
  "a shape of negative sizes": model(on("Reshape", ["s"]), { s: integers(1, -4, -62, 62) }),
  "a shape with two open sizes": model(on("Reshape", ["s"]), { s: integers(1, -1, -1, 62) }),
  "a shape that holds nothing": model(on("Reshape", ["s"], { allowzero: 1 }), { s: integers(1, 0, -1) }, { opset: 14 }),
  "a shape of fractions": model(on("Reshape", ["s"]), { s: { shape: [4], values: [1, 3.5, 62, 62] } }),
  "a shape that is no list": model(on("Reshape", ["c"])),
  "sizes of parts that do not add up": model(
    [
      node("Conv", ["image", "k", "b"], {}, "c"),
      { operator: "Split", inputs: ["c", "s"], output: ["x", "y"], attributes: { axis: 1 } },
    ],
    { s: integers(4, 9) },
  ),
  "a slice without bounds": model(on("Slice", [])),
  "a slice by nothing": model(on("Slice", ["s", "e", "a", "z"]), {
    ...{ s: integers(0), e: integers(9), a: integers(2), z: integers(0) },
  }),
  "a slice of fewer ends than starts": model(on("Slice", ["s", "e"]), { s: integers(0, 0, 0), e: integers(1) }),
  "a pick beyond the last": model(on("Gather", ["i"], { axis: 1 }), { i: integers(0, 1, 2, 99) }),
  "padding of too few amounts": model(on("Pad", ["p"]), { p: integers(0, 0, 1) }),
  "padding beyond all numbers": model(on("Pad", ["p"]), { p: integers(0, 0, 2 ** 50, 2 ** 50, 0, 0, 0, 0) }),
  "reflection wider than the image": model(on("Pad", ["p"], { mode: "reflect" }), {
    p: integers(0, 0, 99, 0, 0, 0, 0, 0),
  }),
  "a size of nothing": model(on("Resize", ["", "", "s"], { mode: "linear" }), { s: integers(1, 4, 0, 0) }),
  "a size beyond all memory": model(on("Resize", ["", "", "s"], { mode: "linear" }), { s: integers(1, 4, 1e7, 1e7) }),
  "blocks of 0 pixels": model(on("DepthToSpace", [], { blocksize: 0 })),
  "blocks that do not fit": model(on("SpaceToDepth", [], { blocksize: 5 })),
  "normalisation by parameters of another length": model(on("BatchNormalization", ["w", "w", "w", "w"])),
  "normalisation by too few parameters": model(on("BatchNormalization", ["b", "b"])),
  "normalisation by fewer means than scales": model(on("BatchNormalization", ["b", "b", "m", "b"]), { m: drawn([1]) }),
  "a shift of other channels": model(on("Add", ["s"]), { s: drawn([5, 1, 1]) }),
  "constants beyond all memory": model(
    [node("ConstantOfShape", ["s"], {}, "z"), node("Conv", ["image", "z"], {}, "x")],
    { s: integers(1e5, 1e5, 1e5) },
  ),
  "constants of negative size": model([node("ConstantOfShape", ["s"], {}, "z"), conv({}, ["image", "z"])], {
    s: integers(-4, -3, 3, 3),
  }),
  "constants that are doubled again and again": model([
    ...Array.from({ length: 40 }, (_, index) =>
      node("Concat", [index ? `d${index - 1}` : "b", index ? `d${index - 1}` : "b"], { axis: 0 }, `d${index}`),
    ),
    conv({}, ["image", "k", "d39"]),
  ]),
  "constants that are repeated along each axis": model(
    [node("Add", ["u", "v"], {}, "uv"), conv({}, ["image", "k", "uv"])],
    { u: drawn([50_000, 1]), v: drawn([1, 50_000]) },
  ),
  "constants that do not fit": model([node("Add", ["k", "w"], {}, "z"), conv({}, ["image", "z", "b"])]),
  "a mean of constants along no axis": model([
    node("ReduceMean", ["k"], { axes: [9] }, "z"),
    conv({}, ["image", "z", "b"]),
  ]),
  "a pick of constants beyond the last": model(
    [node("Gather", ["b", "i"], { axis: 0 }, "z"), conv({}, ["image", "k", "z"])],
    { i: integers(0, 1, 2, 7) },
  ),
  "constants put together of other sizes": model([
    node("Concat", ["k", "w"], { axis: 0 }, "z"),
    conv({}, ["image", "z"]),
  ]),
  "a transposed convolution of other channels": model(on("ConvTranspose", ["k3"]), { k3: drawn([3, 4, 3, 3]) }),
  "a matrix of other rows": model(on("MatMul", ["w"])),
};

const path = (name: string) => join(folder, name);
writeFileSync(path("beside.bin"), Buffer.alloc(64));

describe("an .onnx is refused in one line", () => {
  test.each(Object.entries(MODELS))("%s", async (name, given) => {
    const file = path(`${name.replaceAll(/\W/g, "-")}.onnx`);
    writeFileSync(file, writeOnnx(given));
    // What is wrong with a node, a constant, or the whole.
    expect(await refusalOf(readNetwork, file, { beside: true })).toMatch(
      /^(node \w+ \(\w+\) |[kbws] |constant "k" |is |its |does not exist|wants )/,
    );
  });

  test("that is cut off anywhere", async () => {
    const whole = writeOnnx(model([conv({ strides: [2, 2] })]));
    for (let end = 0; end < whole.length; end += 41) {
      writeFileSync(path("cut.onnx"), whole.subarray(0, end));
      await refusalOf(readNetwork, path("cut.onnx"));
    }
  });
});

/** A layers-model, as Keras writes it. */
function keras(change: (layers: Record<string, unknown>[]) => unknown, weights?: readonly unknown[]): string {
  const own = join(folder, `keras-${count++}`);
  mkdirSync(own);
  const layer = (className: string, name: string, config: object, before?: string): Record<string, unknown> => ({
    ...{ class_name: className, name, config: { name, ...config } },
    inbound_nodes: before === undefined ? [] : [[[before, 0, 0, {}]]],
  });
  const layers = [
    layer("InputLayer", "image", { batch_input_shape: [null, 64, 64, 3] }),
    layer(
      "Conv2D",
      "conv",
      { filters: 4, kernel_size: [3, 3], strides: [1, 1], padding: "valid", activation: "relu" },
      "image",
    ),
    layer("GlobalAveragePooling2D", "pool", {}, "conv"),
    layer("Dense", "answer", { units: 2, activation: "softmax" }, "pool"),
  ];
  const config = { name: "m", layers, input_layers: [["image", 0, 0]], output_layers: [["answer", 0, 0]] };
  const modelTopology = change(layers) ?? { model_config: { class_name: "Model", config } };
  const entries = weights ?? [
    { name: "conv/kernel", shape: [3, 3, 3, 4], dtype: "float32" },
    { name: "conv/bias", shape: [4], dtype: "float32" },
    { name: "answer/kernel", shape: [4, 2], dtype: "float32" },
    { name: "answer/bias", shape: [2], dtype: "float32" },
  ];
  const manifest = [{ paths: ["w.bin"], weights: entries }];
  writeFileSync(
    join(own, "model.json"),
    JSON.stringify({ format: "layers-model", modelTopology, weightsManifest: manifest }),
  );
  writeFileSync(join(own, "w.bin"), Buffer.from(Float32Array.from({ length: 122 }, () => 0.1).buffer));
  return join(own, "model.json");
}
let count = 0;

type Layers = Record<string, unknown>[];
const config = (layers: Layers, index: number) => layers[index].config as Record<string, unknown>;
const KERAS: Readonly<Record<string, () => string>> = {
  "strides of 0": () => keras((all) => void Object.assign(config(all, 1), { strides: [0, 0] })),
  "strides of text": () => keras((all) => void Object.assign(config(all, 1), { strides: "2" })),
  "groups that are none": () => keras((all) => void Object.assign(config(all, 1), { groups: "two" })),
  "an image of negative size": () =>
    keras((all) => void Object.assign(config(all, 0), { batch_input_shape: [null, -64, -64, 3] })),
  "an image of fractions": () =>
    keras((all) => void Object.assign(config(all, 0), { batch_input_shape: [null, 64.5, 64.5, 3] })),
  "an image that is text": () =>
    keras((all) => void Object.assign(config(all, 0), { batch_input_shape: [null, "64", "64", 3] })),
  "layers that are none": () => keras((all) => void all.splice(0, 4)),
  "a layer that is a number": () => keras((all) => void all.push(1 as never)),
  "a layer without a class": () => keras((all) => void delete all[2].class_name),
  "a layer that reads itself": () =>
    keras((all) => void Object.assign(all[1], { inbound_nodes: [[["conv", 0, 0, {}]]] })),
  "a layer that reads nothing": () => keras((all) => void Object.assign(all[2], { inbound_nodes: [] })),
  "a layer that reads what is not there": () =>
    keras((all) => void Object.assign(all[2], { inbound_nodes: [[["none", 0, 0, {}]]] })),
  "a topology that is text": () => keras(() => "model"),
  "a topology that is a list": () => keras(() => [1]),
  "a sum of one": () => keras((all) => void Object.assign(all[2], { class_name: "Add", inbound_nodes: [[]] })),
  "a reshape of fractions": () =>
    keras((all) => void Object.assign(all[2], { class_name: "Reshape", config: { target_shape: [1.5, 2] } })),
  "a window of 0": () =>
    keras((all) => void Object.assign(all[2], { class_name: "MaxPooling2D", config: { pool_size: [0, 0] } })),
  "padding of text": () =>
    keras((all) => void Object.assign(all[2], { class_name: "ZeroPadding2D", config: { padding: [["a", 0], [0, 0]] } })), // biome-ignore format: one line
  "a kernel of two dimensions": () => keras(() => {}, [{ name: "conv/kernel", shape: [27, 4], dtype: "float32" }]),
  "no kernel": () => keras(() => {}, []),
  "a kernel larger than its shard": () =>
    keras(() => {}, [{ name: "conv/kernel", shape: [3, 3, 3, 4e9], dtype: "float32" }]),
  "a kernel of texts": () => keras(() => {}, [{ name: "conv/kernel", shape: [3, 3, 3, 4], dtype: "string" }]),
};

describe("a layers-model is refused in one line", () => {
  test.each(Object.entries(KERAS))("%s", async (_, write) => {
    await refusalOf(readNetwork, write());
  });
});
