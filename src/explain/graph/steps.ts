/** The five steps of an explanation in their order, as one function that an engine can trace. */

import * as tf from "@tensorflow/tfjs";
import type { TensorFunction, Tensors } from "../../engine/engine.js";
import { answer, type Model } from "../../model/model.js";
import type { MethodChoice } from "../explanation.js";
import { checkPair, type MaskingName, methodOf } from "../methods.js";
import { type AspectReadings, aspectReadings } from "./aspect-passes.js";
import { evidenceMap, overlapMap, pairSums, rootEvidence } from "./evidence.js";
import { pointsOf } from "./explained-layer.js";
import { checkCam, checkTaps, explainedTaps, explainingHeads } from "./explained-taps.js";
import { classTarget, innerTarget, targetLayers } from "./explained-target.js";
import { resolveTarget, scoresOf } from "./logit-target.js";
import { MAPPINGS, type MappingOf } from "./mapping/mappings.js";
import { fade, maskOf } from "./masking.js";
import { type MappedSaliency, saliencyAt } from "./saliency/saliency-at.js";

export interface ExplainOptions extends Omit<MethodChoice, "mapping"> {
  readonly mapping?: MethodChoice["mapping"] | MappingOf;
}

/** What the target reads at one tap. Shapes as in the functions that make them. */
export interface TapSaliency extends MappedSaliency {
  readonly features: tf.Tensor4D;
  readonly reference: tf.Tensor4D;
  readonly difference: tf.Tensor4D;
  readonly masked: tf.Tensor4D;
}

/** Everything that the steps compute, for the explanation and for calibration to choose from. */
export interface Steps {
  /** `[batch, classes]`. */
  readonly logits: tf.Tensor2D;
  /** The target of each image, `[batch]`. */
  readonly target: tf.Tensor1D;
  readonly taps: Readonly<Record<string, TapSaliency>>;
  /** By name, in the order of the model. */
  readonly aspects: Readonly<Record<string, AspectReadings & { readonly taps: readonly string[] }>>;
  /** What each aspect head says of the representation masked in another way, before the sigmoid. */
  readonly maskedBy: (masking: MaskingName) => Readonly<Record<string, tf.Tensor>>;
  /** The target with some layers' features replaced, `[batch]`. */
  readonly targetAt: (features: Readonly<Record<string, tf.Tensor4D>>) => tf.Tensor1D;
}

/**
 * Runs the steps of docs/explanations.md; call it inside `tf.tidy`.
 *
 * @param inputs `image` `[batch, S, S, 3]` RGB 0..255, and `target` `[batch, classes]` (1 for a regression): weights of the
 *   logits, all zero for the predicted class; an inner target does not read it.
 * @param constants the folded parameters by name, and `reference/<tap>` `[classes + 1, channels]`.
 */
export function explanationSteps(
  model: Model,
  { inputs, constants }: { inputs: Tensors; constants: Tensors },
  options: ExplainOptions = {},
): Steps {
  const { saliency, masking, mapping, tap, target: inner, isLogit } = checkOptions(model, options);
  const { classifier, trunk } = model;
  const image = inputs.image as tf.Tensor4D;

  // 1. The answer, and what to explain.
  const explained = explainedTaps(model, { tap, target: inner });
  const layers = new Set([...explained, model.spec.source, ...classifier.spec.taps, ...targetLayers(model, inner)]);
  const layerValues = { ...trunk.run(constants, { input: image }, [...layers]), input: image };
  const logits = answer(classifier, constants, layerValues) as tf.Tensor2D;
  const target = inner
    ? innerTarget(model, inner, { constants, features: layerValues })
    : classTarget(model, {
        constants,
        logits,
        weights: resolveTarget(logits, inputs.target as tf.Tensor2D, classifier.spec),
        isLogit,
      });
  const points = pointsOf(model, { constants, layerValues, target });

  const taps = Object.fromEntries(
    explained.map((name) => {
      // 2. What each element of the representation means to it.
      const at = points(name);
      const of = name === "input" ? points(model.spec.source) : at;
      const found = saliencyAt(saliency, { at, of });

      // 3. The representation masked with that.
      const { features, reference, difference } = at;
      return [name, { ...found, features, reference, difference, masked: maskedAt(found, at, masking) }];
    }),
  );

  // 4. Carried to the layers that an aspect head reads.
  const carry = (typeof mapping === "string" ? MAPPINGS[mapping] : mapping)(model, constants);
  const heads = explainingHeads(model, inner).map((head) => ({
    head,
    from: tap === undefined ? head.spec.taps : [tap],
    mapped: (features: readonly tf.Tensor4D[]) =>
      head.spec.taps.map((to, index) =>
        tap === undefined ? carry(features[index], to, to) : carry(features[0], tap, to),
      ),
  }));

  // 5. What the head still recognises.
  const aspects = Object.fromEntries(
    heads.map(({ head, from, mapped }) => {
      const readings = aspectReadings(head, { parameters: constants, taps: from.map((name) => taps[name]), mapped });
      return [head.spec.name, { ...readings, taps: from }];
    }),
  );
  const maskedBy: Steps["maskedBy"] = (other) =>
    Object.fromEntries(
      heads.map(({ head, from, mapped }) => {
        const features = from.map((name) => maskedAt(taps[name], taps[name], other));
        return [head.spec.name, head.forward(constants, mapped(features))];
      }),
    );
  const targetAt: Steps["targetAt"] = (replaced) =>
    target.value(trunk.run(constants, { input: image, ...replaced }, target.layers));
  return { logits, target: target.value(layerValues), taps, aspects, maskedBy, targetAt };
}

