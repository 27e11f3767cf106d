/** Which parameters each layer has, with batch normalisation and with it folded into a bias. */

import type { ParameterSpec } from "../core/parameters.js";
import type { Architecture, Layer } from "./architecture.js";

/** What Keras adds to a variance before its root, in every MobileNet. */
export const BATCH_NORM_EPSILON = 1e-3;

/** The four vectors of batch normalisation, `[channels]` each, with the values that change nothing. */
export const BATCH_NORM = { gamma: 1, beta: 0, moving_mean: 0, moving_variance: 1 } as const;

export type BatchNormPart = keyof typeof BATCH_NORM;

export type ParameterPart = "kernel" | "bias" | BatchNormPart;

/** Of natural images' channels: what Caffe's convention leaves as it is, and the others divide by. */
const CAFFE_DEVIATION = 64;

const PARTS = Object.keys(BATCH_NORM) as readonly BatchNormPart[];

/** `trunk/<layer>/<what>`. */
export function parameterName(layer: string, what: ParameterPart): string {
  return `trunk/${layer}/${what}`;
}

/** `conv1` of `trunk/conv1/kernel`. */
export function layerOfParameter(parameter: string): string {
  return parameter.split("/")[1];
}

/** In order of the layers. Without batch norm in the network, both forms are the same. */
export function layerParameters(
  { layers, hasBatchNorm, scaling }: Architecture,
  { isFolded }: { isFolded: boolean },
): readonly ParameterSpec[] {
  const widths = new Map([["input", 3], ...layers.map(({ name, channels }) => [name, channels] as const)]);
  return layers.filter(hasKernel).flatMap((layer) => {
    const { name, channels } = layer;
    // He et al. 2015 assume inputs of unit variance.
    const inputVariance = scaling === "caffe" && layer.inputs[0] === "input" ? CAFFE_DEVIATION ** 2 : 1;
    const kernel = kernelSpec(layer, { inputChannels: widths.get(layer.inputs[0]) ?? 0, inputVariance });
    const vector = (what: "bias" | BatchNormPart, initializer: number): ParameterSpec => {
      const isTrainable = what !== "moving_mean" && what !== "moving_variance";
      return { name: parameterName(name, what), shape: [channels], initializer, isTrainable };
    };
    if (isFolded || !hasBatchNorm) return [kernel, vector("bias", 0)];
    return [kernel, ...PARTS.map((part) => vector(part, BATCH_NORM[part]))];
  });
}

/** Pooling and addition have no parameters. */
export function hasKernel({ op }: Layer): boolean {
  return op === "conv" || op === "depthwise";
}

function kernelSpec(
  { name, op, kernel, channels }: Layer,
  { inputChannels, inputVariance }: { inputChannels: number; inputVariance: number },
): ParameterSpec {
  const window = kernel * kernel;
  const isDepthwise = op === "depthwise";
  return {
    name: parameterName(name, "kernel"),
    shape: [kernel, kernel, inputChannels, isDepthwise ? 1 : channels],
    initializer: "he",
    fanIn: (isDepthwise ? window : window * inputChannels) * inputVariance,
    fanOut: isDepthwise ? window : window * channels,
    isTrainable: true,
  };
}
