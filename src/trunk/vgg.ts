/** VGG16 and VGG19 (Simonyan and Zisserman 2014, arXiv:1409.1556), their layers named as in keras-applications. */

import type { Architecture, Layer } from "./architecture.js";
import type { PublishedWeights } from "./published-weights.js";
import type { TrunkDefinition } from "./trunk-definition.js";

const WIDTHS = [64, 128, 256, 512, 512];

export const vgg16 = {
  name: "vgg16",
  architecture: (alpha) => vgg([2, 2, 3, 3, 3], alpha),
  defaultAlpha: 1,
  fineTuneFrom: "block4_conv1",
  builtinAlphas: [],
  published: [published("vgg16")],
  weights: { layers: /^block[1-5]_conv\d$/, present: ["block1_conv1"], absent: ["block3_conv4"] },
} as const satisfies TrunkDefinition;

export const vgg19 = {
  name: "vgg19",
  architecture: (alpha) => vgg([2, 2, 4, 4, 4], alpha),
  defaultAlpha: 1,
  fineTuneFrom: "block4_conv1",
  builtinAlphas: [],
  published: [published("vgg19")],
  weights: { layers: /^block[1-5]_conv\d$/, present: ["block1_conv1", "block3_conv4"] },
} as const satisfies TrunkDefinition;

/** Addresses as in vgg16.py and vgg19.py of keras-applications. */
function published(name: "vgg16" | "vgg19"): PublishedWeights {
  const path = `${name}/${name}_weights_tf_dim_ordering_tf_kernels_notop.h5`;
  return { source: "keras", alpha: 1, inputSize: 224, path, licence: "CC-BY-4.0 (VGG, Oxford)" };
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
