/**
 * A bundle of a few kilobytes whose graphs only look like ONNX, for what concerns the file alone; and zips to break.
 */

import { createHash } from "node:crypto";
import { unzipSync, type Zippable, zipSync } from "fflate";
import protobuf from "protobufjs/minimal.js";
import { encodeBundle } from "../../src/bundle/write-bundle.js";
import { ndArray } from "../../src/core/nd-array.js";
import { random } from "../../src/core/random.js";
import type { TrainedModel } from "../../src/model/trained-model.js";

const stream = random(7, "stub");
const numbers = (...shape: number[]) => {
  const array = ndArray(shape);
  array.data.forEach((_, index) => {
    array.data[index] = stream.normal();
  });
  return array;
};

/** HWIO, as TensorFlow.js has it, 2 x 3 x 8 x 16 numbers. */
export const kernel = numbers(2, 3, 8, 16);

export const stubModel: TrainedModel = {
  spec: {
    trunk: { name: "mobilenet-v1", alpha: 0.25, inputSize: 32 },
    source: "conv_pw_6",
    heads: [
      { name: "class", kind: "classifier", task: "single", classes: ["no", "yes"], taps: ["conv_pw_13"] },
      { name: "crack", kind: "presence", taps: ["conv_pw_6"], threshold: 0.5 },
    ],
  },
  parameters: { "trunk/conv1/kernel": kernel, "trunk/conv1/bias": numbers(16) },
  references: { conv_pw_6: numbers(3, 4) },
  scales: {},
  absences: {},
  provenance: {
    dataset: { name: "stub", hash: "ab", counts: {} },
    seed: 1,
    epochs: 0,
    weights: "random",
    metrics: {},
    warnings: [],
  },
};

/** A ModelProto with nothing but constants, float32 unless `dtype` says otherwise. */
export function modelOf(constants: Readonly<Record<string, { data: Uint8Array; dtype?: number }>>): Uint8Array {
  const writer = protobuf.Writer.create();
  writer.uint32(8).int64(9).uint32(58).fork();
  writer.uint32(18).string("graph");
  for (const [name, { data, dtype = 1 }] of Object.entries(constants)) {
    writer.uint32(42).fork().uint32(8).int64(data.length).uint32(16).int32(dtype);
    writer.uint32(66).string(name).uint32(74).bytes(data).ldelim();
  }
  return new Uint8Array(writer.ldelim().finish());
}

export const golden = {
  name: "1",
  image: numbers(1, 2, 2, 3),
  target: ndArray([1, 2]),
  predict: { logits: numbers(1, 2) },
  explain: { logits: numbers(1, 2), "crack/masked": numbers(1, 1) },
};

export function stubBundle(): Uint8Array {
  const data = new Uint8Array(kernel.data.buffer);
  return encodeBundle(stubModel, {
    predict: modelOf({ w: { data } }),
    explain: modelOf({ w: { data } }),
    goldens: [golden],
    kernel: "cubic",
  });
}

/** The zip with other contents, made by a plain zip writer; `undefined` leaves a file out. */
export function repacked(
  bundle: Uint8Array,
  changes: Readonly<Record<string, Uint8Array | undefined>>,
  { isResealed = false }: { isResealed?: boolean } = {},
): Uint8Array {
  const files: Record<string, Uint8Array | undefined> = { ...unzipSync(bundle), ...changes };
  if (isResealed) {
    const description = JSON.parse(Buffer.from(files["bundle.json"] ?? "").toString());
    for (const [name, bytes] of Object.entries(changes)) {
      const sha256 = createHash("sha256")
        .update(bytes ?? "")
        .digest("hex");
      description.files[name] = { bytes: bytes?.length ?? 0, sha256 };
    }
    files["bundle.json"] = Buffer.from(JSON.stringify(description));
  }
  const kept = Object.entries(files).filter((entry): entry is [string, Uint8Array] => entry[1] !== undefined);
  const entries: Zippable = Object.fromEntries(kept.map(([name, bytes]) => [name, [bytes, { level: 6 }]]));
  // One time for all: fflate asks the clock again for the directory, which must agree with each header.
  return zipSync(entries, { mtime: "2026-01-01" });
}

/** The description with some fields replaced. */
export function redescribed(bundle: Uint8Array, edit: (description: Record<string, unknown>) => void): Uint8Array {
  const description = JSON.parse(Buffer.from(unzipSync(bundle)["bundle.json"]).toString());
  edit(description);
  return repacked(bundle, { "bundle.json": Buffer.from(JSON.stringify(description)) });
}
