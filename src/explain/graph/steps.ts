/**
 * What `explain.onnx` computes, in order, as one function that an engine can trace: target, saliency, masking, mapping,
 * aspect heads. docs/explanations.md has the formulas.
 */

import type * as tf from "@tensorflow/tfjs";
import type { Tensors } from "../../engine/engine.js";
import { answer, type Model, networkOf, ownAnswer } from "../../model/model.js";
import { layersOf } from "../../model/model-spec.js";
import { DEFAULT_MASKING, isOfLastLayer, type MaskingName, needsWeights, type SaliencyName } from "../methods.js";
import type { InnerTarget } from "../target.js";
import { type AspectPasses, aspectPasses } from "./aspect-passes.js";
import { explainedLayer } from "./explained-layer.js";
import { explainedTaps, explainingHeads, lastLayer } from "./explained-taps.js";
import { type ExplainedTarget, explainedClass, explainedInner, targetLayers } from "./explained-target.js";
import { resolveTarget } from "./logit-target.js";
import type { Mapping } from "./mapping/mapping.js";
import { MAPPINGS } from "./mapping/mappings.js";
import { applyMask, maskOf } from "./masking.js";
import { checkOptions, type ExplainOptions } from "./options.js";
import { type MappedSaliency, saliencyAt } from "./saliency/saliency-at.js";

/** What the target reads at one tap. Shapes as in the functions that make them. */
export interface TapSaliency extends MappedSaliency {
  readonly features: tf.Tensor4D;
  readonly reference: tf.Tensor4D;
  readonly difference: tf.Tensor4D;
  readonly masked: tf.Tensor4D;
}

/** All that is computed; the explanation and calibration choose from it. */
export interface Steps {
  /** `[batch, classes]`. */
  readonly logits: tf.Tensor2D;
  /** The target of each image, `[batch]`. */
  readonly target: tf.Tensor1D;
  readonly taps: Readonly<Record<string, TapSaliency>>;
  /** By name, in the order of the model. */
  readonly aspects: Readonly<Record<string, AspectPasses & { readonly taps: readonly string[] }>>;
  /** Of a target that an aspect's head gives, that head's answer. */
  readonly targetAspect: ExplainedTarget["aspect"];
  /** What another saliency method finds at the same taps; the aspects' evidence is the same by all. */
  readonly saliencyBy: (saliency: SaliencyName) => Readonly<Record<string, MappedSaliency>>;
  /** What each aspect head says of the representation masked in another way, before the sigmoid. */
  readonly maskedBy: (masking: MaskingName) => Readonly<Record<string, tf.Tensor>>;
  /** The target with some layers' features replaced, `[batch]`. */
  readonly targetAt: (features: Readonly<Record<string, tf.Tensor4D>>) => tf.Tensor1D;
}

/**
 * Call it inside `tf.tidy`.
 *
 * @param inputs `image` `[batch, S, S, 3]` RGB 0..255, `image/<network>` of each network that heads have to themselves,
 *   and `target` `[batch, classes]` (1 for a regression): weights of
 *   the logits, all zero for the predicted class; an inner target does not read it.
 * @param constants the folded parameters by name, and `reference/<tap>` `[classes + 1, channels]`.
 */
