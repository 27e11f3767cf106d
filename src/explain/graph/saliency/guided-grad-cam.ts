/** Guided Grad-CAM: guided backpropagation where Grad-CAM looks. */

import * as tf from "@tensorflow/tfjs";
import { gradCam } from "./grad-cam.js";
import { guidedBackpropagation } from "./guided-backpropagation.js";
import { resampleMap } from "./resample-map.js";
import type { SaliencyMethod } from "./saliency.js";

/**
 * Selvaraju et al. 2017 (arXiv:1610.02391), section 3.2: the product of the two, the map brought to the size of the
 * layer. It inherits the failure of guided backpropagation (Adebayo et al. 2018, arXiv:1810.03292): never a default.
 */
export const guidedGradCam: SaliencyMethod = (layers) => {
  const map = tf.relu(tf.sum(gradCam(layers).elements, 3, true)) as tf.Tensor4D;
  const { elements } = guidedBackpropagation(layers);
  return { elements: tf.mul(resampleMap(map, layers), elements) };
};
