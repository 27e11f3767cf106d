/**
 * A class target as a differentiable function of the logits inside one static graph, with the default class filled in
 * there, and the reference that goes with it.
 */

import * as tf from "@tensorflow/tfjs";
import type { Task } from "../../core/annotation.js";
import type { TargetScale } from "../target.js";

/** Far below any logit, so that a class drops out of a logsumexp; finite, so that 0 times it stays 0. */
const FAR_BELOW = 1e9;

/**
 * Weights of the logits with the default filled in: all zero means the predicted class (`single`), the highest-scoring
 * label (`multi`), the value itself (`regression`).
 *
 * @param logits `[batch, classes]`, at the features that are explained.
 * @param target `[batch, classes]`.
 * @returns `[batch, classes]`; a constant to gradients, computed outside any tape; the caller disposes it.
 */
export function resolveTarget(logits: tf.Tensor2D, target: tf.Tensor2D, { task }: { task: Task }): tf.Tensor2D {
  return tf.tidy(() => {
    const isDefault = tf.cast(tf.equal(tf.sum(tf.abs(target), 1, true), 0), "float32"); // [batch, 1]
    // One label alone is the highest-scoring one; `oneHot` wants two.
    if (task === "regression" || logits.shape[1] === 1) return tf.add(target, isDefault);
    const best = tf.cast(tf.oneHot(tf.argMax(logits, 1), logits.shape[1]), "float32"); // [batch, classes]
    return tf.add(target, tf.mul(isDefault, best));
  });
}

/**
 * The target of each image. On the scale of log-odds: `sum_k t_k z_k - (sum_k t_k) logsumexp(z_k where t_k = 0)`, so
 * that a one-hot asks for the log-odds of its class, and +1 and -1 for the margin between two. On that of logits:
 * `sum_k t_k z_k`.
 *
 * @param logits `[batch, classes]`.
 * @param weights `[batch, classes]` from `resolveTarget`.
 * @returns `[batch]`; the caller disposes it.
 */
export function targetValue(logits: tf.Tensor2D, weights: tf.Tensor2D, { scale }: { scale: TargetScale }): tf.Tensor1D {
  return tf.tidy(() => {
    const chosen = tf.sum(tf.mul(weights, logits), 1); // [batch]
    if (scale === "logit") return chosen as tf.Tensor1D;
    const isChosen = tf.cast(tf.notEqual(weights, 0), "float32");
    const others = tf.logSumExp(tf.sub(logits, tf.mul(isChosen, FAR_BELOW)), 1); // [batch]
    return tf.sub(chosen, tf.mul(tf.sum(weights, 1), others)) as tf.Tensor1D;
  });
}

/**
 * The reference representation that suits a target: of the images of the other classes where the target is one class
 * (weights that sum to 1), else of all images (a margin sums to 0).
 *
 * @param table `[classes + 1, channels]`, row k for class k, the last over all images; or that last row alone.
 * @param weights `[batch, classes]` from `resolveTarget`.
 * @returns `[batch, 1, 1, channels]`; the caller disposes it.
 */
export function referenceOf(table: tf.Tensor2D, weights: tf.Tensor2D, { task }: { task: Task }): tf.Tensor4D {
  return tf.tidy(() => {
    const [rows, channels] = table.shape;
    const batch = weights.shape[0];
    // Layers that no head reads have the one row alone.
    if (task === "regression" || rows === 1) return meanOverall(table, batch);
    const overall = tf.slice(table, [rows - 1, 0], [1, channels]);
    const share = tf.clipByValue(tf.sum(weights, 1, true), 0, 1); // [batch, 1]
    const others = tf.matMul(weights, tf.slice(table, [0, 0], [rows - 1, channels])); // [batch, channels]
    const mixed = tf.add(tf.mul(share, others), tf.mul(tf.sub(1, share), overall));
    return tf.reshape(mixed, [batch, 1, 1, channels]) as tf.Tensor4D;
  });
}

/** The last row of a table of references, over all images, `[batch, 1, 1, channels]`; the caller disposes it. */
export function meanOverall(table: tf.Tensor2D, batch: number): tf.Tensor4D {
  return tf.tidy(() => {
    const [rows, channels] = table.shape;
    const overall = tf.reshape(tf.slice(table, [rows - 1, 0], [1, channels]), [1, 1, 1, channels]);
    return tf.tile(overall, [batch, 1, 1, 1]) as tf.Tensor4D;
  });
}

/**
 * `[batch, classes]` logits as probabilities (softmax, or a sigmoid a label), divided by the temperature before, or the
 * value; the caller disposes them.
 */
export function scoresOf(
  logits: tf.Tensor2D,
  { task, temperature }: { task: Task; temperature?: number },
): tf.Tensor2D {
  if (task === "regression") return logits.clone();
  return tf.tidy(() => {
    const tempered = temperature === undefined ? logits : (tf.div(logits, temperature) as tf.Tensor2D);
    return task === "single" ? tf.softmax(tempered) : tf.sigmoid(tempered);
  });
}