/** The representation of a layer, masked. */
function maskedAt(
  { weights, grained }: Pick<MappedSaliency, "weights" | "grained">,
  { difference, reference }: Pick<TapSaliency, "difference" | "reference">,
  masking: MaskingName,
): tf.Tensor4D {
  return fade(difference, { mask: maskOf({ weights, map: grained }, { masking }), reference });
}

/**
 * The function behind `explain.onnx`; inputs and constants as `explanationSteps`.
 *
 * @returns a function whose outputs are `logits`, `scores` `[batch, classes]`; for each aspect `<aspect>/unmasked`, `/masked` and
 *   `/reference` before the sigmoid; for each tap `filterWeights/<tap>` `[batch, 1, 1, channels]` (where the method has them),
 *   `saliency/<tap>` `[batch, h, w, 1]` and `evidence/<tap>` `[batch, h, w, 2]`; for each aspect and its taps `<aspect>/overlap/<tap>` `[batch, h, w, 2]`; for
 *   each tap of n aspects, more than one, `pairs/<tap>` `[batch, n (n - 1) / 2]`, the aspects in the model's order.
 * @throws ConfigError as `checkOptions`, at once.
 */
export function explainFunction(model: Model, options: ExplainOptions = {}): TensorFunction {
  checkOptions(model, options);
  return (given) => tf.tidy(() => ({ outputs: explanationOutputs(model, explanationSteps(model, given, options)) }));
}

/** The outputs of `explain.onnx`, by name. */
export function explanationOutputs({ classifier }: Model, { logits, taps, aspects }: Steps): Record<string, tf.Tensor> {
  const outputs: Record<string, tf.Tensor> = { logits, scores: scoresOf(logits, classifier.spec) };
  const roots = Object.fromEntries(Object.entries(taps).map(([tap, { evidence }]) => [tap, rootEvidence(evidence)]));
  for (const [name, { unmasked, masked, reference, evidence, taps: from }] of Object.entries(aspects)) {
    outputs[`${name}/unmasked`] = unmasked;
    outputs[`${name}/masked`] = masked;
    outputs[`${name}/reference`] = reference;
    for (const [index, tap] of from.entries()) {
      outputs[`${name}/overlap/${tap}`] = overlapMap(roots[tap], evidence[index]);
    }
  }
  for (const [tap, { weights, map, evidence }] of Object.entries(taps)) {
    const own = Object.values(aspects).flatMap(({ evidence, taps: from }) =>
      from.includes(tap) ? [evidence[from.indexOf(tap)]] : [],
    );
    if (own.length > 1) outputs[`pairs/${tap}`] = pairSums(own);
    if (weights) outputs[`filterWeights/${tap}`] = weights;
    outputs[`saliency/${tap}`] = map;
    outputs[`evidence/${tap}`] = evidenceMap(evidence);
  }
  return outputs;
}

/**
 * Fills in the defaults.
 *
 * @throws ConfigError as `checkTaps`, `checkPair` and `checkCam`.
 */
export function checkOptions(model: Model, options: ExplainOptions) {
  const { mapping = "identity", tap, target, isLogit } = options;
  const { saliency, masking } = methodOf(options);
  checkPair(saliency, masking, { atInput: tap === "input" });
  checkTaps(model, { tap, target });
  if (saliency === "cam") checkCam(model, { tap, target });
  return { saliency, masking, mapping, tap, target, isLogit };
}
