/** Real weights and photographs, unpacked once into a temporary folder; absent on machines that lack them. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import * as tf from "@tensorflow/tfjs";
import sharp from "sharp";
import type { Volume } from "../reference/trunk.js";

const DATA = resolve(import.meta.dirname, "../../../shared/data");

export const hasRealData = existsSync(DATA);
if (!hasRealData) console.warn("skipped: ../shared/data is absent");

/** Unpacks one archive; `dispose` removes what was written. */
export function unpack(archive: string): { readonly folder: string; dispose(): void } {
  const folder = mkdtempSync(join(tmpdir(), "aspectlens-"));
  execFileSync("tar", ["xzf", join(DATA, archive), "-C", folder]);
  return { folder, dispose: () => rmSync(folder, { recursive: true, force: true }) };
}

/** RGB 0..255, resized to a square. */
export async function readPhotograph(path: string, size: number): Promise<Volume> {
  const pixels = await sharp(path).removeAlpha().resize(size, size, { fit: "fill" }).raw().toBuffer();
  return { batch: 1, size, channels: 3, data: Float64Array.from(pixels) };
}

/** The file as TensorFlow.js itself loads it, for an input of `size` pixels; `outputs` are names of its layers. */
export async function loadWithTensorFlow(folder: string, size: number, outputs: readonly string[]) {
  const text = readFileSync(join(folder, "model.json"), "utf8");
  const json = JSON.parse(text.replace(/("batch_input_shape":\s*\[null,\s*)\d+(,\s*)\d+/g, `$1${size}$2${size}`));
  const [{ weights: weightSpecs, paths }] = json.weightsManifest;
  const { buffer, byteOffset, byteLength } = readFileSync(join(folder, paths[0]));
  const weightData = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
  const io = tf.io.fromMemory({ modelTopology: json.modelTopology, weightSpecs, weightData });
  const model = await tf.loadLayersModel(io);
  return tf.model({
    inputs: model.inputs,
    outputs: outputs.map((name) => model.getLayer(name).output as tf.SymbolicTensor),
  });
}
