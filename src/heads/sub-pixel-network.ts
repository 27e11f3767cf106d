/** The network that segmentation, boxes and amount maps share: coarse features in, a finer grid of logits out. */

import * as tf from "@tensorflow/tfjs";
import type { ParameterSpec } from "../core/parameters.js";
import { type Size, shapeOf, sizeFrom } from "../core/size.js";
import { depthToSpace } from "../ops/depth-to-space.js";
import { fusedTaps } from "./fuse-taps.js";
import type { HeadContext } from "./head.js";

const WIDTH = 64;

export interface SubPixelNetwork {
  readonly parameters: readonly ParameterSpec[];
  /** Height and width of its grid, and how many input pixels a cell spans. */
  readonly size: Size;
  readonly stride: number;
  /** @returns `[batch, height, width, channels]`; the caller disposes it. */
  forward(parameters: Readonly<Record<string, tf.Tensor>>, features: readonly tf.Tensor4D[]): tf.Tensor4D;
}

/**
 * 1x1 to 64, relu, depthwise 3x3 and 1x1, relu, 1x1 to `factor`^2 sub-pixels a channel. At stride 16 on 512 channels
 * and 224 px it costs 8 million multiply-adds, 1.4 % of MobileNetV1 1.0.
 *
 * @param prior one number a channel: the logit that an untrained head says everywhere, so that rare things start rare
 *   (Lin et al. 2017, arXiv:1708.02002, section 4.1).
 * @param factor how much finer than the finest tap the grid is, from that tap's stride.
 */
export function subPixelNetwork(
  name: string,
  context: HeadContext,
  { prior, factor: factorOf }: { prior: readonly number[]; factor: (stride: number) => number },
): SubPixelNetwork {
  const taps = fusedTaps(name, context, { width: WIDTH });
  const factor = factorOf(taps.stride);
  const [rows, columns] = shapeOf(taps.size);
  const depth = factor ** 2 * prior.length;
  const named = (what: string) => `head/${name}/${what}`;
  const trained = { isTrainable: true };
  return {
    parameters: [
      ...taps.parameters,
      { name: named("depthwise/kernel"), shape: [3, 3, WIDTH, 1], initializer: "he", fanIn: 9, ...trained },
      { name: named("pointwise/kernel"), shape: [1, 1, WIDTH, WIDTH], initializer: "he", fanIn: WIDTH, ...trained },
      { name: named("pointwise/bias"), shape: [WIDTH], initializer: 0, ...trained },
      {
        name: named("output/kernel"),
        shape: [1, 1, WIDTH, depth],
        initializer: "glorot",
        fanIn: WIDTH,
        fanOut: WIDTH,
        ...trained,
      },
      { name: named("output/bias"), shape: [depth], initializer: 0, ...trained },
    ],
    size: sizeFrom(rows * factor, columns * factor),
    stride: taps.stride / factor,
    forward: (parameters, features) =>
      tf.tidy(() => {
        const of = (what: string) => parameters[named(what)] as tf.Tensor4D;
        const reduced = taps.forward(parameters, features); // [batch, tap, tap, 64]
        const around = tf.depthwiseConv2d(reduced, of("depthwise/kernel"), 1, "same");
        const mixed = tf.relu(tf.add(tf.conv2d(around, of("pointwise/kernel"), 1, "same"), of("pointwise/bias")));
        const bias = tf.add(
          of("output/bias"),
          tf.tensor1d(Array.from({ length: depth }, (_, i) => prior[i % prior.length])),
        );
        const fine = tf.add(tf.conv2d(mixed as tf.Tensor4D, of("output/kernel"), 1, "same"), bias);
        return depthToSpace(fine as tf.Tensor4D, factor);
      }),
  };
}
