/** The answer's evidence c, an aspect's p, and the sums in which the two overlap (docs/explanations.md). */

import * as tf from "@tensorflow/tfjs";
import { TINY } from "../../ops/tiny.js";

/** The answer's evidence at one layer; the caller disposes the tensors. */
export interface AnswerEvidence {
  /** c, `[batch, height, width, channels]`. */
  readonly elements: tf.Tensor4D;
  /** `sum_k g_k (f_k - r_k)` at each place, for (positive) or against (negative), `[batch, height, width, 1]`. */
  readonly net: tf.Tensor4D;
}

/**
 * The answer's evidence `c = g (f - r) N`, for (positive) or against (negative). N, at each place, is the share of the
 * evidence that is not cancelled there: `relu(sum_k g_k (f_k - r_k)) / sum_k relu(g_k (f_k - r_k))`. It lowers places
 * where channels speak for and against the answer at once, which the element-wise gradient alone takes for evidence.
 *
 * Signs stay: what speaks against the answer tells as much about whose features it reads as what speaks for it, and
 * unrelated gradients then cancel in the sums instead of overlapping by accident.
 *
 * @param gradient `[batch, height, width, channels]`, d target / d f, half way.
 * @param difference the same shape, features minus reference.
 */
export function answerEvidence(gradient: tf.Tensor4D, { difference }: { difference: tf.Tensor4D }): AnswerEvidence {
  const [elements, net] = tf.tidy(() => {
    const product = tf.mul(gradient, difference);
    const net = tf.sum<tf.Tensor4D>(product, 3, true);
    const gross = tf.maximum(tf.sum(tf.relu(product), 3, true), TINY);
    return [tf.mul<tf.Tensor4D>(product, tf.div(tf.relu(net), gross)), net];
  });
  return { elements, net };
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

/**
 * d, `sign(c) sqrt(|c|)`. A few strong channels make up most of `c`, and whatever reads those would seem to be what the
 * answer reads; in the root, what many channels agree on counts (the power normalization of Perronnin et al. 2010,
 * doi:10.1007/978-3-642-15561-1_11). Only of the answer's evidence: an aspect's own says which channels are the
 * aspect's, and how much.
 *
 * @returns the same shape; the caller disposes it.
 */
export function rootEvidence(answer: tf.Tensor4D): tf.Tensor4D {
  return tf.tidy(() => tf.div(answer, tf.sqrt(tf.maximum(tf.abs(answer), TINY))));
}

/**
 * `[batch, height, width, 2]`: at each place the net evidence, and the sum over channels of `|c|`, which is that of
 * `d^2`; the caller disposes it.
 */
export function evidenceMap({ elements, net }: AnswerEvidence): tf.Tensor4D {
  return tf.tidy(() => tf.concat([net, tf.sum(tf.abs(elements), 3, true)], 3));
}

/**
 * `[batch, height, width, 2]`: the sums over channels of `sign(c) sqrt(|c|) p` and of `p^2`; the caller disposes it.
 *
 * @param root of the answer's evidence, of `rootEvidence`.
 */
export function overlapMap(root: tf.Tensor4D, aspect: tf.Tensor4D): tf.Tensor4D {
  return tf.tidy(() => tf.concat([tf.sum(tf.mul(root, aspect), 3, true), tf.sum(tf.square(aspect), 3, true)], 3));
}

/**
 * What each two of several aspects share, `<p_a, p_b>` over the whole layer.
 *
 * @param evidences n times `[batch, height, width, channels]`, n at least 2.
 * @returns `[batch, n (n - 1) / 2]`, in the order (0, 1), (0, 2), ..., (1, 2), ...; the caller disposes it.
 */
export function pairSums(evidences: readonly tf.Tensor4D[]): tf.Tensor2D {
  return tf.tidy(() => {
    const [batch, count] = [evidences[0].shape[0], evidences.length];
    // Channels first, as ONNX Runtime holds them: of a sum over all elements their order does not matter.
    const rows = tf.stack(
      evidences.map((evidence) => tf.reshape(tf.transpose(evidence, [0, 3, 1, 2]), [batch, -1])),
      1,
    );
    const all = tf.reshape(tf.matMul(rows, rows, false, true), [batch, count * count]);
    const pairs = evidences.flatMap((_, a) => evidences.slice(a + 1).map((_, b) => a * count + a + 1 + b));
    return tf.gather(all, tf.tensor1d(pairs, "int32"), 1) as tf.Tensor2D;
  });
}
