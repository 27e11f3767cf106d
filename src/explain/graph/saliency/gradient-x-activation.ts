/** Gradient x activation: what each element adds to the target, to first order. */

import * as tf from "@tensorflow/tfjs";
import { gradientAt, type SaliencyMethod } from "./saliency.js";

/**
 * Shrikumar et al. 2016 (arXiv:1605.01713) at any layer; at the image it is gradient x input. Departure: the
 * first-order term is taken from the reference on, not from zero.
 */
export const gradientXActivation: SaliencyMethod = ({ masked }) => ({
  elements: tf.mul(gradientAt(masked, masked.features), masked.difference),
});
