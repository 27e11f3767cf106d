/** Guided Grad-CAM: guided backpropagation where Grad-CAM looks. */

import * as tf from "@tensorflow/tfjs";
import { enlarge } from "./enlarge.js";
import { gradCam } from "./grad-cam.js";
import { guidedBackpropagation } from "./guided-backpropagation.js";
import type { SaliencyMethod } from "./saliency.js";

/**
 * Selvaraju et al. 2017 (arXiv:1610.02391), section 3.2: the product of the two, the map brought to the size of the layer. It inherits
 * the failure of guided backpropagation (Adebayo et al. 2018, arXiv:1810.03292): never a default.
 */
export const guidedGradCam: SaliencyMethod = (place) => {
  const map = tf.relu(tf.sum(gradCam(place).elements, 3, true)) as tf.Tensor4D;
  const { elements } = guidedBackpropagation(place);
  return { elements: tf.mul(enlarge(map, place), elements) };
};
