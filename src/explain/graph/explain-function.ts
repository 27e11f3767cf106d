/** `explain.onnx` as a function: which tensors of `explanationSteps` leave the graph, under which names. */

import * as tf from "@tensorflow/tfjs";
import { answerPort, overlapPort, tapPort } from "../../core/graph-ports.js";
import type { TensorFunction } from "../../engine/engine.js";
import type { Model } from "../../model/model.js";
import { evidenceMap, overlapMap, pairSums, rootEvidence } from "./evidence.js";
import { scoresOf } from "./logit-target.js";
import { checkOptions, type ExplainOptions } from "./options.js";
import type { MappedSaliency } from "./saliency/saliency-at.js";
import { explanationSteps, type Steps } from "./steps.js";

/**
 * `explain.onnx` as a function, of `[batch, ...]`; inputs and constants as `explanationSteps`. `core/graph-ports.ts`
 * makes the names of its outputs, docs/explanations.md says what the letters mean:
 *
 * | output | shape | |
 * |---|---|---|
 * | `logits`, `scores` | `[batch, classes]` | of the classifier |
 * | `<aspect>/unmasked`, `/masked`, `/reference` | `[batch, ...head.outputShape]` | u, v, e; `/unmasked` alone of the aspect that is the target |
 * | `<aspect>/mapped` | the same | of a head that has a network to itself, on mapped features that nothing masked |
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
export function explanationOutputs(model: Model, steps: Steps): Record<string, tf.Tensor> {
  const { taps, aspects } = steps;
  const outputs = { ...answerOutputs(model, steps), ...overlapOutputs(taps, aspects), ...pairOutputs(steps) };
  for (const [name, { masked }] of Object.entries(aspects)) outputs[answerPort(name, "masked")] = masked;
  for (const [tap, { weights, map }] of Object.entries(taps)) {
    if (weights) outputs[tapPort("filterWeights", tap)] = weights;
    outputs[tapPort("saliency", tap)] = map;
  }
  return outputs;
}

/** What classifier and aspect heads say of the image and of the reference, whatever the method. */
export function answerOutputs(
  { classifier }: Model,
  { logits, aspects, targetAspect }: Steps,
): Record<string, tf.Tensor> {
  const outputs: Record<string, tf.Tensor> = { logits, scores: scoresOf(logits, classifier.spec) };
  if (targetAspect) outputs[answerPort(targetAspect.name, "unmasked")] = targetAspect.unmasked;
  for (const [name, { unmasked, reference, mapped }] of Object.entries(aspects)) {
    outputs[answerPort(name, "unmasked")] = unmasked;
    outputs[answerPort(name, "reference")] = reference;
    if (mapped) outputs[answerPort(name, "mapped")] = mapped;
  }
  return outputs;
}

/** The answer's evidence by one method, and its overlap with each aspect's. */
export function overlapOutputs(
  taps: Readonly<Record<string, Pick<MappedSaliency, "evidence">>>,
  aspects: Steps["aspects"],
): Record<string, tf.Tensor> {
  const outputs: Record<string, tf.Tensor> = {};
  for (const [tap, { evidence }] of Object.entries(taps)) {
    const root = rootEvidence(evidence.elements);
    outputs[tapPort("evidence", tap)] = evidenceMap(evidence);
    for (const [name, { evidence, taps: from }] of Object.entries(aspects)) {
      if (from.includes(tap)) outputs[overlapPort(name, tap)] = overlapMap(root, evidence[from.indexOf(tap)]);
    }
  }
  return outputs;
}

/** What the aspects of a layer have in common with each other. */
export function pairOutputs({ taps, aspects }: Steps): Record<string, tf.Tensor> {
  const outputs: Record<string, tf.Tensor> = {};
  for (const tap of Object.keys(taps)) {
    const own = Object.values(aspects).flatMap(({ evidence, taps: from }) =>
      from.includes(tap) ? [evidence[from.indexOf(tap)]] : [],
    );
    if (own.length > 1) outputs[tapPort("pairs", tap)] = pairSums(own);
  }
  return outputs;
}
