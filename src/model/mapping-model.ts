/**
 * Mapping models: features of one network as another network would have them. What they are fitted to is decided in
 * `src/mapping`.
 */

import * as tf from "@tensorflow/tfjs";
import { ConfigError } from "../core/errors.js";
import type { ParameterSpec } from "../core/parameters.js";
import { pixelCount, type Size, shapeOf } from "../core/size.js";
import { resizeBilinear } from "../ops/resize-bilinear.js";
import type { Parameters, Tap } from "../trunk/trunk.js";
import type { NetworkSpec } from "./model-spec.js";

/** A mapping as a function of named parameters; it can be differentiated. */
export interface MappingModel {
  readonly parameters: readonly ParameterSpec[];
  /**
   * @param features of the layer it starts from, `[batch, height, width, channels]`.
   * @returns features as the other network has them, of the target layer's shape; the caller disposes them.
   */
  apply(parameters: Parameters, features: tf.Tensor4D): tf.Tensor4D;
}

/** Channels of the U-Net's first level; the second has twice as many. */
const WIDTH = 64;

/** `mapping/<network>/<what>`: a parameter of a mapping. */
export function mappingParameter(network: string, what: string): string {
  return `mapping/${network}/${what}`;
}

/** @throws ConfigError where an image shall be mapped to anything but an image. */
export function mappingModel(
  { name, mapping }: Pick<NetworkSpec, "name" | "mapping">,
  { from, to }: { from: Tap; to: Tap },
): MappingModel {
  const named = (what: string) => mappingParameter(name, what);
  if (mapping.kind === "image") {
    if (from.name !== "input" || to.name !== "input")
      throw new ConfigError(`network "${name}": an image is mapped to an image, got ${from.name} to ${to.name}.`, {
        cure: 'Name "input" for both layers.',
      });
    return { parameters: [], apply: (_, image) => resized(image, to.size) };
  }
  const linear: MappingModel = {
    parameters: convolutionParameters(named("linear"), { side: 1, from: from.channels, to: to.channels }),
    // Both are linear, so the order is free: the convolution runs on the smaller grid.
    apply: (parameters, features) => {
      const convolve = (at: tf.Tensor4D) => convolved(parameters, named("linear"), at);
      return tf.tidy(() =>
        pixelCount(from.size) < pixelCount(to.size)
          ? resized(convolve(features), to.size)
          : convolve(resized(features, to.size)),
      );
    },
  };
  if (mapping.kind === "linear") return linear;
  const layer = (what: string, side: number, [channelsIn, channelsOut]: readonly [number, number]) =>
    convolutionParameters(named(what), { side, from: channelsIn, to: channelsOut });
  return {
    parameters: [
      ...linear.parameters,
      ...layer("enter", 1, [from.channels, WIDTH]),
      ...layer("level", 3, [WIDTH, WIDTH]),
      ...layer("down", 3, [WIDTH, 2 * WIDTH]),
      ...layer("bottom", 3, [2 * WIDTH, 2 * WIDTH]),
      ...layer("up", 3, [3 * WIDTH, WIDTH]),
      // It begins as the linear mapping alone.
      ...layer("leave", 1, [WIDTH, to.channels]).map((spec) => ({ ...spec, initializer: 0 as const })),
    ],
    apply: (parameters, features) =>
      tf.tidy(() => {
        const step = (what: string, at: tf.Tensor4D, stride = 1) =>
          tf.relu(convolved(parameters, named(what), at, stride));
        const at = resized(features, to.size);
        const level = step("level", step("enter", at));
        const bottom = step("bottom", step("down", level, 2));
        const joined = tf.concat([level, resized(bottom, to.size)], 3);
        const change = convolved(parameters, named("leave"), step("up", joined));
        return tf.add(linear.apply(parameters, features), change) as tf.Tensor4D;
      }),
  };
}

function convolutionParameters(
  name: string,
  { side, from, to }: { side: number; from: number; to: number },
): ParameterSpec[] {
  const fanIn = side * side * from;
  return [
    {
      name: `${name}/kernel`,
      shape: [side, side, from, to],
      initializer: "he",
      fanIn,
      isTrainable: true,
    },
    { name: `${name}/bias`, shape: [to], initializer: 0, isTrainable: true },
  ];
}

function convolved(parameters: Parameters, name: string, at: tf.Tensor4D, stride = 1): tf.Tensor4D {
  const filtered = tf.conv2d(at, parameters[`${name}/kernel`] as tf.Tensor4D, stride, "same");
  return tf.add(filtered, parameters[`${name}/bias`]);
}

function resized(features: tf.Tensor4D, size: Size): tf.Tensor4D {
  const [height, width] = shapeOf(size);
  const isSame = features.shape[1] === height && features.shape[2] === width;
  return isSame ? features : resizeBilinear(features, [height, width]);
}
