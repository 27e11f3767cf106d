import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WeightsError } from "../../src/core/errors.js";
import type { NdArray, NdArrays } from "../../src/core/nd-array.js";
import { sideOf } from "../../src/core/size.js";
import { InferenceSession, Tensor as OrtTensor } from "../../src/engine/onnx-runtime.js";
import { architectureOf } from "../../src/trunk/architecture-of.js";
import { createTrunk } from "../../src/trunk/create-trunk.js";
import { foldBatchNorm } from "../../src/trunk/fold-batch-norm.js";
import { inspectWeights } from "../../src/trunk/formats/inspect-weights.js";
import { loadWeights } from "../../src/trunk/formats/load-weights.js";
import { externalData, readOnnx } from "../../src/trunk/formats/onnx-file.js";
import { withOutput } from "../../src/trunk/formats/onnx-model.js";
import type { TrunkSpec } from "../../src/trunk/trunk-spec.js";
import { expectedFeatures, fixturePath, imagePixels, imageTensor } from "./fixtures.js";
import { toTensors, unevenWeights, worstDifference } from "./narrow.js";
import { refusalOf } from "./refusal.js";
import { type Dialect, type Model, type Node, type Tensor, trunkAsOnnx, writeOnnx } from "./write-onnx.js";

let root: string;
let fileCount = 0;
beforeAll(async () => {
  await tf.setBackend("cpu");
  root = await mkdtemp(join(tmpdir(), "aspectlens-onnx-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function save(bytes: Uint8Array): Promise<string> {
  const path = join(root, `${fileCount++}.onnx`);
  await writeFile(path, bytes);
  return path;
}

/** Sums of some hundred products in float32, through up to 53 layers. */
const FLOAT32 = 1e-5;

/** Shapes and bytes by name. */
function digest(parameters: NdArrays): Record<string, string> {
  const hash = ({ data }: NdArray) => createHash("sha256").update(new Uint8Array(data.buffer)).digest("hex");
  return Object.fromEntries(
    Object.entries(parameters).map(([name, array]) => [name, `[${array.shape}] ${hash(array)}`]),
  );
}

/** One tensor of a model as ONNX Runtime computes it, `[1, channels, h, w]` turned to `[1, h, w, channels]`. */
async function runtime(path: string, tensor: string, image: OrtTensor): Promise<NdArray> {
  const model = await readFile(path);
  const options = { logSeverityLevel: 3, externalData: await externalData(model, path) } as const;
  const session = await InferenceSession.create(withOutput(model, tensor), options);
  expect(session.outputNames).toEqual([tensor]);
  const { [tensor]: output } = await session.run({ [session.inputNames[0]]: image });
  await session.release();
  return tf.tidy(() => {
    const turned = tf.transpose(
      tf.tensor4d(output.data as Float32Array, output.dims as [number, number, number, number]),
      [0, 2, 3, 1],
    );
    return { shape: turned.shape, data: turned.dataSync<"float32">() };
  });
}

/** As torchvision's transforms make it, `[1, 3, size, size]`. */
function torchvisionImage(size: number): OrtTensor {
  const [mean, deviation] = [
    [0.485, 0.456, 0.406],
    [0.229, 0.224, 0.225],
  ];
  const pixels = imagePixels(size);
  const data = Float32Array.from({ length: pixels.length }, (_, index) => {
    const channel = Math.floor(index / (size * size));
    return (pixels[(index % (size * size)) * 3 + channel] / 255 - mean[channel]) / deviation[channel];
  });
  return new OrtTensor("float32", data, [1, 3, size, size]);
}

describe("PyTorch's exports compute in our trunk what they compute in PyTorch and in ONNX Runtime", () => {
  const networks = [
    { file: "vgg16", spec: { name: "vgg16", alpha: 1 / 32, inputSize: 48 }, lastLayer: "block5_pool" },
    { file: "vgg19", spec: { name: "vgg19", alpha: 1 / 32, inputSize: 48 }, lastLayer: "block5_pool" },
    { file: "mobilenet-v2", spec: { name: "mobilenet-v2", alpha: 0.025, inputSize: 40 }, lastLayer: "Conv_1" },
    {
      file: "mobilenet-v2-batch-norm",
      spec: { name: "mobilenet-v2", alpha: 0.025, inputSize: 40 },
      lastLayer: "block_16_add",
    },
  ] as const;

  test.each(networks)("$file", async ({ file, spec, lastLayer }) => {
    const path = fixturePath(`${file}.onnx`);
    const weights = await readOnnx(path);
    expect(weights).toMatchObject({ path, convention: "torchvision", lastLayer });
    const trunk = createTrunk({ ...spec, convention: weights.convention });
    const { parameters, randomLayers } = await loadWeights(trunk, weights, { missing: "random", seed: 1 });
    expect(randomLayers).toEqual(lastLayer === "block_16_add" ? ["Conv_1"] : []);
    expect(Object.keys(parameters).some((name) => name.endsWith("/gamma"))).toBe(file.endsWith("batch-norm"));

    const expected = expectedFeatures(file, "torchvision");
    const wanted = [...new Set([...Object.keys(expected), lastLayer])];
    const features = trunk.run(toTensors(parameters), { input: imageTensor(spec.inputSize) }, wanted);
    for (const [name, { shape, data }] of Object.entries(expected)) {
      expect(features[name].shape).toEqual(shape);
      expect(worstDifference(features[name].dataSync(), data), name).toBeLessThan(FLOAT32);
    }
    const computed = await runtime(path, weights.lastTensor, torchvisionImage(spec.inputSize));
    expect(computed.shape).toEqual(features[lastLayer].shape);
    expect(worstDifference(features[lastLayer].dataSync(), computed.data)).toBeLessThan(FLOAT32);
  });

  test("width and size are told by the file", async () => {
    expect(await inspectWeights(await readOnnx(fixturePath("vgg19.onnx")))).toEqual({
      name: "vgg19",
      alpha: 1 / 32,
      inputSize: 48,
      convention: "torchvision",
      hasBatchNorm: false,
      lastLayer: "block5_conv4",
    });
  });
});

const V1 = { name: "mobilenet-v1", alpha: 0.1, inputSize: 64 } as const;
const V2 = { name: "mobilenet-v2", alpha: 0.05, inputSize: 64 } as const;
const VGG16 = { name: "vgg16", alpha: 1 / 32, inputSize: 64 } as const;
const KERAS: Dialect = { isTransposed: true, padding: "SAME_UPPER", relu6: "clip" };

function folded(spec: TrunkSpec): Record<string, NdArray> {
  const trunk = createTrunk(spec);
  return foldBatchNorm(trunk, unevenWeights(trunk, { seed: 7 }));
}

function modelOf(spec: TrunkSpec, dialect: Partial<Dialect> & { size?: number | undefined } = {}): Model {
  return trunkAsOnnx(architectureOf(spec), folded(spec), { size: sideOf(spec.inputSize), ...KERAS, ...dialect });
}

describe("however a framework writes it", () => {
  const isTransposed = false;
  test.each<[TrunkSpec, Partial<Dialect> & { size?: number | undefined }, "torchvision" | undefined]>([
    [V1, {}, undefined],
    [V1, { padding: "below", relu6: "min-max" }, undefined],
    [V1, { padding: "node", isTransposed }, undefined],
    [V1, { padding: "around" }, "torchvision"],
    [V2, { padding: "node", relu6: "min-max" }, undefined],
    [V2, { padding: "around", isTransposed, size: undefined }, "torchvision"],
    // All sizes are odd, where both ways of padding are one: the order of the image decides.
    [V1, { padding: "around", size: 65 }, undefined],
    [V1, { padding: "around", size: 65, isTransposed }, "torchvision"],
    [VGG16, {}, undefined],
    [VGG16, { padding: "around", isTransposed }, "torchvision"],
  ])("%j, %j", async (spec, dialect, convention) => {
    const file = await readOnnx(await save(writeOnnx(modelOf(spec, dialect))));
    expect(file.convention).toBe(convention);
    expect(file.lastTensor).toBe(createTrunk(spec).output);
    const { name, alpha } = spec;
    expect(await inspectWeights(file)).toMatchObject({ name, alpha });
    expect(digest((await loadWeights(createTrunk(spec), file)).parameters)).toEqual(digest(folded(spec)));
  });

  test("TensorFlow's padding computes the same here and in ONNX Runtime", async () => {
    const model = writeOnnx(modelOf(V1, { padding: "node" }));
    const { lastTensor, ...file } = await readOnnx(await save(model));
    const trunk = createTrunk({ ...V1, inputSize: 40 });
    const { parameters } = await loadWeights(trunk, file);
    const features = trunk.run(toTensors(parameters), { input: imageTensor(40) }, [trunk.output]);
    const scaled = Float32Array.from(imagePixels(40), (value) => value / 127.5 - 1);
    const free = { ...modelOf(V1, { padding: "SAME_UPPER", size: undefined }) };
    const computed = await runtime(
      await save(writeOnnx(free)),
      lastTensor,
      new OrtTensor("float32", scaled, [1, 40, 40, 3]),
    );
    expect(worstDifference(features[trunk.output].dataSync(), computed.data)).toBeLessThan(FLOAT32);
  });

  test("numbers of every form, and a convolution without a bias", async () => {
    const model = modelOf(VGG16);
    const forms = ["list", "double", "double-list", "half", "half-list"] as const;
    const changed: Record<string, Tensor> = { ...model.tensors };
    const names = ["block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2", "block3_conv1"];
    // Halves from -2 to 2 are exact in all of them.
    names.forEach((name, index) => {
      const { shape, values } = model.tensors[`${name}_w`];
      const halves = Float32Array.from(values, (_, at) => ((at * 7) % 9) / 2 - 2);
      changed[`${name}_w`] = { shape, values: halves, form: forms[index] };
    });
    const nodes = model.nodes.map((node) => {
      return node.name === "block1_conv1_conv" ? { ...node, inputs: node.inputs.slice(0, 2) } : node;
    });
    const { weights } = await readOnnx(await save(writeOnnx({ ...model, nodes, tensors: changed })));
    const same = {
      ...changed,
      ...Object.fromEntries(names.map((name) => [`${name}_w`, { ...changed[`${name}_w`], form: "raw" as const }])),
    };
    const raw = await readOnnx(await save(writeOnnx({ ...model, nodes, tensors: same })));
    expect(digest(weights)).toEqual(digest(raw.weights));
    expect(weights["block2_conv1/kernel"].data.subarray(0, 2)).toEqual(
      raw.weights["block2_conv1/kernel"].data.subarray(0, 2),
    );
    expect(new Set(weights["block3_conv1/kernel"].data).size).toBe(9);
    expect(weights["block1_conv1/bias"]).toEqual({ shape: [2], data: new Float32Array(2) });
  });

  test("a trunk that is cut short, and nodes that change nothing in between", async () => {
    const model = modelOf(V2, { padding: "around", isTransposed });
    const at = model.nodes.findIndex(({ output }) => output === "block_3_expand_linear");
    const kept: Node[] = [
      ...model.nodes.slice(0, at),
      { operator: "Identity", inputs: ["block_2_add"], output: "same" },
      { operator: "GlobalAveragePool", inputs: ["same"], output: "pooled" },
    ];
    const through = kept.map((node) => {
      return node.output === "block_2_expand_linear" ? { ...node, inputs: ["copy", ...node.inputs.slice(1)] } : node;
    });
    const before = through.findIndex(({ output }) => output === "block_2_expand_linear");
    const copied = through.toSpliced(before, 0, { operator: "Dropout", inputs: ["block_1_project"], output: "copy" });
    const file = await readOnnx(await save(writeOnnx({ ...model, nodes: copied })));
    expect(file).toMatchObject({ lastLayer: "block_2_add", lastTensor: "block_2_add" });
    expect(await inspectWeights(file)).toMatchObject({ name: "mobilenet-v2", lastLayer: "block_2_project" });
  });
});

describe("batch norm", () => {
  test("another epsilon is brought to ours in gamma, and in a VGG, which has none, it is folded", async () => {
    const model = modelOf(VGG16);
    const [gamma, beta, mean, variance] = [
      [2, 3],
      [0.5, -0.5],
      [0.25, 1],
      [0.04, 0.25],
    ];
    const vector = (values: number[]): Tensor => ({ shape: [2], values });
    const norm = { g: vector(gamma), b: vector(beta), m: vector(mean), v: vector(variance) };
    const nodes = model.nodes.flatMap((node): Node[] => {
      if (node.output !== "block1_conv1_linear") return [node];
      const inputs = ["raw", "g", "b", "m", "v"];
      return [
        { ...node, output: "raw" },
        { operator: "BatchNormalization", inputs, output: node.output },
      ];
    });
    const tensors = { ...model.tensors, ...norm };
    const { weights } = await readOnnx(await save(writeOnnx({ ...model, nodes, tensors })));
    const plain = folded(VGG16);
    const scale = gamma.map((g, c) => g / Math.sqrt(variance[c] + 1e-5));
    const kernel = Array.from(plain["trunk/block1_conv1/kernel"].data, (value, i) => value * scale[i % 2]);
    const bias = Array.from(plain["trunk/block1_conv1/bias"].data, (b, c) => beta[c] + (b - mean[c]) * scale[c]);
    expect(Object.keys(weights).filter((name) => name.startsWith("block1_conv1"))).toHaveLength(2);
    expect(worstDifference(weights["block1_conv1/kernel"].data, kernel)).toBeLessThan(1e-6);
    expect(worstDifference(weights["block1_conv1/bias"].data, bias)).toBeLessThan(1e-6);
  });

  test("statistics stay as they are: gamma / sqrt(v + 1e-5) = gamma' / sqrt(v + 1e-3)", async () => {
    const { weights } = await readOnnx(fixturePath("mobilenet-v2-batch-norm.onnx"));
    const loaded = await loadWeights(
      createTrunk({ name: "mobilenet-v2", alpha: 0.025, inputSize: 40 }),
      { path: "", weights, topology: {} },
      { missing: "random", seed: 1 },
    );
    expect(loaded.parameters["trunk/Conv1/moving_variance"].data).toEqual(weights["Conv1/moving_variance"].data);
    expect(Math.min(...weights["Conv1/moving_variance"].data)).toBeGreaterThan(0);
  });
});

describe("what is wrong with a file is said in one line", () => {
  const refusal = (path: string) => refusalOf(readOnnx, path);
  const refused = async (model: Model) => refusal(await save(writeOnnx(model)));
  const model = modelOf(V2);
  /** The model with one node replaced, or followed by another. */
  const changed = (
    output: string,
    change: (node: Node) => readonly Node[],
    tensors: Record<string, Tensor> = {},
  ): Model => ({
    ...model,
    nodes: model.nodes.flatMap((node) => (node.output === output ? change(node) : [node])),
    tensors: { ...model.tensors, ...tensors },
  });

  test("a file that is absent, cut off, another kind, without a graph", async () => {
    expect(await refusal(join(root, "nowhere.onnx"))).toMatch(/^does not exist\. Give the path/);
    const whole = await readFile(fixturePath("vgg16.onnx"));
    for (const kept of [whole.length - 1, 30_000, 300])
      expect(await refusal(await save(whole.subarray(0, kept)))).toMatch(/^is cut off or damaged\. Fetch or export/);
    expect(await refusal(await save(Buffer.from('{"format": "layers-model"}')))).toMatch(/^is no ONNX model/);
    expect(await refusal(await save(Buffer.from("PK\u0003\u0004 an archive")))).toMatch(/^is no ONNX model/);
    expect(await refusal(await save(Buffer.alloc(0)))).toMatch(/^is no ONNX model: it has no graph/);
    expect(() => withOutput(Buffer.from("no model"), "x")).toThrow(WeightsError);
  });

  test("another network: the node that no trunk has", async () => {
    expect(await refusal(fixturePath("resnet-block.onnx"))).toMatch(
      /^fits no trunk: node Conv_1 \(Conv\) has a window of 7x7 where .* Known are mobilenet-v1, mobilenet-v2, vgg16, vgg19\.$/,
    );
  });

  test("a layer in the middle that is not the trunk's", async () => {
    const swish = changed("block_5_depthwise", (node) => [
      { ...node, operator: "HardSwish", inputs: node.inputs.slice(0, 1) },
    ]);
    expect(await refused(swish)).toMatch(
      /^fits no trunk: node block_5_depthwise \(HardSwish\) stands where mobilenet-v2 has the ReLU6 of block_5_depthwise/,
    );
    const relu = changed("block_5_depthwise", (node) => [
      { ...node, operator: "Relu", inputs: node.inputs.slice(0, 1) },
    ]);
    expect(await refused(relu)).toMatch(/node block_5_depthwise \(Relu\) bounds to 0\.\.Infinity where .* ReLU6/);
    const noResidual = changed("block_4_add", ({ inputs }) => [
      { operator: "Identity", inputs: inputs.slice(1), output: "block_4_add" },
    ]);
    expect(await refused(noResidual)).toMatch(
      /node block_5_expand_conv \(Conv\) stands where mobilenet-v2 has block_4_add/,
    );
    const added = changed("block_3_project", (node) => [
      { ...node, output: "half" },
      { operator: "Mul", inputs: ["half", "six"], output: "block_3_project" },
    ]);
    expect(await refused(added)).toMatch(/node block_3_project \(Mul\) stands where mobilenet-v2 has block_4_expand/);
  });

  test("a convolution that computes otherwise", async () => {
    const conv = (attributes: Record<string, number | readonly number[] | string>) =>
      refused(
        changed("block_5_depthwise_linear", (node) => [{ ...node, attributes: { ...node.attributes, ...attributes } }]),
      );
    expect(await conv({ strides: [2, 2] })).toMatch(
      /node block_5_depthwise_conv \(Conv\) has stride 2x2 where mobilenet-v2 has/,
    );
    expect(await conv({ dilations: [2, 2] })).toMatch(/block_5_depthwise_conv \(Conv\) is dilated/);
    expect(await conv({ auto_pad: "VALID" })).toMatch(/block_5_depthwise_conv \(Conv\) pads in a way/);
    expect(await conv({ group: 1 })).toMatch(/block_5_depthwise_conv \(Conv\) reads 1 channels, not 48,/);
    const computed = changed("block_2_project", (node) => [
      { operator: "Relu", inputs: ["block_2_project_w"], output: "kernel" },
      { ...node, inputs: [node.inputs[0], "kernel", node.inputs[2]] },
    ]);
    expect(await refused(computed)).toMatch(/node block_2_project_conv \(Conv\) computes its kernel/);
  });

  test("pools that overlap, more than one input, pixels changed inside", async () => {
    const vgg = modelOf(VGG16);
    const nodes = vgg.nodes.map((node) => {
      return node.output === "block2_pool" ? { ...node, attributes: { kernel_shape: [3, 3], strides: [2, 2] } } : node;
    });
    expect(await refused({ ...vgg, nodes })).toMatch(
      /node block2_pool \(MaxPool\) pools otherwise where vgg16 has block2_pool/,
    );
    const scaled = changed("turned", (node) => [
      { operator: "Mul", inputs: ["image", "six"], output: "pixels" },
      { ...node, inputs: ["pixels"] },
    ]);
    expect(await refused(scaled)).toMatch(/^node pixels \(Mul\) changes the image before the first convolution/);
    expect(await refused({ ...model, input: { name: "image", shape: [1, 512] } })).toMatch(
      /^wants image, a trunk wants one/,
    );
  });

  test("strided convolutions that pad in both ways", async () => {
    const mixed = changed("block_6_depthwise_linear", ({ attributes, ...node }) => {
      const { auto_pad: _, ...rest } = attributes ?? {};
      return [{ ...node, attributes: { ...rest, pads: [1, 1, 1, 1] } }];
    });
    expect(await refused(mixed)).toMatch(
      /^node block_13_depthwise_conv pads below and right alone, node block_6_depthwise_conv all around/,
    );
  });

  test("numbers that are not finite, too few, or no floats", async () => {
    const bias = (tensor: Tensor) => refused({ ...model, tensors: { ...model.tensors, Conv1_b: tensor } });
    expect(await bias({ shape: [8], values: [1, 2, 3, 4, 5, 6, 7, Number.NaN] })).toMatch(
      /^Conv1_b holds numbers that are not/,
    );
    expect(await bias({ shape: [8], values: [1, 2] })).toBe(
      "Conv1_b has 8 bytes, its shape needs 32. Fetch or export it again.",
    );
    expect(await bias({ shape: [8], values: Array(8).fill(1), form: "int32" })).toMatch(/^Conv1_b holds no floats/);
  });

  test("numbers in other files: in the model's folder and nowhere else", async () => {
    await writeFile(join(root, "weights.bin"), new Uint8Array(Float32Array.from([9, 1, 2, 3, 4, 5, 6, 7, 8]).buffer));
    const outside = (external: Record<string, string>): Model => ({
      ...model,
      tensors: { ...model.tensors, Conv1_b: { shape: [8], values: [], external } },
    });
    const { weights } = await readOnnx(
      await save(writeOnnx(outside({ location: "weights.bin", offset: "4", length: "32" }))),
    );
    expect(Array.from(weights["Conv1/bias"].data)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    await mkdir(join(root, "inner"), { recursive: true });
    for (const location of ["../weights.bin", "inner/../../weights.bin", join(root, "weights.bin")])
      expect(await refused(outside({ location }))).toMatch(
        /^constant "Conv1_b" lies in another file, ".*", which is not read/,
      );
    await writeFile(join(root, "inner", "far.bin"), new Uint8Array(32));
    await symlink(join(root, "inner", "far.bin"), join(root, "near.bin"));
    await symlink("/dev/zero", join(root, "zero.bin"));
    expect(
      (await readOnnx(await save(writeOnnx(outside({ location: "near.bin" }))))).weights["Conv1/bias"].data,
    ).toEqual(new Float32Array(8));
    expect(await refused(outside({ location: "zero.bin" }))).toMatch(
      /^its numbers lie in zero\.bin, outside its folder/,
    );
    const absent = await save(writeOnnx(outside({ location: "gone.bin" })));
    await expect(readOnnx(absent)).rejects.toThrow(/gone\.bin: does not exist\. It belongs to the model/);
    expect(await refused(outside({ location: "weights.bin", offset: "-4" }))).toMatch(/^Conv1_b wants bytes -4/);
    const short = await save(writeOnnx(outside({ location: "weights.bin", offset: "8" })));
    const gone = writeOnnx(outside({ location: "gone.bin" }));
    await expect(externalData(gone, join(root, "x.onnx"))).rejects.toThrow(
      /gone\.bin: does not exist\. It belongs to the model/,
    );
    await expect(readOnnx(short)).rejects.toThrow(/weights\.bin: is cut off: 36 bytes, its numbers end at 40/);
  });
});
