import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WeightsError } from "../../src/core/errors.js";
import type { NdArray } from "../../src/core/nd-array.js";
import { createTrunk } from "../../src/trunk/create-trunk.js";
import { foldBatchNorm } from "../../src/trunk/fold-batch-norm.js";
import { dequantize, type ManifestEntry, storedBytes } from "../../src/trunk/formats/dequantize.js";
import { inspectWeights } from "../../src/trunk/formats/inspect-weights.js";
import { trunkLayer } from "../../src/trunk/formats/layer-names.js";
import { loadWeights } from "../../src/trunk/formats/load-weights.js";
import { readWeights } from "../../src/trunk/formats/read-weights.js";
import { randomWeights } from "../../src/trunk/random-weights.js";
import type { TrunkSpec } from "../../src/trunk/trunk-spec.js";
import { unevenWeights } from "./narrow.js";

let root: string;
let fileCount = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "aspectlens-weights-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const SMALL = { name: "mobilenet-v1", alpha: 0.1, inputSize: 64 } as const;
const SMALL_V2 = { name: "mobilenet-v2", alpha: 0.1, inputSize: 64 } as const;

/** Writes float32 weights under Keras names as a layers-model of two shards, and returns its folder. */
async function save(weights: Readonly<Record<string, NdArray>>, { topology = {} }: { topology?: unknown } = {}) {
  const folder = join(root, String(fileCount++));
  await mkdir(folder);
  const entries = Object.entries(weights).map(([name, { shape }]) => ({ name, shape, dtype: "float32" }));
  const bytes = Buffer.concat(Object.values(weights).map(({ data }) => Buffer.from(Float32Array.from(data).buffer)));
  const half = bytes.length >> 1;
  await writeFile(join(folder, "a.bin"), bytes.subarray(0, half));
  await writeFile(join(folder, "b.bin"), bytes.subarray(half));
  const model = {
    format: "layers-model",
    modelTopology: topology,
    weightsManifest: [{ paths: ["a.bin", "b.bin"], weights: entries }],
  };
  await writeFile(join(folder, "model.json"), JSON.stringify(model));
  return folder;
}

/** Shapes and bytes by name: compared at once, where millions of numbers one by one would take seconds. */
function digest(parameters: Readonly<Record<string, NdArray>>): Record<string, string> {
  const hash = ({ data }: NdArray) => createHash("sha256").update(new Uint8Array(data.buffer)).digest("hex");
  return Object.fromEntries(
    Object.entries(parameters).map(([name, array]) => [name, `[${array.shape}] ${hash(array)}`]),
  );
}

/** Our parameter names as Keras has them. */
function toKeras(name: TrunkSpec["name"], parameters: Readonly<Record<string, NdArray>>): Record<string, NdArray> {
  const rename = (ours: string) => {
    const [, layer, part] = ours.split("/");
    if (part === "bias") return `${layer}/bias`;
    if (part === "kernel") return `${layer}/${/_dw_|depthwise/.test(layer) ? "depthwise_kernel" : "kernel"}`;
    if (layer === "Conv1") return `bn_Conv1/${part}`;
    return `${layer}${name === "mobilenet-v1" || layer === "Conv_1" ? "_bn" : "_BN"}/${part}`;
  };
  return Object.fromEntries(Object.entries(parameters).map(([ours, array]) => [rename(ours), array]));
}

describe("a file written under Keras names comes back number for number", () => {
  test.each([
    [SMALL, false],
    [SMALL, true],
    [SMALL_V2, false],
    [SMALL_V2, true],
  ])("%j, folded %s", async (spec, isFolded) => {
    const trunk = createTrunk(spec);
    const kept = unevenWeights(trunk, { seed: 2 });
    const weights = isFolded ? foldBatchNorm(trunk, kept) : kept;
    const folder = await save(toKeras(spec.name, weights));
    const { parameters, randomLayers } = await loadWeights(trunk, folder);
    expect(digest(parameters)).toEqual(digest(weights));
    expect(randomLayers).toEqual([]);
    const { name, alpha } = spec;
    expect(await inspectWeights(folder)).toEqual({ name, alpha, hasBatchNorm: !isFolded, lastLayer: trunk.output });
  });
});

