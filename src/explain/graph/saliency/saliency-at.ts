/** Runs a saliency method at a layer: its elements as a map, as what masks are made of, and as evidence. */

import * as tf from "@tensorflow/tfjs";
import { granularityOf, type SaliencyName } from "../../methods.js";
import type { AnswerEvidence } from "../evidence.js";
import { resampleMap } from "./resample-map.js";
import { gradientAt, type SaliencyLayers } from "./saliency.js";
import { SALIENCY_FUNCTIONS } from "./saliency-methods.js";

export interface MappedSaliency {
  /** L, for the picture: `[batch, height, width, 1]`, zero or more, on the grid of the masked layer. */
  readonly map: tf.Tensor4D;
  /**
   * What masks are made of: L, or for methods that tell elements apart `[batch, height, width, channels]`, zero or
   * more.
   */
  readonly maskMap: tf.Tensor4D;
  /** `[batch, 1, 1, channels]`, signed; absent where the method has none, or the image is masked. */
  readonly weights?: tf.Tensor4D;
  /** The answer's evidence c, and its net at each place. */
  readonly evidence: AnswerEvidence;
}

/**
 * The map of another layer says where, and the gradient at the masked layer what of it. Call it inside `tf.tidy`.
 */
export function saliencyAt(name: SaliencyName, layers: SaliencyLayers): MappedSaliency {
  const { masked, weighed } = layers;
  const { elements, weights, net } = SALIENCY_FUNCTIONS[name](layers);
  if (granularityOf(name) === "element") {
    const maskMap = tf.relu(elements);
    const map = net ? tf.relu(net) : tf.sum<tf.Tensor4D>(maskMap, 3, true);
    return { map, maskMap, evidence: withNet(elements, net), ...(weights && !masked.isImage && { weights }) };
  }
  const map = resampleMap(tf.relu(tf.sum(elements, 3, true)), layers);
  if (masked === weighed) return { map, maskMap: map, evidence: withNet(elements), ...(weights && { weights }) };
  const own = masked.isImage ? undefined : SALIENCY_FUNCTIONS[name]({ masked, weighed: masked }).weights;
  const within = tf.mul(gradientAt(masked, masked.features), masked.difference);
  return { map, maskMap: map, evidence: withNet(tf.mul(map, within)), ...(own && { weights: own }) };
}

function withNet(elements: tf.Tensor4D, net = tf.sum<tf.Tensor4D>(elements, 3, true)): AnswerEvidence {
  return { elements, net };
}
