/** `explain.onnx` as a function: which tensors of `explanationSteps` leave the graph, under which names. */

import * as tf from "@tensorflow/tfjs";
import { answerPort, overlapPort, tapPort } from "../../core/graph-ports.js";
import type { TensorFunction } from "../../engine/engine.js";
import type { Model } from "../../model/model.js";
import { evidenceMap, overlapMap, pairSums, rootEvidence } from "./evidence.js";
import { scoresOf } from "./logit-target.js";
import { checkOptions, type ExplainOptions } from "./options.js";
import { explanationSteps, type Steps } from "./steps.js";

/**
 * `explain.onnx` as a function, of `[batch, ...]`; inputs and constants as `explanationSteps`. `core/graph-ports.ts`
 * makes the names of its outputs, docs/explanations.md says what the letters mean:
 *
 * | output | shape | |
 * |---|---|---|
 * | `logits`, `scores` | `[batch, classes]` | of the classifier |
 * | `<aspect>/unmasked`, `/masked`, `/reference` | `[batch, ...head.outputShape]` | u, v, e |
 * | `<aspect>/overlap/<tap>` | `[batch, h, w, 2]` | sums over channels of `d p` and `p^2` |
 * | `evidence/<tap>` | `[batch, h, w, 2]` | net evidence of each place, and the sum over channels of `\|c\|` |
 * | `pairs/<tap>` | `[batch, n (n - 1) / 2]` | `<p_a, p_b>` of the tap's n aspects, in the model's order; n > 1 |
 * | `saliency/<tap>` | `[batch, h, w, 1]` | L |
 * | `filterWeights/<tap>` | `[batch, 1, 1, channels]` | w, where the method has them |
 *
 * @throws ConfigError as `checkOptions`, at once.
 */
export function explainFunction(model: Model, options: ExplainOptions = {}): TensorFunction {
  checkOptions(model, options);
  return (given) => tf.tidy(() => ({ outputs: explanationOutputs(model, explanationSteps(model, given, options)) }));
}

/** The outputs of `explain.onnx`, by name. */
export function explanationOutputs({ classifier }: Model, { logits, taps, aspects }: Steps): Record<string, tf.Tensor> {
  const outputs: Record<string, tf.Tensor> = { logits, scores: scoresOf(logits, classifier.spec) };
  const roots = Object.fromEntries(
    Object.entries(taps).map(([tap, { evidence }]) => [tap, rootEvidence(evidence.elements)]),
  );
  for (const [name, { unmasked, masked, reference, evidence, taps: from }] of Object.entries(aspects)) {
    outputs[answerPort(name, "unmasked")] = unmasked;
    outputs[answerPort(name, "masked")] = masked;
    outputs[answerPort(name, "reference")] = reference;
    for (const [index, tap] of from.entries()) {
      outputs[overlapPort(name, tap)] = overlapMap(roots[tap], evidence[index]);
    }
  }
  for (const [tap, { weights, map, evidence }] of Object.entries(taps)) {
    const own = Object.values(aspects).flatMap(({ evidence, taps: from }) =>
      from.includes(tap) ? [evidence[from.indexOf(tap)]] : [],
    );
    if (own.length > 1) outputs[tapPort("pairs", tap)] = pairSums(own);
    if (weights) outputs[tapPort("filterWeights", tap)] = weights;
    outputs[tapPort("saliency", tap)] = map;
    outputs[tapPort("evidence", tap)] = evidenceMap(evidence);
  }
  return outputs;
}
