import { existsSync, readdirSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WeightsError } from "../../src/core/errors.js";
import type { Engine } from "../../src/engine/engine.js";
import { createOnnxEngine } from "../../src/engine/onnx-engine.js";
import { architectureOf } from "../../src/trunk/architecture-of.js";
import { createTrunk } from "../../src/trunk/create-trunk.js";
import { loadWeights } from "../../src/trunk/formats/load-weights.js";
import { readTrunkFile } from "../../src/trunk/formats/trunk-file.js";
import type { CatalogueEntry } from "../../src/weights/catalogue.js";
import { readLock } from "../../src/weights/download/download-lock.js";
import { importWeights } from "../../src/weights/import-weights.js";
import { pullWeights } from "../../src/weights/pull.js";
import { writeGraphModel } from "../trunk/graph-model.js";
import { unevenWeights } from "../trunk/narrow.js";
import { fingerprint, isolate, newFolder, serve } from "./server.js";

isolate();

const trunk = createTrunk({ name: "mobilenet-v1", alpha: 0.1, inputSize: 64 });
const parameters = unevenWeights(trunk, { seed: 5 });

let engine: Engine;
beforeAll(async () => {
  await tf.setBackend("cpu");
  engine = await createOnnxEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

/** A graph-model of TF-Hub's form, changed by `edit`. */
async function graphModel(edit: (weights: typeof parameters) => typeof parameters = (same) => same) {
  const folder = join(newFolder(), "mine");
  await writeGraphModel(folder, architectureOf(trunk.spec), { form: "kept", parameters: edit({ ...parameters }) });
  return folder;
}

const refusal = (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (error: unknown) => (error instanceof WeightsError ? error.message : String(error)),
  );

describe("an import", () => {
  test("proves itself beside the original, is kept, and loads again as it was", async () => {
    const folder = newFolder();
    const source = await graphModel();
    const imported = await importWeights(source, { engine, folder, licence: "CC0-1.0" });
    expect(imported).toMatchObject({
      name: "mine",
      trunk: { name: "mobilenet-v1", alpha: 0.1, inputSize: 224 },
      lastLayer: "conv_pw_13",
      hasBatchNorm: true,
      parameterCount: Object.values(parameters).reduce((sum, { data }) => sum + data.length, 0),
    });
    const { tensors, forward, original } = imported.proof;
    const { data } = parameters["trunk/conv1/kernel"];
    expect(tensors.find(({ name }) => name === "trunk/conv1/kernel")?.norm).toBeCloseTo(Math.hypot(...data), 6);
    expect(forward.live).toBeGreaterThan(0);
    expect(original?.runtime).toBe("TensorFlow.js");
    expect(original?.error).toBeLessThan(1e-4);
    const again = await loadWeights(trunk, imported.path);
    expect(again.parameters).toEqual(parameters);
  });

  test("a file of our own stays as it is, its licence and origin with it; a name that is taken needs --replace", async () => {
    const folder = newFolder();
    const first = await importWeights(await graphModel(), { engine, folder, licence: "CC0-1.0", origin: "here" });
    const second = await importWeights(first.path, { engine, folder, name: "copy" });
    expect(await readFile(second.path)).toEqual(await readFile(first.path));
    expect(second.proof.original).toBeUndefined();
    expect(await refusal(importWeights(first.path, { engine, folder }))).toMatch(/weights "mine" exist already/);
    const again = await importWeights(await graphModel(), { engine, folder, name: "copy", isReplacing: true });
    expect(await readTrunkFile(again.path)).toMatchObject({ origin: "mine", licence: "as the file's owner says" });
  });

  test("a layers-model that the old runtime cannot load is kept, and says that it was not compared", async () => {
    const folder = newFolder();
    const source = join(newFolder(), "keras3");
    await mkdir(source);
    const names = Object.keys(parameters).map((name) => [name, kerasName(name)] as const);
    const numbers = names.map(([name]) => Buffer.from(Float32Array.from(parameters[name].data).buffer));
    await writeFile(join(source, "weights.bin"), Buffer.concat(numbers));
    const weights = names.map(([ours, name]) => ({ name, shape: parameters[ours].shape, dtype: "float32" }));
    const input = { class_name: "InputLayer", config: { name: "input", batch_shape: [null, 64, 64, 3] } };
    const modelTopology = { keras_version: "3.5.0", class_name: "Functional", config: { layers: [input] } };
    const manifest = { modelTopology, weightsManifest: [{ paths: ["weights.bin"], weights }] };
    await writeFile(join(source, "model.json"), JSON.stringify(manifest));
    const { proof, trunk: spec } = await importWeights(source, { engine, folder });
    expect(spec.inputSize).toBe(64);
    expect(proof.original).toBeUndefined();
    expect(proof.notCompared).toMatch(
      /^could not be compared with the original: TensorFlow\.js cannot load its layers/,
    );
  });

  test.each([
    [
      "a layer that its runtime does not know",
      async () => {
        const folder = await graphModel();
        const path = join(folder, "model.json");
        await writeFile(path, (await readFile(path, "utf8")).replaceAll('"Relu6"', '"FancyRelu"'));
        return folder;
      },
      /model\.json: its own runtime cannot load it: .*its graph has no output of conv_pw_13.* Save the network again/,
    ],
    [
      "a kernel of zeros",
      () => graphModel((weights) => ({ ...weights, "trunk/conv_pw_5/kernel": zeros("trunk/conv_pw_5/kernel") })),
      /conv_pw_5\/kernel is all zeros/,
    ],
    [
      "features that see nothing",
      () => graphModel((weights) => ({ ...weights, "trunk/conv_pw_13/gamma": zeros("trunk/conv_pw_13/gamma") })),
      /conv_pw_13 is the same for the check image and a grey one/,
    ],
    [
      "a network that scales its input otherwise",
      async () => {
        const folder = await graphModel();
        const path = join(folder, "group1-shard1of1");
        const bytes = await readFile(path);
        bytes.writeFloatLE(1, 0); // the factor of the pixels, the first constant
        await writeFile(path, bytes);
        return folder;
      },
      /conv_pw_13 differs from what TensorFlow\.js computes from the file/,
    ],
    [
      "a shard that is cut off",
      async () => {
        const folder = await graphModel();
        const path = join(folder, "group1-shard1of1");
        await writeFile(path, (await readFile(path)).subarray(0, 1000));
        return folder;
      },
      /group1-shard1of1: 1000 bytes, the manifest needs/,
    ],
  ])("%s is refused in one line, and nothing is kept", async (_, make, message) => {
    const folder = newFolder();
    expect(await refusal(importWeights(await make(), { engine, folder }))).toMatch(message);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("a pull", () => {
  /** Serves a folder; `broken` files are answered with other bytes. */
  const publish = async (source: string, broken: Record<string, Buffer> = {}) => {
    const server = await serve(async (request, response) => {
      const name = (request.url ?? "").split("/").pop()?.split("?")[0] ?? "";
      response.end(broken[name] ?? (await readFile(join(source, name))));
    });
    const entry: CatalogueEntry = {
      name: "hub",
      trunk: trunk.spec,
      address: `${server.base}/hub/model.json?tfjs-format=file`,
      form: "tfjs",
      licence: "Apache-2.0",
    };
    return { server, entry, broken };
  };
  const place = () => {
    const folder = newFolder();
    return { engine, folder: join(folder, "store"), lock: join(folder, "lock.json"), retries: 0 };
  };

  test("brings model.json and its shards, proves them, and locks them under their addresses", async () => {
    const { server, entry } = await publish(await graphModel());
    const options = place();
    const imported = await pullWeights(entry, options);
    expect(imported.path).toBe(join(options.folder, "hub", "trunk.safetensors"));
    expect(server.asked.map(({ url }) => url)).toEqual([
      "/hub/model.json?tfjs-format=file",
      "/hub/group1-shard1of1?tfjs-format=file",
    ]);
    expect([...(await readLock(options.lock)).keys()].sort()).toEqual([
      `${server.base}/hub/group1-shard1of1?tfjs-format=file`,
      entry.address,
    ]);
    expect(existsSync(join(options.folder, ".downloads", "hub"))).toBe(false);
    expect((await loadWeights(trunk, imported.path)).parameters).toEqual(parameters);
  });

  test("another network at the address is refused, locks nothing, and the right one comes later", async () => {
    const other = join(newFolder(), "other");
    const wide = createTrunk({ name: "mobilenet-v1", alpha: 0.15, inputSize: 64 });
    await writeGraphModel(other, architectureOf(wide.spec), {
      form: "kept",
      parameters: unevenWeights(wide, { seed: 6 }),
    });
    const broken = Object.fromEntries(
      await Promise.all(readdirSync(other).map(async (name) => [name, await readFile(join(other, name))] as const)),
    );
    const { entry } = await publish(await graphModel(), broken);
    const options = place();
    expect(await refusal(pullWeights(entry, options))).toMatch(/holds mobilenet-v1 0\.15, not mobilenet-v1 0\.1\./);
    expect(existsSync(options.lock)).toBe(false);
    expect(existsSync(join(options.folder, "hub"))).toBe(false);
    for (const name of Object.keys(broken)) delete broken[name];
    expect((await pullWeights(entry, options)).name).toBe("hub");
  });

  test("a shard that has changed since it was locked is refused; the weights that are here stay", async () => {
    const { server, entry, broken } = await publish(await graphModel());
    const options = place();
    const { path } = await pullWeights(entry, options);
    const before = fingerprint(await readFile(path));
    broken["group1-shard1of1"] = Buffer.alloc(100);
    await expect(pullWeights(entry, options)).rejects.toThrow(/group1-shard1of1.*has changed.*remove its entry from/s);
    expect(fingerprint(await readFile(path))).toEqual(before);
    expect(server.asked.length).toBeGreaterThan(2);
  });

  test.each([
    ["no JSON", Buffer.from("hello there, this is no model"), /the downloaded file is not a model\.json/],
    [
      "a model.json whose shards lead elsewhere",
      json({ weightsManifest: [{ paths: ["../../x"] }] }),
      /names no shards/,
    ],
    ["a model.json without shards", json({ format: "graph-model" }), /names no shards/],
  ])("%s is refused in one line", async (_, content, message) => {
    const { entry } = await publish(await graphModel(), { "model.json": content });
    expect(await refusal(pullWeights(entry, place()))).toMatch(message);
  });
});

/** `conv1_bn/gamma` of `trunk/conv1/gamma`. */
function kerasName(ours: string): string {
  const [, layer, part] = ours.split("/");
  return part === "kernel" ? `${layer}/kernel` : `${layer}_bn/${part}`;
}

function zeros(name: string) {
  const { shape, data } = parameters[name];
  return { shape, data: new Float32Array(data.length) };
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
