/** The segmentation head: which pixels show the aspect. */

import * as tf from "@tensorflow/tfjs";
import type { Head, HeadContext } from "./head.js";
import type { SegmentationSpec } from "./head-spec.js";
import { averageOverLabelled, binaryCrossEntropy, meanOfKnown, sumOfEach } from "./losses.js";
import { maskNetwork } from "./mask-network.js";
import { encodeMasks, maskShapes } from "./segmentation-reading.js";

/**
 * Binary cross-entropy (mean over the pixels) plus Dice (Milletari et al. 2016, arXiv:1606.04797; with plain sums, and
 * one pixel added above and below, so that an image without the aspect counts too). Dice weighs an object by its own
 * size, so small ones are not drowned by background. Of a pixel that the aspect covers in part, the shared area is the
 * smaller of chance and share, not their product (Wang et al. 2023, arXiv:2303.16296): of whole pixels both are the
 * same, but the product is best at chances of 0 and 1 whatever the share. Void pixels take part in neither term.
 */
export function segmentation(spec: SegmentationSpec, context: HeadContext): Head<SegmentationSpec> {
  const { inputSize } = context;
  const network = maskNetwork(spec.name, context, { prior: -2 });
  return {
    spec,
    parameters: network.parameters,
    outputShape: [inputSize, inputSize, 1],
    forward: network.forward,
    labelShapes: maskShapes(inputSize),
    encode: (labels) => encodeMasks(labels, { name: spec.name, inputSize }),
    loss: (logits, { mask, known, labelled }) =>
      tf.tidy(() => {
        const pixels = meanOfKnown(binaryCrossEntropy(logits, mask), known); // [batch]
        return averageOverLabelled(tf.add(pixels, diceLoss(logits, { mask, known })), labelled);
      }),
  };
}

/** 1 - (2 shared + 1) / (predicted + labelled + 1), areas in known pixels, `[batch]`. @param mask 0 where not known. */
function diceLoss(logits: tf.Tensor, { mask, known }: { mask: tf.Tensor; known: tf.Tensor }): tf.Tensor {
  const chance = tf.mul(tf.sigmoid(logits), known);
  const shared = sumOfEach(tf.minimum(chance, mask));
  const areas = tf.add(sumOfEach(chance), sumOfEach(mask));
  return tf.sub(1, tf.div(tf.add(tf.mul(shared, 2), 1), tf.add(areas, 1)));
}
