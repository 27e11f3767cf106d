/** One logit at each pixel of the input: what segmentation and amount maps compute. */

import * as tf from "@tensorflow/tfjs";
import { shapeOf } from "../core/size.js";
import { resizeBilinear } from "../ops/resize-bilinear.js";
import type { HeadContext } from "./head.js";
import { subPixelNetwork } from "./sub-pixel-network.js";

/** A sub-pixel network on a grid of stride 2 (1 where the tap has it), enlarged bilinearly to the input's size. */
export function maskNetwork(name: string, context: HeadContext, { prior }: { prior: number }) {
  const network = subPixelNetwork(name, context, { prior: [prior], factor: (stride) => Math.max(1, stride / 2) });
  const { inputSize } = context;
  return {
    parameters: network.parameters,
    /** @returns logits `[batch, height, width, 1]`; the caller disposes them. */
    forward: (parameters: Readonly<Record<string, tf.Tensor>>, features: readonly tf.Tensor4D[]): tf.Tensor4D =>
      tf.tidy(() => resizeBilinear(network.forward(parameters, features), shapeOf(inputSize))),
  };
}
