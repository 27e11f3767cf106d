/** An `.onnx` computed by ONNX Runtime: the trunk alone, cut from the network that contains it. */

import { WeightsError } from "../core/errors.js";
import { LIMITS } from "../core/limits.js";
import type { NdArray } from "../core/nd-array.js";
import type { Architecture } from "../trunk/architecture.js";
import { architectureOf } from "../trunk/architecture-of.js";
import { externalData, type OnnxWeights, readOnnxFile } from "../trunk/formats/onnx-file.js";
import { withOutput } from "../trunk/formats/onnx-model.js";
import { CAFFE_MEAN_BGR, IMAGENET_DEVIATION, IMAGENET_MEAN } from "../trunk/scaling.js";
import type { TrunkSpec } from "../trunk/trunk-spec.js";
import { type NotCompared, type Original, SIDE } from "./original-network.js";

/**
 * @throws WeightsError if the network's input is not square, or the network refers to other files; errors of the
 *   runtime.
 */
export async function openOnnx(
  { path, lastTensor, convention }: OnnxWeights,
  name: TrunkSpec["name"],
): Promise<Original | NotCompared> {
  const { InferenceSession, Tensor } = await import("../engine/onnx-runtime.js");
  const model = withOutput(await readOnnxFile(path), lastTensor);
  const session = await InferenceSession.create(model, {
    externalData: await externalData(model, path),
    logSeverityLevel: 3,
  });
  const [input] = session.inputMetadata;
  if (!input.isTensor || input.type !== "float32") {
    await session.release();
    return { notCompared: "no runtime here runs the original file beside it" };
  }
  const [count, ...sides] = input.shape.map((side) => (typeof side === "number" && side > 0 ? side : undefined));
  const isFirst = sides[2] !== 3; // channels before height
  const [height, width] = isFirst ? sides.slice(1) : sides;
  if (height !== width) {
    await session.release();
    throw new WeightsError(`${path}: takes images of ${height} x ${width}.`, {
      cure: "Export the network for square images.",
    });
  }
  const [batch, size] = [count ?? 1, height ?? SIDE];
  if (batch * size ** 2 > LIMITS.comparedPixels) {
    await session.release();
    return {
      notCompared: `could not be compared with the original, which takes ${batch} images of ${size} pixels at once`,
    };
  }
  const { scaling } = architectureOf({ name, alpha: 1, inputSize: SIDE, ...(convention && { convention }) });
  return {
    runtime: "ONNX Runtime",
    size,
    async run({ data }) {
      const scaled = Float32Array.from(data, (_, i) => scale(data, i, scaling));
      const image = isFirst ? channelsFirst(scaled) : scaled;
      const given = new Float32Array(batch * image.length);
      given.set(image); // the other images of a fixed batch are black
      const dims = isFirst ? [batch, 3, size, size] : [batch, size, size, 3];
      try {
        const output = (await session.run({ [input.name]: new Tensor("float32", given, dims) }))[lastTensor];
        const [, channels, height, width] = output.dims;
        const features = new Float32Array(channels * height * width);
        for (let c = 0, i = 0; c < channels; c++)
          for (let at = 0; at < height * width; at++, i++) features[at * channels + c] = Number(output.data[i]);
        return { shape: [1, height, width, channels], data: features };
      } finally {
        await session.release();
      }
    },
  };
}

/** Scales the pixel at `i` as the saved network expects of its caller. */
function scale(pixels: NdArray["data"], i: number, scaling: Architecture["scaling"]): number {
  const channel = i % 3;
  if (scaling === "unit") return pixels[i] / 127.5 - 1;
  if (scaling === "caffe") return pixels[i - channel + 2 - channel] - CAFFE_MEAN_BGR[channel];
  return (pixels[i] / 255 - IMAGENET_MEAN[channel]) / IMAGENET_DEVIATION[channel];
}

/** Of pixels whose channels come last. */
export function channelsFirst(image: Float32Array): Float32Array {
  const area = image.length / 3;
  return Float32Array.from(image, (_, i) => image[(i % area) * 3 + Math.floor(i / area)]);
}
