/** Malformed weights files of every form, for `weights import`. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { NdArray, NdArrays } from "../../src/core/nd-array.js";
import type { Random } from "../../src/core/random.js";
import { decodeSafetensors, encodeSafetensors } from "../../src/core/safetensors.js";
import { architectureOf } from "../../src/trunk/architecture-of.js";
import { createTrunk } from "../../src/trunk/create-trunk.js";
import { foldBatchNorm } from "../../src/trunk/fold-batch-norm.js";
import { writeGraphModel } from "../trunk/graph-model.js";
import { unevenWeights } from "../trunk/narrow.js";
import { type KerasLayers, writeNamed, writeVariables } from "../trunk/write-keras.js";
import { type Model, trunkAsOnnx, writeOnnx } from "../trunk/write-onnx.js";
import { mutateBytes, mutateJson, mutateJsonText, pick } from "./mutations.js";
import type { Place } from "./places.js";
import type { AbuseCase } from "./run.js";

const trunk = createTrunk({ name: "mobilenet-v1", alpha: 0.05, inputSize: 64 });
const parameters = unevenWeights(trunk, { seed: 3 });
const PACKAGE = resolve(import.meta.dirname, "../../weights/mobilenet-v1-0.25/trunk.safetensors");
const HOSTILE_H5 = resolve(import.meta.dirname, "../fixtures/hostile-h5");
const INPUT = { class_name: "InputLayer", config: { name: "input", batch_input_shape: [null, 64, 64, 3] } };

/** A case as its maker leaves it. */
interface Spoilt {
  readonly name: string;
  /** What is imported. */
  readonly path: string;
  readonly isRefused?: boolean;
}
type Maker = (random: Random, folder: string) => Promise<Spoilt>;

