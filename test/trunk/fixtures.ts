/** The networks, image and features that `test/fixtures/narrow/make.py` wrote. */

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { type NdArray, sizeOf } from "../../src/core/nd-array.js";

const FOLDER = resolve(import.meta.dirname, "../fixtures/narrow");

type Convention = "torchvision" | "keras";

type Index = Readonly<
  Record<string, { readonly inputSize: number } & { readonly [key in Convention]?: Record<string, number[]> }>
>;

export function fixturePath(file: string): string {
  return join(FOLDER, file);
}

/** What PyTorch computes, by our layer names, `[1, h, w, channels]`. */
export function expectedFeatures(name: string, convention: Convention): Record<string, NdArray> {
  const index: Index = JSON.parse(readFileSync(fixturePath("features.json"), "utf8"));
  const bytes = Uint8Array.from(readFileSync(fixturePath(`${name}-${convention}.bin`)));
  const numbers = new Float32Array(bytes.buffer);
  let offset = 0;
  const features: Record<string, NdArray> = {};
  for (const [layer, shape] of Object.entries(index[name][convention] ?? {})) {
    features[layer] = { shape, data: numbers.slice(offset, offset + sizeOf(shape)) };
    offset += sizeOf(shape);
  }
  return features;
}

/** `[1, size, size, 3]`, RGB 0..255. */
export function imagePixels(size: number): Uint8Array {
  return readFileSync(fixturePath(`image-${size}.bin`));
}

export function imageTensor(size: number): tf.Tensor4D {
  return tf.tensor4d(Float32Array.from(imagePixels(size)), [1, size, size, 3]);
}
