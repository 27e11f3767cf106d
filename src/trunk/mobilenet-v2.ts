/** MobileNet v2 (Sandler et al. 2018, arXiv:1801.04381), its layers named as in keras-applications. */

import type { Architecture, Layer } from "./architecture.js";
import { decimal, MOBILENET_LICENCE, type PublishedWeights, tfhubMobilenets } from "./published-weights.js";
import type { TrunkDefinition } from "./trunk-definition.js";

/** Filters before the width multiplier, and stride, of each inverted residual block; the first does not expand. */
const BLOCKS: readonly (readonly [filters: number, stride: number])[] = [
  [16, 1],
  [24, 2],
  [24, 1],
  [32, 2],
  [32, 1],
  [32, 1],
  [64, 2],
  [64, 1],
  [64, 1],
  [64, 1],
  [96, 1],
  [96, 1],
  [96, 1],
  [160, 2],
  [160, 1],
  [160, 1],
  [320, 1],
];

const EXPANSION = 6;

/** Addresses as in mobilenet_v2.py of keras-applications, and as in `@tensorflow-models/mobilenet`. */
const PUBLISHED: readonly PublishedWeights[] = [
  ...[0.35, 0.5, 0.75, 1, 1.3, 1.4].flatMap((alpha) =>
    [96, 128, 160, 192, 224].map((inputSize): PublishedWeights => {
      const file = `mobilenet_v2_weights_tf_dim_ordering_tf_kernels_${decimal(alpha)}_${inputSize}_no_top.h5`;
      return { source: "keras", alpha, inputSize, path: `mobilenet_v2/${file}`, licence: MOBILENET_LICENCE };
    }),
  ),
  ...tfhubMobilenets("mobilenet_v2", { alphas: [0.5, 0.75, 1], version: 2 }),
];

/** `mobl3_conv_expand` and `mobl3_conv_3_expand` (Keras up to 2.2.2), with their batch norm under `bn3_...`. */
const OLDER_NAME = /^(?:mobl|bn)(\d+)_conv_(?:\d+_)?(?:bn_)?(expand|depthwise|project)$/;

export const mobilenetV2 = {
  name: "mobilenet-v2",
  architecture,
  defaultAlpha: 0.25,
  fineTuneFrom: "block_3_expand",
  builtinAlphas: [0.35],
  published: PUBLISHED,
  weights: {
    layers: /^(Conv1|Conv_1|expanded_conv_(depthwise|project)|block_\d+_(expand|depthwise|project))$/,
    present: ["expanded_conv_depthwise"],
    layerOfOlderName: (kerasName) => {
      const [, block, role] = OLDER_NAME.exec(kerasName) ?? [];
      return block && `${block === "0" ? "expanded_conv" : `block_${block}`}_${role}`;
    },
    slimScopes: [
      [/(?:^|\/)Conv\//, () => "Conv1"],
      [/(?:^|\/)Conv_1\//, () => "Conv_1"],
      [/(?:^|\/)expanded_conv\/(\w+)\//, (role) => `expanded_conv_${role}`],
      [/(?:^|\/)expanded_conv_(\d+)\/(\w+)\//, (n, role) => `block_${n}_${role}`],
    ],
  },
} as const satisfies TrunkDefinition;

/** A layer name stands for its output after batch norm and activation, so Keras' `out_relu` is `Conv_1` here. */
function architecture(alpha: number): Architecture {
  const stem = divisibleBy8(32 * alpha);
  const layers: Layer[] = [
    { name: "Conv1", op: "conv", inputs: ["input"], stride: 2, kernel: 3, channels: stem, activation: "relu6" },
  ];
  BLOCKS.forEach(([filters, stride], index) => {
    const { name, channels } = layers[layers.length - 1];
    layers.push(...invertedResidual(index, { input: name, width: channels, filters, stride, alpha }));
  });
  const { name } = layers[layers.length - 1];
  const last = alpha > 1 ? divisibleBy8(1280 * alpha) : 1280;
  layers.push({
    name: "Conv_1",
    op: "conv",
    inputs: [name],
    stride: 1,
    kernel: 1,
    channels: last,
    activation: "relu6",
  });
  return { layers, scaling: "unit", padding: "same", hasBatchNorm: true, source: "block_13_expand" };
}

interface Block {
  readonly input: string;
  /** Channels of the input. */
  readonly width: number;
  readonly filters: number;
  readonly stride: number;
  readonly alpha: number;
}

/** Expand, filter, project without activation; a residual wherever input and output have one shape, as in Keras. */
function invertedResidual(index: number, { input, width, filters, stride, alpha }: Block): Layer[] {
  const prefix = index === 0 ? "expanded_conv" : `block_${index}`;
  const wide = index === 0 ? width : width * EXPANSION;
  const narrow = divisibleBy8(Math.floor(filters * alpha));
  const [expand, depthwise, project] = [`${prefix}_expand`, `${prefix}_depthwise`, `${prefix}_project`];
  const layers: Layer[] = [];
  if (index > 0)
    layers.push({
      name: expand,
      op: "conv",
      inputs: [input],
      stride: 1,
      kernel: 1,
      channels: wide,
      activation: "relu6",
    });
  const widened = index > 0 ? expand : input;
  layers.push(
    { name: depthwise, op: "depthwise", inputs: [widened], stride, kernel: 3, channels: wide, activation: "relu6" },
    { name: project, op: "conv", inputs: [depthwise], stride: 1, kernel: 1, channels: narrow, activation: "none" },
  );
  if (stride === 1 && width === narrow)
    layers.push({
      name: `${prefix}_add`,
      op: "add",
      inputs: [input, project],
      stride: 1,
      kernel: 1,
      channels: narrow,
      activation: "none",
    });
  return layers;
}

/** To the nearest multiple of 8, at least 8, never more than a tenth down (Keras' `_make_divisible`). */
function divisibleBy8(width: number): number {
  const rounded = Math.max(8, Math.floor((width + 4) / 8) * 8);
  return rounded < 0.9 * width ? rounded + 8 : rounded;
}
