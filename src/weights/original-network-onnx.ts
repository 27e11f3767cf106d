/** A whole `.onnx` computed by ONNX Runtime, as who exported it would. */

import { WeightsError } from "../core/errors.js";
import { type NdArray, ndArray } from "../core/nd-array.js";
import { externalData, readOnnxFile } from "../trunk/formats/onnx-file.js";
import { withOutput } from "../trunk/formats/onnx-model.js";
import type { PixelScaling } from "../trunk/networks/network-table.js";
import { channelsFirst } from "./original-onnx.js";

/**
 * @param images `[1, size, size, 3]` each, RGB 0..255.
 * @param options.tensor what is wanted of the network; its first output by default.
 * @returns it for each image.
 * @throws WeightsError where the runtime cannot open or run the file.
 */
export async function runOnnx(
  path: string,
  images: readonly NdArray[],
  { scaling, tensor }: { readonly scaling: PixelScaling; readonly tensor?: string },
): Promise<NdArray[]> {
  const { InferenceSession, Tensor } = await import("../engine/onnx-runtime.js");
  const whole = await readOnnxFile(path);
  const model = tensor === undefined ? whole : withOutput(whole, tensor);
  try {
    const options = { externalData: await externalData(model, path), logSeverityLevel: 3 } as const;
    const session = await InferenceSession.create(model, options);
    const [input] = session.inputMetadata;
    const isLast = input.isTensor && input.shape[3] === 3 && input.shape[1] !== 3;
    const results: NdArray[] = [];
    for (const {
      shape: [, height, width],
      data,
    } of images) {
      const scaled = scaledPixels(data, scaling);
      const dims = isLast ? [1, height, width, 3] : [1, 3, height, width];
      const given = new Tensor("float32", isLast ? scaled : channelsFirst(scaled), dims);
      const output = (await session.run({ [input.name]: given }))[session.outputNames[0]];
      results.push(ndArray([...output.dims], Float32Array.from(output.data as Float32Array)));
    }
    await session.release();
    return results;
  } catch (cause) {
    throw new WeightsError(`${path}: ONNX Runtime cannot run it (${cause instanceof Error ? cause.message : cause}).`, {
      cure: "Export it again.",
      ...{ file: path, cause },
    });
  }
}

/** As the network's caller must scale them. @param pixels RGB 0..255, channels last. */
export function scaledPixels(pixels: ArrayLike<number>, { mean, deviation, channels }: PixelScaling): Float32Array {
  return Float32Array.from(pixels, (_, index) => {
    const channel = index % 3;
    const from = channels === "rgb" ? index : index - channel + (2 - channel);
    return (pixels[from] / 255 - mean[channel]) / deviation[channel];
  });
}
