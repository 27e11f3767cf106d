/** A whole layers-model of TensorFlow.js, or of Keras 2, computed by TensorFlow.js on its plain backend. */

import * as tf from "@tensorflow/tfjs";
import { LIMITS } from "../core/limits.js";
import { type NdArray, sizeOf } from "../core/nd-array.js";
import { readKerasModel } from "../trunk/formats/keras-model.js";
import { readTfjsFile } from "../trunk/formats/tfjs-model.js";
import type { PixelScaling } from "../trunk/networks/network-table.js";
import type { NotCompared } from "./original-network.js";
import { scaledPixels } from "./original-network-onnx.js";
import { artifactsOf, multiplicationsOf, onCpu, withWeightsOf } from "./original-tfjs.js";
import { withoutEnding } from "./without-ending.js";

interface HowToRun {
  readonly scaling: PixelScaling;
  /** Whether a softmax or sigmoid at the end is left out, where it can be told. */
  readonly wantsLogits: boolean;
}

interface Outputs {
  readonly outputs: NdArray[];
  readonly isLogits: boolean;
}

/**
 * @param images `[1, size, size, 3]` each, RGB 0..255.
 * @returns the output of each, and whether they are logits; or why they cannot be computed here.
 */
export async function runLayersModel(
  path: string,
  images: readonly NdArray[],
  how: HowToRun,
): Promise<Outputs | NotCompared> {
  const why = "TensorFlow.js cannot load its layers (Keras 3, or layers of its own)";
  return outputsOf(artifactsOf(await readTfjsFile(path)), images, { ...how, why });
}

/** The same of a file of Keras, which TensorFlow.js can load where Keras 2 saved it. */
export async function runKerasModel(
  path: string,
  images: readonly NdArray[],
  how: HowToRun,
): Promise<Outputs | NotCompared> {
  const { weights, topology } = await readKerasModel(path);
  const arrays = Object.entries(weights);
  const artifacts: tf.io.ModelArtifacts = {
    modelTopology: topology as object,
    weightSpecs: arrays.map(([name, { shape }]) => ({
      // As TensorFlow.js calls them: by layer and array.
      ...{ name: name.split("/").slice(-2).join("/"), shape: [...shape], dtype: "float32" as const },
    })),
    weightData: joined(arrays.map(([, { data }]) => data)),
  };
  const why = "no runtime here reads this file of Keras; --check FILE.npz compares with outputs of your own";
  return outputsOf(artifacts, images, { ...how, why });
}

function joined(parts: readonly ArrayLike<number>[]): ArrayBuffer {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all.buffer;
}

async function outputsOf(
  given: tf.io.ModelArtifacts,
  images: readonly NdArray[],
  { scaling, wantsLogits, why }: HowToRun & { readonly why: string },
): Promise<Outputs | NotCompared> {
  const cut = wantsLogits ? withoutEnding(given.modelTopology) : undefined;
  const artifacts = cut ? { ...given, modelTopology: cut } : given;
  const numbers = (artifacts.weightSpecs ?? []).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  return onCpu(async () => {
    let model: tf.LayersModel;
    try {
      model = await withWeightsOf(numbers, () => tf.loadLayersModel(tf.io.fromMemory(artifacts)));
    } catch {
      return { notCompared: why };
    }
    if (multiplicationsOf(model) > LIMITS.comparedOperations)
      return { notCompared: "it computes more than TensorFlow.js does in a minute here" };
    const outputs = images.map(({ shape, data }) =>
      tf.tidy(() => {
        const image = tf.tensor4d(scaledPixels(data, scaling), shape as [number, number, number, number]);
        const output = model.predict(image) as tf.Tensor;
        return { shape: output.shape, data: Float32Array.from(output.dataSync()) };
      }),
    );
    return { outputs, isLogits: cut !== undefined };
  });
}