/** Good files, made once; their bytes are spoilt. */
const good = memo(async () => {
  const folder = mkdtempSync(join(tmpdir(), "weights-"));
  try {
    const graph = join(folder, "graph");
    await writeGraphModel(graph, architectureOf(trunk.spec), { form: "kept", parameters });
    return {
      h5: readFileSync(await writeNamed(join(folder, "named.h5"), kerasLayers(), { config: INPUT })),
      h5Fixed: readFileSync(await writeNamed(join(folder, "fixed.h5"), kerasLayers(), { strings: "fixed" })),
      h5Variables: readFileSync(await writeVariables(join(folder, "variables.h5"), variables())),
      onnx: writeOnnx(onnxModel()),
      graph: readFileSync(join(graph, "model.json"), "utf8"),
      graphShard: readFileSync(join(graph, "group1-shard1of1")),
      layers: layersModel(),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

function memo<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** By Keras layer, batch norm as layers of their own, under the names that the file shall have. */
function kerasLayers(arrays: NdArrays = parameters): KerasLayers {
  const layers: Record<string, Record<string, NdArray>> = {};
  for (const [ours, array] of Object.entries(arrays)) {
    const [, layer, part] = ours.split("/");
    const owner = part === "kernel" ? layer : `${layer}_bn`;
    layers[owner] = { ...layers[owner], [`${owner}/${part}:0`]: array };
  }
  return layers;
}

function variables() {
  const counts = new Map<string, number>();
  return Object.entries(kerasLayers()).map(([name, arrays]) => {
    const kind = name.endsWith("_bn") ? "batch_normalization" : name.includes("_dw_") ? "depthwise_conv2d" : "conv2d";
    const count = counts.get(kind) ?? 0;
    counts.set(kind, count + 1);
    return { group: count === 0 ? kind : `${kind}_${count}`, arrays: Object.values(arrays) };
  });
}

function onnxModel(): Model {
  const dialect = { isTransposed: false, padding: "around", relu6: "clip" } as const;
  return trunkAsOnnx(architectureOf(trunk.spec), foldBatchNorm(trunk, parameters), { size: 64, ...dialect });
}

/** A layers-model with a topology that says the input alone: its weights are read by name. */
function layersModel(): { readonly json: string; readonly shards: readonly [Buffer, Buffer] } {
  const arrays = Object.values(kerasLayers()).flatMap((layer) => Object.entries(layer));
  const bytes = Buffer.concat(arrays.map(([, { data }]) => Buffer.from(Float32Array.from(data).buffer)));
  const weights = arrays.map(([name, { shape }]) => ({ name: name.replace(/:0$/, ""), shape, dtype: "float32" }));
  const weightsManifest = [{ paths: ["a.bin", "b.bin"], weights }];
  const json = JSON.stringify({ format: "layers-model", modelTopology: { model_config: INPUT }, weightsManifest });
  return { json, shards: [bytes.subarray(0, 1000), bytes.subarray(1000)] };
}

function written(folder: string, file: string, bytes: Uint8Array | string): string {
  const path = join(folder, file);
  writeFileSync(path, bytes);
  return path;
}

/** A copy of arrays with one of them changed: its shape, a number, its name. */
function changedArrays(random: Random, arrays: NdArrays): { readonly name: string; readonly value: NdArrays } {
  const key = pick(random, Object.keys(arrays));
  const { shape, data } = arrays[key];
  const rest = Object.fromEntries(Object.entries(arrays).filter(([other]) => other !== key));
  const odd = pick(random, [Number.NaN, Number.POSITIVE_INFINITY, -1e30, 3.4e38, 0, -0]);
  switch (random.integer(5)) {
    case 0:
      return { name: `${key} is gone`, value: rest };
    case 1: {
      const fake = pick(random, ["constructor", "__proto__", "toString", "x".repeat(300), "a\u001b[2J/kernel", "/"]);
      return {
        name: `${key} as ${fake.slice(0, 12)}`,
        value: Object.fromEntries([...Object.entries(rest), [fake, arrays[key]]]),
      };
    }
    case 2:
      return { name: `${key} is flat`, value: { ...arrays, [key]: { shape: [data.length], data } } };
    case 3:
      return { name: `${key} is turned`, value: { ...arrays, [key]: { shape: shape.toReversed(), data } } };
  }
  const filled = Float32Array.from(data, (value) => (random.next() < 0.5 ? odd : value));
  return { name: `${key} holds ${odd}`, value: { ...arrays, [key]: { shape, data: filled } } };
}

const bytesOf = (file: string, content: (files: Awaited<ReturnType<typeof good>>) => Uint8Array): Maker => {
  return async (random, folder) => {
    const { name, value } = mutateBytes(content(await good()), random);
    return { name: `${file}: ${name}`, path: written(folder, file, value) };
  };
};

/** Each spoils one form in one way. */
const MAKERS: readonly Maker[] = [
  bytesOf("spoilt.h5", ({ h5 }) => h5),
  bytesOf("spoilt.h5", ({ h5Fixed }) => h5Fixed),
  bytesOf("spoilt.h5", ({ h5Variables }) => h5Variables),
  bytesOf("spoilt.onnx", ({ onnx }) => onnx),
  bytesOf("spoilt.safetensors", () => readFileSync(PACKAGE)),
  async (random, folder) => {
    const { name, value } = changedArrays(random, parameters);
    const path = await writeNamed(join(folder, "changed.h5"), kerasLayers(value));
    return { name: `h5: ${name}`, path };
  },
  async (random, folder) => {
    const { name, value } = mutateJson(INPUT, random);
    const path = await writeNamed(join(folder, "topology.h5"), kerasLayers(), { config: value });
    return { name: `h5: topology${name}`, path };
  },
  async (random, folder) => {
    const file = pick(random, ["external-storage", "external-device", "virtual", "declares-4gb", "inflates"]);
    const path = written(folder, `${file}.h5`, readFileSync(join(HOSTILE_H5, `${file}.h5`)));
    return { name: `h5: ${file}`, path, isRefused: true };
  },
  async (random, folder) => {
    const { name, value } = changedArrays(random, decodeSafetensors(readFileSync(PACKAGE), "package"));
    const trunkText = JSON.stringify({ name: "mobilenet-v1", alpha: 0.25, inputSize: 224 });
    const changed = random.next() < 0.5 ? trunkText : String(mutateJsonText(trunkText, random).value);
    const metadata = { format: "aspectlens-trunk/1", trunk: changed, origin: "here", licence: "CC0-1.0" };
    const bytes = encodeSafetensors(value, { metadata });
    return {
      name: `safetensors: ${name}, trunk ${changed.slice(0, 40)}`,
      path: written(folder, "x.safetensors", bytes),
    };
  },
  async (random, folder) => {
    const bytes = readFileSync(PACKAGE);
    const length = Number(bytes.readBigUInt64LE(0));
    const { name, value } = mutateJsonText(bytes.subarray(8, 8 + length).toString("utf8"), random);
    const header = Buffer.from(value);
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(header.length));
    const path = written(folder, "header.safetensors", Buffer.concat([size, header, bytes.subarray(8 + length)]));
    return { name: `safetensors: header${name}`, path };
  },
  async (random, folder) => {
    const { name, value } = mutateJson(onnxModel().nodes, random);
    let bytes: Uint8Array;
    try {
      bytes = writeOnnx({ ...onnxModel(), nodes: value as Model["nodes"] });
    } catch {
      bytes = Buffer.from("no model"); // the writer is no less strict
    }
    return { name: `onnx: nodes${name}`, path: written(folder, "nodes.onnx", bytes) };
  },
  async (random, folder) => {
    const model = onnxModel();
    const key = pick(random, Object.keys(model.tensors));
    const location = pick(random, [
      "/etc/passwd",
      "../x",
      "link.bin",
      "data.bin",
      "",
      "a\u0000b",
      "*/_ORT_MEM_ADDR_/*",
    ]);
    symlinkSync("/dev/zero", join(folder, "link.bin"));
    writeFileSync(join(folder, "data.bin"), Buffer.alloc(1 + random.integer(5000)));
    const external = { location, offset: String(pick(random, [0, 4, -4, 0.5, 1e15])) };
    const tensors = { ...model.tensors, [key]: { ...model.tensors[key], external } };
    const bytes = writeOnnx({ ...model, tensors });
    return { name: `onnx: ${key} in ${JSON.stringify(location)}`, path: written(folder, "external.onnx", bytes) };
  },
  async (random, folder) => {
    const model = onnxModel();
    const key = pick(random, Object.keys(model.tensors));
    const shape = pick(random, [[-1], [2 ** 40, 2 ** 40], [0], [1e6, 1e6, 1, 1], [], Array(300).fill(1), [3, 3]]);
    const bytes = writeOnnx({ ...model, tensors: { ...model.tensors, [key]: { ...model.tensors[key], shape } } });
    return { name: `onnx: ${key} of shape ${String(shape).slice(0, 30)}`, path: written(folder, "shape.onnx", bytes) };
  },
  async (random, folder) => {
    const { graph, graphShard } = await good();
    const { name, value } = mutateJsonText(graph, random);
    const isSpoilt = random.next() < 0.3;
    const shard = isSpoilt ? mutateBytes(graphShard, random) : { name: "", value: graphShard };
    writeFileSync(join(folder, "group1-shard1of1"), shard.value);
    return { name: `graph-model: ${name} ${shard.name}`, path: written(folder, "model.json", value) };
  },
  async (random, folder) => {
    const { json, shards } = (await good()).layers;
    const { name, value } = mutateJsonText(json, random);
    writeFileSync(join(folder, "a.bin"), shards[0]);
    writeFileSync(join(folder, "b.bin"), random.next() < 0.3 ? mutateBytes(shards[1], random).value : shards[1]);
    return { name: `layers-model: ${name}`, path: written(folder, "model.json", value) };
  },
  async (random, folder) => {
    const { json, shards } = (await good()).layers;
    const model = JSON.parse(json);
    const [group] = model.weightsManifest;
    const big = (layer: object) => ({ class_name: "Sequential", config: { name: "s", layers: [layer] } });
    const changes: Readonly<Record<string, () => void>> = {
      "one shard 6,000 times": () => {
        group.paths = Array(6000).fill("b.bin");
      },
      "shapes of 10^12": () => {
        group.weights[0].shape = [1e6, 1e6];
      },
      "a layer of 10^10 weights": () => {
        const config = { name: "d", units: 1e5, batch_input_shape: [null, 1e5] };
        model.modelTopology = big({ class_name: "Dense", config });
      },
      "padding of 10^9 pixels": () => {
        const config = {
          name: "conv_pw_13",
          padding: [
            [1e5, 1e5],
            [1e5, 1e5],
          ],
          batch_input_shape: [null, 64, 64, 3],
        };
        model.modelTopology = big({ class_name: "ZeroPadding2D", config });
      },
    };
    const name = pick(random, Object.keys(changes));
    changes[name]();
    writeFileSync(join(folder, "a.bin"), shards[0]);
    writeFileSync(join(folder, "b.bin"), shards[1]);
    return { name: `layers-model: ${name}`, path: written(folder, "model.json", JSON.stringify(model)) };
  },
  async (random, folder) => {
    mkdirSync(join(folder, "empty"));
    symlinkSync("loop.h5", join(folder, "loop.h5"));
    const odd = [
      "/dev/zero",
      "/dev/null",
      "file://host/x",
      "file:///%",
      "https://a.example/x",
      "",
      "\u0000",
      "x".repeat(5000),
    ];
    const path = pick(random, [...odd, join(folder, "empty"), join(folder, "loop.h5"), join(folder, "gone.onnx")]);
    return { name: `place: ${JSON.stringify(path.slice(0, 40))}`, path, isRefused: true };
  },
];

/** @returns one malformed weights file and the command that imports it. */
export async function weightsCase(random: Random, { folder }: Place): Promise<AbuseCase> {
  const { name, path, isRefused } = await pick(random, MAKERS)(random, folder);
  return { name, args: ["weights", "import", path, "--name", "spoilt", "--replace"], isRefused };
}
