/** Our own method: what the answer takes from each element, less what is cancelled at its place. */

import * as tf from "@tensorflow/tfjs";
import { answerEvidence } from "../evidence.js";
import { filterWeights } from "./grad-cam.js";
import { gradientAt, type SaliencyMethod } from "./saliency.js";

/**
 * `c = g (f - r) N` of docs/explanations.md, unrectified, g the gradient half way to the reference: at f it vanishes in
 * saturated classifiers, and the mean of several is no better (bench/results/relevance.md). Its filter weights are made
 * of the same gradient as Grad-CAM makes its own.
 */
export const evidence: SaliencyMethod = ({ masked }) => {
  const halfWay = gradientAt(masked, tf.mul(tf.add(masked.features, masked.reference), 0.5));
  return { ...answerEvidence(halfWay, masked), weights: filterWeights(halfWay) };
};
