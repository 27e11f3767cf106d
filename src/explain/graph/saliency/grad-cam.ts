/** Grad-CAM: one weight a filter, its mean gradient. */

import * as tf from "@tensorflow/tfjs";
import { gradientAt, type SaliencyMethod, weighElements } from "./saliency.js";

/**
 * Filter weights of one target (Selvaraju et al. 2017, eq. 1, arXiv:1610.02391).
 *
 * @param gradients `[batch, height, width, channels]`, d(target) / d(features).
 * @returns `[batch, 1, 1, channels]`, signed, not normalised; the caller disposes it.
 */
export function filterWeights(gradients: tf.Tensor4D): tf.Tensor4D {
  return tf.mean(gradients, [1, 2], true);
}

/**
 * `w_k (f_k - r_k)` (eq. 2 before the sum). The paper weighs the features themselves, which takes zeros for "nothing";
 * no network has seen zeros, so we weigh the difference from a typical representation.
 */
export const gradCam: SaliencyMethod = ({ weighed }) =>
  weighElements(filterWeights(gradientAt(weighed, weighed.features)), weighed);
