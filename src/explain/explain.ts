/** The five steps of an explanation in their order, as one function that an engine can trace. */

import * as tf from "@tensorflow/tfjs";
import type { TensorFunction, Tensors } from "../engine/engine.js";
import { answer, type Model } from "../model.js";
import { type AspectReadings, aspectReadings } from "./aspect-readings.js";
import { answerEvidence, evidenceMap, overlapMap } from "./evidence.js";
import type { MaskingName } from "./explanation.js";
import { identity, type Mapping } from "./mapping/identity.js";
import { fade, maskOf } from "./masking.js";
import { filterWeights, gradCamMap } from "./saliency/grad-cam.js";
import { targetGradients } from "./saliency/target-gradients.js";
import { checkTaps, explainedTaps } from "./taps.js";
import { referenceOf, resolveTarget, scoresOf, targetValue } from "./target.js";

export interface ExplainOptions {
  readonly masking?: MaskingName;
  readonly mapping?: Mapping;
}

/** What the target reads at one tap. Shapes as in the functions that make them. */
export interface TapSaliency {
  readonly features: tf.Tensor4D;
  readonly reference: tf.Tensor4D;
  readonly difference: tf.Tensor4D;
  readonly weights: tf.Tensor4D;
  readonly map: tf.Tensor4D;
  readonly masked: tf.Tensor4D;
  readonly evidence: tf.Tensor4D;
}

/** Everything that the steps compute, for the explanation and for calibration to choose from. */
export interface Steps {
  /** `[batch, classes]`. */
  readonly logits: tf.Tensor2D;
  /** The target's weights with the default filled in, `[batch, classes]`. */
  readonly weights: tf.Tensor2D;
  readonly taps: Readonly<Record<string, TapSaliency>>;
  /** By name, in the order of the model. */
  readonly aspects: Readonly<Record<string, AspectReadings>>;
  /** The logits with some layers' features replaced. */
  readonly logitsAt: (features: Readonly<Record<string, tf.Tensor4D>>) => tf.Tensor2D;
}

/**
 * Runs the steps of DESIGN section 1; call it inside `tf.tidy`.
 *
 * @param inputs `image` `[batch, S, S, 3]` RGB 0..255, and `target` `[batch, classes]` (1 for a regression): weights of the
 *   logits, all zero for the predicted class.
 * @param constants the folded parameters by name, and `reference/<tap>` `[classes + 1, channels]`.
 */
export function explanationSteps(
  model: Model,
  { inputs, constants }: { inputs: Tensors; constants: Tensors },
  { masking = "filter-weights", mapping = identity }: ExplainOptions = {},
): Steps {
  const { spec } = model.classifier;
  const image = inputs.image as tf.Tensor4D;

  // 1. The answer, and what to explain.
  const layers = [...new Set([...explainedTaps(model), ...spec.taps])];
  const layerValues = model.trunk.run(constants, { input: image }, layers);
  const logits = answer(model.classifier, constants, layerValues) as tf.Tensor2D;
  const weights = resolveTarget(logits, inputs.target as tf.Tensor2D, spec);
  const value = (at: tf.Tensor2D) => targetValue(at, weights, spec);
  const logitsAt: Steps["logitsAt"] = (replaced) =>
    answer(
      model.classifier,
      constants,
      model.trunk.run(constants, { input: image, ...replaced }, spec.taps),
    ) as tf.Tensor2D;

  const taps = Object.fromEntries(
    explainedTaps(model).map((tap) => {
      const features = layerValues[tap];
      const reference = referenceOf(constants[`reference/${tap}`] as tf.Tensor2D, weights, spec);
      const difference: tf.Tensor4D = tf.sub(features, reference);

      // 2. What each element of the representation means to it.
      const gradients = targetGradients((at) => logitsAt({ [tap]: at }), { features, reference, value });
      const saliency = filterWeights(gradients.atFeatures);
      const map = gradCamMap(difference, saliency);
      const evidence = answerEvidence(gradients.mean, { difference });

      // 3. The representation masked with that.
      const masked = fade(difference, { mask: maskOf({ weights: saliency, map }, { masking }), reference });
      return [tap, { features, reference, difference, weights: saliency, map, masked, evidence }];
    }),
  );

  const aspects = Object.fromEntries(
    model.aspects.map((head) => {
      // 4. Carried to the layer that the aspect head reads.
      const readings = head.spec.taps.map((tap) => ({ ...taps[tap], masked: mapping(taps[tap].masked, tap, tap) }));

      // 5. What the head still recognises.
      return [head.spec.name, aspectReadings(head, { parameters: constants, taps: readings })];
    }),
  );
  return { logits, weights, taps, aspects, logitsAt };
}

/**
 * The function behind `explain.onnx`; inputs and constants as `explanationSteps`.
 *
 * @returns a function whose outputs are `logits`, `scores` `[batch, classes]`; for each aspect `<aspect>/unmasked`, `/masked` and
 *   `/reference` before the sigmoid; for each tap `filterWeights/<tap>` `[batch, 1, 1, channels]`, `saliency/<tap>` and
 *   `evidence/<tap>` `[batch, h, w, 1]`; for each aspect and its taps `<aspect>/overlap/<tap>` `[batch, h, w, 2]`.
 * @throws ConfigError as `checkTaps`, at once.
 */
export function explainFunction(model: Model, options: ExplainOptions = {}): TensorFunction {
  checkTaps(model);
  return (given) => tf.tidy(() => ({ outputs: explanationOutputs(model, explanationSteps(model, given, options)) }));
}

/** The outputs of `explain.onnx`, by name. */
export function explanationOutputs(model: Model, { logits, taps, aspects }: Steps): Record<string, tf.Tensor> {
  const outputs: Record<string, tf.Tensor> = { logits, scores: scoresOf(logits, model.classifier.spec) };
  for (const { spec } of model.aspects) {
    const { unmasked, masked, reference, evidence } = aspects[spec.name];
    outputs[`${spec.name}/unmasked`] = unmasked;
    outputs[`${spec.name}/masked`] = masked;
    outputs[`${spec.name}/reference`] = reference;
    for (const [index, tap] of spec.taps.entries()) {
      outputs[`${spec.name}/overlap/${tap}`] = overlapMap(taps[tap].evidence, evidence[index]);
    }
  }
  for (const [tap, { weights, map, evidence }] of Object.entries(taps)) {
    outputs[`filterWeights/${tap}`] = weights;
    outputs[`saliency/${tap}`] = map;
    outputs[`evidence/${tap}`] = evidenceMap(evidence);
  }
  return outputs;
}