test("reads a folder, a model.json and a file URL alike, sees through nesting and leaves heads out", async () => {
  const trunk = createTrunk(SMALL);
  const weights = randomWeights(trunk, { seed: 1 });
  const nested = Object.entries(toKeras("mobilenet-v1", weights)).map(([name, array]) => [`net/${name}:0`, array]);
  const head = { "net/predictions/bias": weights["trunk/conv1/gamma"] };
  const folder = await save({ ...Object.fromEntries(nested), ...head });
  for (const source of [folder, join(folder, "model.json"), pathToFileURL(folder), pathToFileURL(folder).href])
    expect(digest((await loadWeights(trunk, source)).parameters)).toEqual(digest(weights));
});

test("knows the names of keras-applications, old and new", () => {
  const names = [
    "conv_dw_3_bn",
    "bn_Conv1",
    "block_4_expand_BN",
    "Conv_1_bn",
    "mobl0_conv_depthwise",
    "bn7_conv_bn_expand",
  ];
  expect(names.map(trunkLayer)).toEqual([
    "conv_dw_3",
    "Conv1",
    "block_4_expand",
    "Conv_1",
    "expanded_conv_depthwise",
    "block_7_expand",
  ]);
  expect(["mobl3_conv_3_project", "bn3_conv_3_bn_project"].map(trunkLayer)).toEqual([
    "block_3_project",
    "block_3_project",
  ]);
  expect(["predictions", "conv_preds", "fc1", "conv2d_1", "block_3_pad", "conv_pw_1_relu"].map(trunkLayer)).toEqual(
    Array(6).fill(undefined),
  );
});

test("another epsilon, a bias before batch norm, and a missing gamma change what the layer computes as Keras would", async () => {
  const trunk = createTrunk(SMALL);
  const weights = unevenWeights(trunk, { seed: 3 });
  const { "conv1_bn/gamma": gamma, ...keras } = toKeras("mobilenet-v1", weights);
  const bias = { shape: gamma.shape, data: new Float32Array(gamma.data.length).fill(0.5) };
  const layer = { class_name: "BatchNormalization", config: { name: "conv1_bn", epsilon: 0.101 } };
  const folder = await save({ ...keras, "conv1/bias": bias }, { topology: { layers: [layer] } });
  const { parameters } = await loadWeights(trunk, folder);
  const moved = (part: string, shift: number) =>
    Array.from(weights[`trunk/conv1/${part}`].data, (value) => Math.fround(value + shift));
  expect(Array.from(parameters["trunk/conv1/gamma"].data)).toEqual(Array(3).fill(1));
  expect(Array.from(parameters["trunk/conv1/moving_mean"].data)).toEqual(moved("moving_mean", -0.5));
  expect(Array.from(parameters["trunk/conv1/moving_variance"].data)).toEqual(moved("moving_variance", 0.101 - 0.001));
  expect(parameters["trunk/conv1/bias"]).toBeUndefined();
  expect(parameters["trunk/conv_dw_1/moving_variance"]).toEqual(weights["trunk/conv_dw_1/moving_variance"]);
});

describe("stored numbers", () => {
  const read = (entry: Omit<ManifestEntry, "name" | "shape">, bytes: number[]) => {
    const whole = { name: "w", shape: [2], ...entry };
    expect(storedBytes(whole)).toBe(bytes.length);
    return Array.from(dequantize(whole, Uint8Array.from(bytes)).data);
  };
  test("uint8 and uint16 are min + scale * stored, little-endian", () => {
    expect(read({ dtype: "float32", quantization: { dtype: "uint8", scale: 0.5, min: -2 } }, [0, 255])).toEqual([
      -2, 125.5,
    ]);
    const quantization = { dtype: "uint16", scale: 0.25, min: 1 };
    expect(read({ dtype: "float32", quantization }, [1, 0, 0, 1])).toEqual([1.25, 65]);
  });
  test("float16 is widened: 1.5 is 0x3e00, the smallest of all 0x0001, -2 is 0xc000, the largest 0x7bff", () => {
    const entry = { dtype: "float32", quantization: { dtype: "float16" } };
    expect(read(entry, [0x00, 0x3e, 0x01, 0x00])).toEqual([1.5, 2 ** -24]);
    expect(read(entry, [0x00, 0xc0, 0xff, 0x7b])).toEqual([-2, 65504]);
  });
  test("float32 is read wherever it starts, and other types are refused by name", () => {
    expect(read({ dtype: "float32" }, [0, 0, 128, 63, 0, 0, 0, 64])).toEqual([1, 2]);
    expect(() => storedBytes({ name: "w", shape: [1], dtype: "string" })).toThrow("w: dtype string cannot be read");
  });
});

