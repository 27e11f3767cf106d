/** The segmentation head: which pixels show the aspect. */

import * as tf from "@tensorflow/tfjs";
import { shapeOf } from "../core/size.js";
import type { Head, HeadContext } from "./head.js";
import type { SegmentationSpec } from "./head-spec.js";
import { averageOverLabelled, binaryCrossEntropy, meanOfKnown, sumOfEach } from "./losses.js";
import { maskNetwork } from "./mask-network.js";
import { encodeMasks, maskShapes } from "./segmentation-reading.js";

/** Makes 1 of any area that is not 0. */
const FAR = 1e6;

/**
 * Binary cross-entropy (mean over the pixels) plus Dice (Milletari et al. 2016, arXiv:1606.04797; with plain sums) over
 * all labelled images of the batch at once, as nnU-Net's batch Dice (Isensee et al. 2021). Image by image, an image
 * without the aspect would push all its pixels down with full force, and where most images lack the aspect its head
 * would end at nothing; so a batch without the aspect has no Dice at all. Of a pixel that the aspect covers in part,
 * the shared area is the smaller of chance and share, not their product (Wang et al. 2023, arXiv:2303.16296): of whole
 * pixels both are the same, but the product is best at chances of 0 and 1 whatever the share. Void pixels take part in
 * neither term.
 */
export function segmentation(spec: SegmentationSpec, context: HeadContext): Head<SegmentationSpec> {
  const { inputSize } = context;
  const network = maskNetwork(spec.name, context, { prior: -2 });
  return {
    spec,
    parameters: network.parameters,
    outputShape: [...shapeOf(inputSize), 1],
    forward: network.forward,
    labelShapes: maskShapes(inputSize),
    encode: (labels) => encodeMasks(labels, { name: spec.name, inputSize }),
    loss: (logits, { mask, known, labelled }) =>
      tf.tidy(() => {
        const pixels = averageOverLabelled(meanOfKnown(binaryCrossEntropy(logits, mask), known), labelled);
        return tf.add(pixels, diceLoss(logits, { mask, known, labelled })).asScalar();
      }),
  };
}

/**
 * 1 - (2 shared + 1) / (predicted + labelled + 1), areas in known pixels of the batch; 0 where no pixel has the aspect.
 *
 * @param labels `mask` is 0 where not known.
 */
function diceLoss(
  logits: tf.Tensor,
  { mask, known, labelled }: { mask: tf.Tensor; known: tf.Tensor; labelled: tf.Tensor },
): tf.Tensor {
  const chance = tf.mul(tf.sigmoid(logits), known);
  const total = (each: tf.Tensor) => tf.sum(tf.mul(sumOfEach(each), labelled));
  const area = total(mask);
  const shared = tf.add(tf.mul(total(tf.minimum(chance, mask)), 2), 1);
  const loss = tf.sub(1, tf.div(shared, tf.add(tf.add(total(chance), area), 1)));
  return tf.mul(loss, tf.minimum(tf.mul(area, FAR), 1));
}
