/** The layers of MobileNet v2 (Sandler et al. 2018, arXiv:1801.04381), named as in keras-applications. */

import type { Architecture, Layer } from "./layer.js";

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

/** A layer name stands for its output after batch norm and activation, so Keras' `out_relu` is `Conv_1` here. */
export function mobilenetV2(alpha: number): Architecture {
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
