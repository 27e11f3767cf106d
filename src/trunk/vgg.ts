/** The layers of VGG16 and VGG19 (Simonyan and Zisserman 2014, arXiv:1409.1556), named as in keras-applications. */

import type { Architecture, Layer } from "./layer.js";

const WIDTHS = [64, 128, 256, 512, 512];

/** @param alpha width multiplier; published weights have 1. */
export function vgg16(alpha = 1): Architecture {
  return vgg([2, 2, 3, 3, 3], alpha);
}

/** @param alpha width multiplier; published weights have 1. */
export function vgg19(alpha = 1): Architecture {
  return vgg([2, 2, 4, 4, 4], alpha);
}

function vgg(convolutionCounts: readonly number[], alpha: number): Architecture {
  const layers: Layer[] = [];
  let previous = "input";
  const append = (layer: Omit<Layer, "inputs">) => {
    layers.push({ ...layer, inputs: [previous] });
    previous = layer.name;
  };
  convolutionCounts.forEach((count, index) => {
    const block = `block${index + 1}`;
    const channels = Math.floor(WIDTHS[index] * alpha);
    for (let i = 1; i <= count; i++)
      append({ name: `${block}_conv${i}`, op: "conv", stride: 1, kernel: 3, channels, activation: "relu" });
    append({ name: `${block}_pool`, op: "maxPool", stride: 2, kernel: 2, channels, activation: "none" });
  });
  return { layers, scaling: "caffe", padding: "same", hasBatchNorm: false, source: "block5_conv3" };
}
