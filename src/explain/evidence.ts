/** What the answer, and what an aspect, takes from each element of a representation, and how far the two overlap. */

import * as tf from "@tensorflow/tfjs";

/** Keeps 0 / 0 at 0. */
const TINY = 1e-30;

/**
 * The answer's evidence `c = g (f - r) N`, for (positive) or against (negative). N, at each place, is the share of the evidence
 * that is not cancelled there: `relu(sum_k g_k (f_k - r_k)) / sum_k relu(g_k (f_k - r_k))`. It quietens places where channels
 * argue with one another, which the element-wise gradient alone takes for evidence (FACTS).
 *
 * Signs stay: what speaks against the answer tells as much about whose features it reads as what speaks for it, and two
 * gradients that have nothing to do with one another then cancel instead of overlapping by chance.
 *
 * @param gradient `[batch, height, width, channels]`, d target / d f, the mean at f and half way.
 * @param difference the same shape, features minus reference.
 * @returns the same shape; the caller disposes it.
 */
export function answerEvidence(gradient: tf.Tensor4D, { difference }: { difference: tf.Tensor4D }): tf.Tensor4D {
  return tf.tidy(() => {
    const product = tf.mul(gradient, difference);
    const net = tf.relu(tf.sum(product, 3, true)); // [batch, height, width, 1]
    const gross = tf.maximum(tf.sum(tf.relu(product), 3, true), TINY);
    return tf.mul(product, tf.div(net, gross));
  });
}

/**
 * An aspect's evidence `p = a (f - r)`, signed.
 *
 * @param gradient `[batch, height, width, channels]`, d (sum over the region of the head's output) / d f, half way.
 * @param difference the same shape, features minus reference.
 * @returns the same shape; the caller disposes it.
 */
export function aspectEvidence(gradient: tf.Tensor4D, { difference }: { difference: tf.Tensor4D }): tf.Tensor4D {
  return tf.mul(gradient, difference);
}

/** `[batch, height, width, 1]`: the sum over channels of `c^2`; the caller disposes it. */
export function evidenceMap(evidence: tf.Tensor4D): tf.Tensor4D {
  return tf.tidy(() => tf.sum(tf.square(evidence), 3, true));
}

/** `[batch, height, width, 2]`: the sums over channels of `c p` and of `p^2`; the caller disposes it. */
export function overlapMap(answer: tf.Tensor4D, aspect: tf.Tensor4D): tf.Tensor4D {
  return tf.tidy(() => tf.concat([tf.sum(tf.mul(answer, aspect), 3, true), evidenceMap(aspect)], 3));
}

/**
 * The sums over channels of `p_a p_b` of several aspects.
 *
 * @param evidences n times `[batch, height, width, channels]`.
 * @returns `[batch, height, width, n * n]`, the products of aspect a in row a; the caller disposes it.
 */
export function pairMap(evidences: readonly tf.Tensor4D[]): tf.Tensor4D {
  return tf.tidy(() => {
    const [batch, height, width, channels] = evidences[0].shape;
    const places = [batch * height * width, evidences.length, channels] as [number, number, number];
    const rows = tf.reshape(tf.stack([...evidences], 3), places);
    const products = tf.matMul(rows, rows, false, true); // [batch * height * width, n, n]
    return tf.reshape(products, [batch, height, width, evidences.length ** 2]);
  });
}
