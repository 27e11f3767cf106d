/** HiRes-CAM: each place keeps its own gradients. */

import * as tf from "@tensorflow/tfjs";
import { gradientAt, type SaliencyMethod } from "./saliency.js";

/**
 * Draelos and Carin 2020 (arXiv:2011.08891), section 3: gradient times features, summed over channels at each place and
 * rectified. Departure: features are taken from the reference on.
 */
export const hiresCam: SaliencyMethod = ({ weighed }) => ({
  elements: tf.mul(gradientAt(weighed, weighed.features), weighed.difference),
});
