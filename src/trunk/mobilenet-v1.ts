/** The layers of MobileNet v1 (Howard et al. 2017, arXiv:1704.04861), named as in keras-applications. */

import type { Architecture, Layer } from "./layer.js";

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

/**
 * Widths are cut to whole numbers as Keras does.
 *
 * Stride-2 convolutions pad as "same", as the weights were trained (TF-slim) and as tfjs models say; keras-applications
 * pads bottom and right alone instead, which differs only where a layer's input has an odd size (no multiple of 32).
 */
export function mobilenetV1(alpha: number): Architecture {
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
