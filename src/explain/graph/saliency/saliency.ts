/** What a saliency method is: from a layer, and the target as a function of it, to the saliency of each element. */

import * as tf from "@tensorflow/tfjs";
import type { Rectifier } from "../../../trunk/rectifier.js";

/** A layer at which a target is explained. `explainedLayer` makes it of a model. */
export interface ExplainedLayer {
  /** `[batch, height, width, channels]`. */
  readonly features: tf.Tensor4D;
  /** It is the image itself: three colours are no filters. */
  readonly isImage: boolean;
  /** The layer's average features, `[batch, 1, 1, channels]`. */
  readonly reference: tf.Tensor4D;
  /** Features minus reference. */
  readonly difference: tf.Tensor4D;
  /** How far a cell lies right of and below where a grid of equal cells has it, as a share of the image's height. */
  readonly offset: number;
  /**
   * The target of each image as a function of this layer's features, whatever lies between.
   *
   * @param features `[n * batch, height, width, channels]`; rows i, batch + i, ... are variants of image i.
   * @returns `[n * batch]`; it can be differentiated.
   */
  readonly valueAt: (features: tf.Tensor4D, options?: { rectifier?: Rectifier }) => tf.Tensor1D;
  /** The dense layer, where pooling and one dense layer follow right after. */
  readonly dense: () => Dense | undefined;
}

export interface Dense {
  /** `[channels, outputs]`. */
  readonly kernel: tf.Tensor2D;
  /** The derivative of the target by the layer's outputs, `[batch, outputs]`. */
  readonly gradient: tf.Tensor2D;
}

/** The layers that a method reads: one and the same, unless the image is masked, or the method is of the last layer. */
export interface SaliencyLayers {
  /** The layer that the mask is for. */
  readonly masked: ExplainedLayer;
  /**
   * The layer whose filters or places are weighed: the last that the target reads for methods of that layer, the source
   * where the image is masked, else the same.
   */
  readonly weighed: ExplainedLayer;
}

export interface Saliency {
  /**
   * Signed, of each element, in no unit: `[batch, height, width, channels]`, of `masked` for methods that tell elements
   * apart, else of `weighed`.
   */
  readonly elements: tf.Tensor4D;
  /** The sum of each place before what cancels was faded, `[batch, height, width, 1]`; of the elements without it. */
  readonly net?: tf.Tensor4D;
  /** Of the filters of `weighed`, `[batch, 1, 1, channels]`, signed. */
  readonly weights?: tf.Tensor4D;
}

/** Called inside `tf.tidy`. */
export type SaliencyMethod = (layers: SaliencyLayers) => Saliency;

/** d target / d features at some features `[n * batch, height, width, channels]`; of the same shape. */
export function gradientAt(
  { valueAt }: ExplainedLayer,
  features: tf.Tensor4D,
  { rectifier }: { rectifier?: Rectifier } = {},
): tf.Tensor4D {
  // Images do not mix on the way, so the gradient of the sum holds each image's own.
  return tf.grad((at: tf.Tensor) => tf.sum(valueAt(at as tf.Tensor4D, { rectifier })))(features) as tf.Tensor4D;
}

/** What filter weights say of each element: `w (f - r)`. */
export function weighElements(weights: tf.Tensor4D, { difference }: ExplainedLayer): Saliency {
  return { weights, elements: tf.mul(weights, difference) };
}