export function explanationSteps(
  model: Model,
  { inputs, constants }: { inputs: Tensors; constants: Tensors },
  options: ExplainOptions = {},
): Steps {
  const { saliency, masking, mapping, tap, inner, scale } = checkOptions(model, options);
  const { classifier, trunk } = model;
  const image = inputs.image as tf.Tensor4D;

  // Target: the answer, and the number of it that is explained.
  const explained = explainedTaps(model, { tap, target: inner });
  const needed = new Set([...explained, model.spec.source, ...classifier.spec.taps, ...targetLayers(model, inner)]);
  const layerValues = { ...trunk.run(constants, { input: image }, [...needed]), input: image };
  const logits = answer(classifier, constants, layerValues) as tf.Tensor2D;
  const target: ExplainedTarget = inner
    ? explainedInner(model, inner, { constants, features: layerValues, images: inputs })
    : explainedClass(model, {
        constants,
        logits,
        weights: resolveTarget(logits, inputs.target as tf.Tensor2D, classifier.spec),
        scale,
      });
  const last = lastLayer(model, target.layers);
  const layerNamed = (name: string) => explainedLayer(model, name, { constants, layerValues, target });

  const masked = Object.fromEntries(explained.map((name) => [name, layerNamed(name)]));
  const weighedBy = (method: SaliencyName, name: string) => {
    if (isOfLastLayer(method)) return masked[last] ?? layerNamed(last);
    return name === "input" ? layerNamed(model.spec.source) : masked[name];
  };
  // Saliency: how much each element of a layer matters to the target; the answer's evidence comes with it.
  const saliencyBy = (method: SaliencyName) =>
    Object.fromEntries(
      explained.map((name) => [name, saliencyAt(method, { masked: masked[name], weighed: weighedBy(method, name) })]),
    );

  // Masking: the layer's features, faded by that to the reference.
  const taps = Object.fromEntries(
    Object.entries(saliencyBy(saliency)).map(([name, found]) => {
      const { features, reference, difference } = masked[name];
      return [
        name,
        { ...found, features, reference, difference, masked: maskedFeatures(found, masked[name], masking) },
      ];
    }),
  );

  // Mapping: masked features to the layers that an aspect head reads.
  const mapFeatures = (typeof mapping === "string" ? MAPPINGS[mapping] : mapping)(model, constants);
  const heads = mappedHeads(model, { constants, mapFeatures, tap, inner });

  // Aspect heads: what each says of features, masked features and reference, and its evidence.
  const aspects = Object.fromEntries(
    heads.map(({ head, from, mapped }) => {
      const own = networkOf(model, head) && ownAnswer(model, head, constants, { read: layerValues, images: inputs });
      const readings = aspectPasses(head, { parameters: constants, taps: from.map((name) => taps[name]), mapped, own });
      return [head.spec.name, { ...readings, taps: from }];
    }),
  );
  const maskedBy: Steps["maskedBy"] = (other) =>
    Object.fromEntries(
      heads.map(({ head, from, mapped }) => {
        const features = from.map((name) => maskedFeatures(taps[name], taps[name], other));
        return [head.spec.name, head.forward(constants, mapped(features))];
      }),
    );
  const targetAt: Steps["targetAt"] = (replaced) =>
    target.value(trunk.run(constants, { input: image, ...replaced }, target.layers));
  const value = target.value(layerValues);
  return { logits, target: value, targetAspect: target.aspect, taps, aspects, saliencyBy, maskedBy, targetAt };
}

/** The features of a layer, masked; an image, which has no filters, by the map where the masking reads filter weights. */
function maskedFeatures(
  { weights, maskMap }: Pick<MappedSaliency, "weights" | "maskMap">,
  { difference, reference }: Pick<TapSaliency, "difference" | "reference">,
  masking: MaskingName,
): tf.Tensor4D {
  const own = weights || !needsWeights(masking) ? masking : DEFAULT_MASKING;
  return applyMask(difference, { mask: maskOf({ weights, map: maskMap }, { masking: own }), reference });
}

/**
 * Each explaining head with the layers that are masked for it, and how features of those reach the layers that it
 * reads.
 */
function mappedHeads(
  model: Model,
  {
    constants,
    mapFeatures,
    tap,
    inner,
  }: { constants: Tensors; mapFeatures: Mapping; tap: string | undefined; inner: InnerTarget | undefined },
) {
  return explainingHeads(model, inner).map((head) => {
    const network = networkOf(model, head);
    return {
      head,
      from: tap === undefined ? layersOf(model.spec, head.spec) : [tap],
      mapped: (features: readonly tf.Tensor4D[]) =>
        network
          ? network.mappedFeatures(constants, features[0], head.spec.taps)
          : head.spec.taps.map((to, index) =>
              tap === undefined ? mapFeatures(features[index], to, to) : mapFeatures(features[0], tap, to),
            ),
    };
  });
}