describe("what is wrong with a file is said in one line", () => {
  const trunk = createTrunk(SMALL);
  const small = toKeras("mobilenet-v1", randomWeights(trunk, { seed: 1 }));
  const refusal = async (loading: Promise<unknown>) => {
    const error = await loading.then(
      () => new Error("was accepted"),
      (reason) => reason,
    );
    expect(error).toBeInstanceOf(WeightsError);
    expect(error.message).not.toContain("\n");
    return error.message;
  };
  const without = (pattern: RegExp) =>
    Object.fromEntries(Object.entries(small).filter(([name]) => !pattern.test(name)));

  test("the width that would fit", async () => {
    const wide = createTrunk({ ...SMALL, alpha: 0.5 });
    expect(await refusal(loadWeights(wide, await save(small)))).toMatch(
      /does not fit mobilenet-v1 with alpha 0.5: conv1\/kernel is \[3, 3, 3, 3\] and not \[3, 3, 3, 16\].*; and \d+ more\. The file fits alpha 0.1:/,
    );
  });

  test("layers that are missing, also when the rest may be random but the gap is in the middle", async () => {
    const gap = await save(without(/^conv_dw_4\//));
    expect(await refusal(loadWeights(trunk, gap))).toMatch(
      /lacks these layers of mobilenet-v1: conv_dw_4\. Names must/,
    );
    expect(await refusal(loadWeights(trunk, gap, { missing: "random", seed: 1 }))).toMatch(/conv_dw_4/);
    const nothing = await save({ "dense/bias": small["conv1_bn/gamma"] });
    expect(await refusal(loadWeights(trunk, nothing, { missing: "random", seed: 1 }))).toMatch(/lacks these layers/);
    expect(await refusal(inspectWeights(nothing))).toMatch(/fits no trunk.*mobilenet-v1/);
  });

  test("a kernel with neither bias nor statistics, and a weight held twice", async () => {
    expect(await refusal(loadWeights(trunk, await save(without(/^conv1_bn\//))))).toMatch(
      /conv1 has a kernel, but neither/,
    );
    const twice = { ...small, "copy/conv1/kernel": small["conv1/kernel"] };
    expect(await refusal(loadWeights(trunk, await save(twice)))).toMatch(/holds conv1\/kernel twice/);
  });

  test("a shard that is cut off, or absent, or full of noise", async () => {
    const cut = await save(small);
    await writeFile(join(cut, "b.bin"), new Uint8Array(10));
    expect(await refusal(readWeights(cut))).toMatch(/a.bin, b.bin: \d+ bytes, the manifest needs \d+/);
    await rm(join(cut, "b.bin"));
    expect(await refusal(readWeights(cut))).toMatch(/b.bin: does not exist. A model.json needs all/);
    const kernel = { shape: [1], data: Float32Array.of(Number.NaN) };
    expect(await refusal(readWeights(await save({ "conv1/bias": kernel })))).toMatch(
      /conv1\/bias holds numbers that are not finite/,
    );
  });

  test("a path that leads nowhere, a network address, and files of other kinds", async () => {
    expect(await refusal(readWeights(join(root, "nowhere")))).toMatch(/nowhere: does not exist/);
    expect(await refusal(readWeights("https://example.org/model.json"))).toMatch(/only files are read/);
    const write = async (text: string) => {
      const path = join(root, `${fileCount++}.json`);
      await writeFile(path, text);
      return path;
    };
    expect(await refusal(readWeights(await write("{")))).toMatch(/is not JSON/);
    expect(await refusal(readWeights(await write("null")))).toMatch(/has no weightsManifest/);
    expect(await refusal(readWeights(await write('{"format":"graph-model","weightsManifest":[]}')))).toMatch(
      /a graph-model without nodes/,
    );
  });
});
