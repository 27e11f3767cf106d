/** The target when the elements that carry an aspect's evidence fade to the reference. */

import * as tf from "@tensorflow/tfjs";
import { targetPort } from "../../core/graph-ports.js";
import { rowQuantiles } from "../../ops/row-quantiles.js";
import { TINY } from "../../ops/tiny.js";
import { REMOVAL_QUANTILE } from "../relevance-constants.js";
import { applyMask } from "./masking.js";
import type { Steps } from "./steps.js";

/**
 * Outputs of `[batch]` each: `target`, the target itself; for each aspect `<aspect>/removed`, the target with
 * `r + (f - r) (1 - clip(p / p95(p), 0, 1))` at the aspect's taps, p its evidence; and `<aspect>/referenced`, the target
 * with the reference at its taps.
 */
export function removedTargets(steps: Steps): Record<string, tf.Tensor> {
  const outputs: Record<string, tf.Tensor> = { target: steps.target };
  for (const [name, { taps, evidence }] of Object.entries(steps.aspects)) {
    const replaced = (features: (tap: string, index: number) => tf.Tensor4D) =>
      steps.targetAt(Object.fromEntries(taps.map((tap, index) => [tap, features(tap, index)])));
    outputs[targetPort(name, "removed")] = replaced((tap, index) => {
      const { difference, reference } = steps.taps[tap];
      return applyMask(difference, { mask: withoutEvidence(evidence[index]), reference });
    });
    outputs[targetPort(name, "referenced")] = replaced((tap) => {
      const { features, reference } = steps.taps[tap];
      return tf.broadcastTo(reference, features.shape);
    });
  }
  return outputs;
}

/** `1 - clip(p / p95(p), 0, 1)`, the quantile over all elements of an image. */
function withoutEvidence(evidence: tf.Tensor4D): tf.Tensor4D {
  const scale = rowQuantiles(tf.reshape(evidence, [evidence.shape[0], -1]), REMOVAL_QUANTILE);
  const share = tf.div(evidence, tf.reshape(tf.maximum(scale, TINY), [-1, 1, 1, 1]));
  return tf.sub(1, tf.clipByValue(share, 0, 1));
}
