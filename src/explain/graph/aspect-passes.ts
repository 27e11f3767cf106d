/** Runs one aspect head on a layer's features, on the masked ones and on the reference, and finds its evidence. */

import * as tf from "@tensorflow/tfjs";
import type { Head } from "../../heads/head.js";
import type { AspectSpec } from "../../heads/head-spec.js";
import { evidenceLogit, region } from "../../heads/region.js";
import type { Parameters } from "../../trunk/trunk.js";
import { aspectEvidence } from "./evidence.js";

/** One masked layer, all `[batch, height, width, channels]` but the reference, `[batch, 1, 1, channels]`. */
export interface MaskedTap {
  readonly features: tf.Tensor4D;
  readonly masked: tf.Tensor4D;
  readonly reference: tf.Tensor4D;
  /** Features minus reference. */
  readonly difference: tf.Tensor4D;
}

/** What one head says, and from what: u, v, e and p of docs/explanations.md. */
export interface AspectPasses {
  /** Before the sigmoid, `[batch, ...head.outputShape]` each: u, v and e. */
  readonly unmasked: tf.Tensor;
  readonly masked: tf.Tensor;
  readonly reference: tf.Tensor;
  /** Of a head that has a network to itself: what it says of mapped features that nothing masked. */
  readonly mapped?: tf.Tensor;
  /** p of each masked layer, in their order, `[batch, height, width, channels]`. */
  readonly evidence: readonly tf.Tensor4D[];
}

/**
 * u, v and e share one batch. The gradient is taken in a pass of its own, half way between reference and features: in
 * the shared batch three of four rows would carry gradients that are all zero.
 *
 * @param options.taps the layers that are masked for this head.
 * @param options.mapped from features of those layers to features of the head's taps, in the order of `head.spec.taps`.
 * @param options.own of a head that has a network to itself: what it says of that network's own image.
 * @returns tensors that the caller disposes.
 */
export function aspectPasses(
  head: Head<AspectSpec>,
  {
    parameters,
    taps,
    mapped,
    own,
  }: {
    parameters: Parameters;
    taps: readonly MaskedTap[];
    mapped: (features: readonly tf.Tensor4D[]) => readonly tf.Tensor4D[];
    own?: tf.Tensor;
  },
): AspectPasses {
  // r at every place as f - (f - r), right to the last bit of f: broadcasting it costs ONNX Runtime a transposition.
  const stacked = taps.map(({ features, masked, difference }) =>
    tf.concat<tf.Tensor4D>([features, masked, tf.sub(features, difference)], 0),
  );
  const [whole, masked, reference] = tf.split(head.forward(parameters, mapped(stacked)), 3);
  const unmasked = own ?? whole;
  const inRegion = region(head, unmasked);
  const halfWay = taps.map((tap) => tf.mul(tf.add(tap.features, tap.reference), 0.5));
  const spread = { spreadsMaximum: true };
  const gradients = tf.grads((...at: tf.Tensor[]) =>
    tf.sum(tf.mul(evidenceLogit(head, head.forward(parameters, mapped(at as tf.Tensor4D[]), spread)), inRegion)),
  )(halfWay);
  const evidence = taps.map(({ difference }, index) => aspectEvidence(gradients[index] as tf.Tensor4D, { difference }));
  return { unmasked, masked, reference, evidence, ...(own && { mapped: whole }) };
}
