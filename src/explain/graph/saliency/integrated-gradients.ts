/** Integrated gradients: the mean gradient on the way from the reference to the features. */

import * as tf from "@tensorflow/tfjs";
import { gradientAt, type SaliencyMethod } from "./saliency.js";

/** Of the path; their sum misses the target's rise by about a per cent (test/explain/saliency.test.ts). */
const STEPS = 16;

/**
 * Sundararajan et al. 2017 (arXiv:1703.01365), eq. 1, by the midpoint rule: elements sum to the target's rise from the
 * reference to the features. The baseline is the reference, not black.
 */
export const integratedGradients: SaliencyMethod = ({ masked }) => {
  const { features, reference, difference } = masked;
  const [batch, ...shape] = features.shape;
  const path = Array.from({ length: STEPS }, (_, step) =>
    tf.add(reference, tf.mul(difference, (step + 0.5) / STEPS)),
  ) as tf.Tensor4D[];
  const gradients = gradientAt(masked, tf.concat(path, 0)); // [STEPS * batch, height, width, channels]
  const mean = tf.mean(tf.reshape(gradients, [STEPS, batch, ...shape]), 0) as tf.Tensor4D;
  return { elements: tf.mul(mean, difference) };
};
