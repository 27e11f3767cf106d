/** Our own method: what the answer takes from each element, less what is cancelled at its place. */

import * as tf from "@tensorflow/tfjs";
import { answerEvidence } from "../evidence.js";
import { filterWeights } from "./grad-cam.js";
import { gradientAt, type SaliencyMethod } from "./saliency.js";

/**
 * `c = g (f - r) N` of docs/explanations.md, unrectified, g the mean of the gradients at f and half way to the
 * reference (the gradient at f alone fails on saturated classifiers; more than two points are hardly better). Its
 * filter weights are Grad-CAM's.
 */
export const evidence: SaliencyMethod = ({ masked }) => {
  const atFeatures = gradientAt(masked, masked.features);
  const halfWay = gradientAt(masked, tf.mul(tf.add(masked.features, masked.reference), 0.5));
  const mean = tf.mul(tf.add(atFeatures, halfWay), 0.5) as tf.Tensor4D;
  return { ...answerEvidence(mean, masked), weights: filterWeights(atFeatures) };
};
