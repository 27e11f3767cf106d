/** A whole TensorFlow.js layers-model computed by TensorFlow.js, on its plain backend. */

import * as tf from "@tensorflow/tfjs";
import { LIMITS } from "../core/limits.js";
import { type NdArray, sizeOf } from "../core/nd-array.js";
import { readTfjsFile } from "../trunk/formats/tfjs-model.js";
import type { PixelScaling } from "../trunk/networks/network-table.js";
import type { NotCompared } from "./original-network.js";
import { scaledPixels } from "./original-network-onnx.js";
import { artifactsOf, multiplicationsOf, onCpu, withWeightsOf } from "./original-tfjs.js";
import { withoutEnding } from "./without-ending.js";

/**
 * @param images `[1, size, size, 3]` each, RGB 0..255.
 * @param options.wantsLogits whether a softmax or sigmoid at the end is left out, where it can be told.
 * @returns the output of each, and whether they are logits; or why they cannot be computed here.
 */
export async function runLayersModel(
  path: string,
  images: readonly NdArray[],
  { scaling, wantsLogits }: { readonly scaling: PixelScaling; readonly wantsLogits: boolean },
): Promise<{ readonly outputs: NdArray[]; readonly isLogits: boolean } | NotCompared> {
  const file = await readTfjsFile(path);
  const cut = wantsLogits ? withoutEnding(file.topology) : undefined;
  const artifacts = artifactsOf(cut ? { ...file, topology: cut } : file);
  const numbers = (artifacts.weightSpecs ?? []).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  return onCpu(async () => {
    let model: tf.LayersModel;
    try {
      model = await withWeightsOf(numbers, () => tf.loadLayersModel(tf.io.fromMemory(artifacts)));
    } catch {
      return { notCompared: "TensorFlow.js cannot load its layers (Keras 3, or layers of its own)" };
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
