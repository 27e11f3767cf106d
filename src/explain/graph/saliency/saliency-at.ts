/** Runs a saliency method at a layer: its elements as a map, as what masks are made of, and as evidence. */

import * as tf from "@tensorflow/tfjs";
import { granularityOf, type SaliencyName } from "../../methods.js";
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
  /** The answer's evidence c: `[batch, height, width, channels]`, signed. */
  readonly evidence: tf.Tensor4D;
}

/** Call it inside `tf.tidy`. */
export function saliencyAt(name: SaliencyName, layers: SaliencyLayers): MappedSaliency {
  const { elements, weights } = SALIENCY_FUNCTIONS[name](layers);
  const positive = tf.relu(elements);
  const isSameLayer = layers.masked === layers.weighed;
  const own = isSameLayer && weights ? { weights } : {};
  if (granularityOf(name) === "element") {
    return { map: tf.sum(positive, 3, true), maskMap: positive, evidence: elements, ...own };
  }
  const map = resampleMap(tf.relu(tf.sum(elements, 3, true)), layers);
  // A map of another layer says the same of all channels.
  const evidence = isSameLayer ? elements : tf.mul<tf.Tensor4D>(map, tf.onesLike(layers.masked.features));
  return { map, maskMap: map, evidence, ...own };
}
