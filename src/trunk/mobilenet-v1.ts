/** MobileNet v1 (Howard et al. 2017, arXiv:1704.04861), its layers named as in keras-applications. */

import type { Architecture, Layer } from "./architecture.js";
import { decimal, MOBILENET_LICENCE, type PublishedWeights, tfhubMobilenets } from "./published-weights.js";
import type { TrunkDefinition } from "./trunk-definition.js";

/** Filters before the width multiplier, and stride, of each depthwise-separable block. */
const BLOCKS: readonly (readonly [filters: number, stride: number])[] = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [1024, 2],
  [1024, 1],
];

/** keras-applications writes widths so. */
const KERAS_WIDTHS: readonly (readonly [alpha: number, text: string])[] = [
  [0.25, "2_5"],
  [0.5, "5_0"],
  [0.75, "7_5"],
  [1, "1_0"],
];

/** Addresses as in mobilenet.py of keras-applications, and as in `@tensorflow-models/mobilenet`. */
const PUBLISHED: readonly PublishedWeights[] = [
  ...KERAS_WIDTHS.flatMap(([alpha, text]) =>
    [128, 160, 192, 224].map((inputSize): PublishedWeights => {
      const path = `mobilenet/mobilenet_${text}_${inputSize}_tf_no_top.h5`;
      return { source: "keras", alpha, inputSize, path, licence: MOBILENET_LICENCE };
    }),
  ),
  ...[0.25, 1].map((alpha): PublishedWeights => {
    const path = `mobilenet_v1_${decimal(alpha)}_224/model.json`;
    return { source: "tfjs", alpha, inputSize: 224, path, licence: MOBILENET_LICENCE };
  }),
  ...tfhubMobilenets("mobilenet_v1", { alphas: [0.25, 0.5, 0.75, 1], version: 1 }),
];

export const mobilenetV1 = {
  name: "mobilenet-v1",
  architecture,
  defaultAlpha: 0.25,
  fineTuneFrom: "conv_dw_4",
  builtinAlphas: [0.25, 0.5],
  published: PUBLISHED,
  weights: {
    layers: /^(conv1|conv_(dw|pw)_\d+)$/,
    present: ["conv_dw_1"],
    slimScopes: [
      [/(?:^|\/)Conv2d_0\//, () => "conv1"],
      [/(?:^|\/)Conv2d_(\d+)_depthwise\//, (n) => `conv_dw_${n}`],
      [/(?:^|\/)Conv2d_(\d+)_pointwise\//, (n) => `conv_pw_${n}`],
    ],
    classifierConvolutions: 1,
  },
} as const satisfies TrunkDefinition;

/**
 * Widths are cut to whole numbers as Keras does.
 *
 * Stride-2 convolutions pad as "same", as the weights were trained (TF-slim) and as tfjs models say; keras-applications
 * pads bottom and right alone instead, which differs only where a layer's input has an odd size (no multiple of 32).
 */
function architecture(alpha: number): Architecture {
  const width = (filters: number) => Math.floor(filters * alpha);
  const layers: Layer[] = [
    { name: "conv1", op: "conv", inputs: ["input"], stride: 2, kernel: 3, channels: width(32), activation: "relu6" },
  ];
  BLOCKS.forEach(([filters, stride], index) => {
    const { name: previous, channels } = layers[layers.length - 1];
    const depthwise = `conv_dw_${index + 1}`;
    layers.push(
      { name: depthwise, op: "depthwise", inputs: [previous], stride, kernel: 3, channels, activation: "relu6" },
      {
        name: `conv_pw_${index + 1}`,
        op: "conv",
        inputs: [depthwise],
        stride: 1,
        kernel: 1,
        channels: width(filters),
        activation: "relu6",
      },
    );
  });
  return { layers, scaling: "unit", padding: "same", hasBatchNorm: true, source: "conv_pw_11" };
}
