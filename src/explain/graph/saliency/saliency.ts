/** What a saliency method is: from a point of the network and a target to the relevance of each element there. */

import * as tf from "@tensorflow/tfjs";
import type { Rectifier } from "../../../trunk/rectifier.js";

/** A layer at which a target is explained. */
export interface SaliencyPoint {
  /** `[batch, height, width, channels]`. */
  readonly features: tf.Tensor4D;
  /** "Nothing in particular", `[batch, 1, 1, channels]`. */
  readonly reference: tf.Tensor4D;
  /** Features minus reference. */
  readonly difference: tf.Tensor4D;
  /** How far right of and below equal cells the layer's own lie, as a share of the image's side. */
  readonly offset: number;
  /**
   * The target of each image as a function of this layer's features, whatever lies between.
   *
   * @param features `[n * batch, height, width, channels]`; rows i, batch + i, ... are variants of image i.
   * @returns `[n * batch]`; it can be differentiated.
   */
  readonly valueAt: (features: tf.Tensor4D, options?: { rectifier?: Rectifier }) => tf.Tensor1D;
  /** The dense layer, where mean pooling and one dense layer follow right after. */
  readonly dense: () => Dense | undefined;
}

export interface Dense {
  /** `[channels, outputs]`. */
  readonly kernel: tf.Tensor2D;
  /** The derivative of the target by the layer's outputs, `[batch, outputs]`. */
  readonly gradient: tf.Tensor2D;
}

/** Where a method works. */
export interface SaliencyPlace {
  /** The layer that is masked. */
  readonly at: SaliencyPoint;
  /** The layer whose filters are weighed: the same, or the source where `at` is the image. */
  readonly of: SaliencyPoint;
}

export interface Saliency {
  /**
   * Signed relevance of each element, in no unit: `[batch, height, width, channels]` of `at` for methods that tell elements apart, else
   * of `of`.
   */
  readonly elements: tf.Tensor4D;
  /** Of the filters of `of`, `[batch, 1, 1, channels]`, signed. */
  readonly weights?: tf.Tensor4D;
}

/** Called inside `tf.tidy`. */
export type SaliencyMethod = (place: SaliencyPlace) => Saliency;

/** d target / d features at some features `[n * batch, height, width, channels]`; of the same shape. */
export function gradientAt(
  { valueAt }: SaliencyPoint,
  features: tf.Tensor4D,
  { rectifier }: { rectifier?: Rectifier } = {},
): tf.Tensor4D {
  // Images do not mix on the way, so the gradient of the sum holds each image's own.
  return tf.grad((at: tf.Tensor) => tf.sum(valueAt(at as tf.Tensor4D, { rectifier })))(features) as tf.Tensor4D;
}

/** What filter weights say of each element: `w (f - r)`. */
export function weighed(weights: tf.Tensor4D, { difference }: SaliencyPoint): Saliency {
  return { weights, elements: tf.mul(weights, difference) };
}
