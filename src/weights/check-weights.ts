/** Checks imported weights: each tensor's norm, a forward pass, and a comparison with the original network. */

import { fileURLToPath } from "node:url";
import type * as tf from "@tensorflow/tfjs";
import sharp from "sharp";
import { WeightsError } from "../core/errors.js";
import type { NdArray, NdArrays } from "../core/nd-array.js";
import { sideOf } from "../core/size.js";
import type { Engine } from "../engine/engine.js";
import { foldBatchNorm } from "../trunk/fold-batch-norm.js";
import type { Trunk } from "../trunk/trunk.js";
import type { NotCompared, Original } from "./original-network.js";

/** The check image: synthetic tissue. Any image with varied content would do. */
const IMAGE = new URL("../../weights/check.png", import.meta.url);

const GREY = 127;

/** Largest allowed difference from the original, relative to its largest feature: float32 sums in different orders. */
const TOLERANCE = 1e-3;

/** Results of the check. */
export interface WeightsCheck {
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[]; readonly norm: number }[];
  /** Features of the check image. */
  readonly forward: {
    readonly layer: string;
    readonly shape: readonly number[];
    readonly mean: number;
    readonly deviation: number;
    /** Share of channels that differ between the check image and a grey one. */
    readonly live: number;
  };
  /**
   * Comparison with the same layer, computed from the original file by its own runtime; absent if no runtime here can.
   */
  readonly original?: { readonly runtime: "ONNX Runtime" | "TensorFlow.js"; readonly error: number };
  /** Why there is no comparison. */
  readonly notCompared?: string;
}

/**
 * @param trunk at the original's input size, if there is an original.
 * @throws WeightsError if a kernel is all zeros, features are not finite or all equal, or they differ from the
 *   original's.
 */
export async function checkWeights(
  trunk: Trunk,
  {
    parameters,
    engine,
    original,
    lastLayer,
    path,
  }: { parameters: NdArrays; engine: Engine; original: Original | NotCompared; lastLayer: string; path: string },
): Promise<WeightsCheck> {
  const tensors = Object.entries(parameters).map(([name, { shape, data }]) => ({ name, shape, norm: norm(data) }));
  const empty = tensors.find(({ name, norm }) => name.endsWith("/kernel") && norm === 0);
  if (empty)
    throw new WeightsError(`${path}: ${empty.name} is all zeros.`, { cure: "The file is damaged: fetch it again." });
  const image = await checkImage(sideOf(trunk.spec.inputSize));
  const grey = { ...image, data: image.data.map(() => GREY) };
  const [features, ofGrey] = await lastFeatures(trunk, { parameters, engine, images: [image, grey], lastLayer });
  const live = liveShare(features, ofGrey);
  const forward = { layer: lastLayer, shape: features.shape, ...statistics(features), live };
  if (!Number.isFinite(forward.mean) || !Number.isFinite(forward.deviation))
    throw new WeightsError(`${path}: ${lastLayer} is not finite for the check image.`, {
      cure: "The weights are damaged.",
    });
  if (forward.live === 0)
    throw new WeightsError(`${path}: ${lastLayer} is the same for the check image and a grey one.`, {
      cure: "The weights are damaged.",
    });
  if ("notCompared" in original) return { tensors, forward, ...original };
  const error = difference(features, await original.run(image));
  if (!(error <= TOLERANCE))
    throw new WeightsError(
      `${path}: ${lastLayer} differs from what ${original.runtime} computes from the file ` +
        `by ${error.toExponential(1)} of its largest feature.`,
      { cure: "Some layer of the network differs from the trunk's, so it cannot be used." },
    );
  return { tensors, forward, original: { runtime: original.runtime, error } };
}

/** The check image, `[1, size, size, 3]`, RGB 0..255. */
async function checkImage(size: number): Promise<NdArray> {
  const pixels = await sharp(fileURLToPath(IMAGE)).removeAlpha().resize(size, size).raw().toBuffer();
  return { shape: [1, size, size, 3], data: Float32Array.from(pixels) };
}

/** One array per image, `[1, h, w, channels]`. */
async function lastFeatures(
  trunk: Trunk,
  {
    parameters,
    engine,
    images,
    lastLayer,
  }: { parameters: NdArrays; engine: Engine; images: readonly NdArray[]; lastLayer: string },
): Promise<NdArray[]> {
  const compiled = await engine.compile(
    ({ inputs, constants }) => ({ outputs: trunk.run(constants, { input: inputs.image as tf.Tensor4D }, [lastLayer]) }),
    { name: "check", inputs: { image: images[0].shape }, constants: foldBatchNorm(trunk, parameters) },
  );
  try {
    const features: NdArray[] = [];
    for (const image of images) features.push((await compiled.run({ image }))[lastLayer]);
    return features;
  } finally {
    await compiled.dispose();
  }
}

function norm(data: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i] ** 2;
  return Math.sqrt(sum);
}

function statistics({ data }: NdArray): { mean: number; deviation: number } {
  let [sum, squares] = [0, 0];
  for (const value of data) {
    sum += value;
    squares += value ** 2;
  }
  const mean = sum / data.length;
  return { mean, deviation: Math.sqrt(Math.max(0, squares / data.length - mean ** 2)) };
}

/** Share of the channels in which two arrays differ anywhere. */
function liveShare({ shape, data }: NdArray, other: NdArray): number {
  const channels = shape[shape.length - 1];
  const live = new Set<number>();
  for (let i = 0; i < data.length; i++) if (data[i] !== other.data[i]) live.add(i % channels);
  return live.size / channels;
}

/** Largest difference as a share of the largest number expected; infinite for another shape. */
function difference(got: NdArray, expected: NdArray): number {
  if (String(got.shape) !== String(expected.shape)) return Number.POSITIVE_INFINITY;
  let [worst, largest] = [0, 0];
  for (let i = 0; i < got.data.length; i++) {
    worst = Math.max(worst, Math.abs(got.data[i] - expected.data[i]));
    largest = Math.max(largest, Math.abs(expected.data[i]));
  }
  return largest === 0 ? Number.POSITIVE_INFINITY : worst / largest;
}
