/** Layer-CAM: each place keeps those of its gradients that are positive. */

import * as tf from "@tensorflow/tfjs";
import { gradientAt, type SaliencyMethod } from "./saliency.js";

/**
 * Jiang et al. 2021 (IEEE TIP 30, doi:10.1109/TIP.2021.3089943), eq. 6 and 7: `relu(g) A`, summed over channels and
 * rectified. Departure: features are taken from the reference on.
 */
export const layerCam: SaliencyMethod = ({ weighed }) => ({
  elements: tf.mul(tf.relu(gradientAt(weighed, weighed.features)), weighed.difference),
});
