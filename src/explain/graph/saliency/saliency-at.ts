/** Runs a saliency method at a layer: its elements as a map, as what masks are made of, and as evidence. */

import * as tf from "@tensorflow/tfjs";
import { granularityOf, type SaliencyName } from "../../methods.js";
import type { AnswerEvidence } from "../evidence.js";
import { resampleMap } from "./resample-map.js";
import type { SaliencyLayers } from "./saliency.js";
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

/** Call it inside `tf.tidy`. */
export function saliencyAt(name: SaliencyName, layers: SaliencyLayers): MappedSaliency {
  const { elements, weights, net } = SALIENCY_FUNCTIONS[name](layers);
  const isSameLayer = layers.masked === layers.weighed;
  const own = isSameLayer && weights ? { weights } : {};
  if (granularityOf(name) === "element") {
    const maskMap = tf.relu(elements);
    const map = net ? tf.relu(net) : tf.sum<tf.Tensor4D>(maskMap, 3, true);
    return { map, maskMap, evidence: withNet(elements, net), ...own };
  }
  const map = resampleMap(tf.relu(tf.sum(elements, 3, true)), layers);
  // A map of another layer says the same of all channels.
  const evidence = isSameLayer ? elements : tf.mul<tf.Tensor4D>(map, tf.onesLike(layers.masked.features));
  return { map, maskMap: map, evidence: withNet(evidence), ...own };
}

function withNet(elements: tf.Tensor4D, net = tf.sum<tf.Tensor4D>(elements, 3, true)): AnswerEvidence {
  return { elements, net };
}
