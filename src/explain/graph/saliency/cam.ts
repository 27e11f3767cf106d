/** CAM: the dense layer's own numbers weigh the filters. */

import * as tf from "@tensorflow/tfjs";
import { ConfigError } from "../../../core/errors.js";
import { type SaliencyMethod, weighElements } from "./saliency.js";

/**
 * Zhou et al. 2016 (arXiv:1512.04150), eq. 2: `w_k` of a class is its row of the dense layer after the pooling. Two
 * departures: a target of several classes mixes their rows by its derivatives, so that a class against the others is
 * weighed against them; and features are taken from the reference on. After mean pooling, which is the paper's, it is
 * Grad-CAM times height and width.
 *
 * @throws ConfigError where no such layer follows.
 */
export const cam: SaliencyMethod = ({ weighed }) => {
  const dense = weighed.dense();
  if (!dense) throw new ConfigError('saliency "cam": needs pooling and a dense layer right after the layer.');
  const { kernel, gradient } = dense;
  const weights = tf.matMul(gradient, kernel, false, true); // [batch, channels]
  return weighElements(tf.reshape(weights, [gradient.shape[0], 1, 1, kernel.shape[0]]), weighed);
};
