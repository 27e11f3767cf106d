/** Any target, of a class or inner, as a differentiable function of the features of the layers that it reads. */

import * as tf from "@tensorflow/tfjs";
import { ConfigError } from "../../core/errors.js";
import { shapeOf, sizeText } from "../../core/size.js";
import { classifierKernel } from "../../heads/classifier.js";
import type { Head } from "../../heads/head.js";
import type { AspectSpec } from "../../heads/head-spec.js";
import { evidenceLogit, region } from "../../heads/region.js";
import { answer, type Model, networkOf, ownAnswer } from "../../model/model.js";
import { layersOf } from "../../model/model-spec.js";
import type { Parameters } from "../../trunk/trunk.js";
import { type InnerTarget, innerTargetOf, type Target, type TargetScale } from "../target.js";
import { meanOverall, referenceOf, targetValue } from "./logit-target.js";
import type { Dense } from "./saliency/saliency.js";

type Features = Readonly<Record<string, tf.Tensor4D>>;

export interface ExplainedTarget {
  /** Layers that it is computed from. */
  readonly layers: readonly string[];
  /**
   * @param features of those layers, `[n * batch, height, width, channels]`; rows i, batch + i, ... are variants of
   *   image i.
   * @returns `[n * batch]`; it can be differentiated.
   */
  readonly value: (features: Features) => tf.Tensor1D;
  /** From a layer's table of references to the one that suits this target, `[batch, 1, 1, channels]`. */
  readonly reference: (table: tf.Tensor2D) => tf.Tensor4D;
  /** Of a target that an aspect's head gives: what it says of the image itself, `[batch, ...outputShape]`. */
  readonly aspect?: { readonly name: string; readonly unmasked: tf.Tensor };
  /** The dense layer after a layer's pooling, where there is one: see `ExplainedLayer`. */
  readonly dense?: (layer: string) => Dense | undefined;
}

/**
 * Of the classifier's answer.
 *
 * @param logits `[batch, classes]` of the image itself.
 * @param weights `[batch, classes]` from `resolveTarget`.
 */
export function explainedClass(
  { classifier, trunk }: Model,
  {
    constants,
    logits,
    weights,
    scale,
  }: { constants: Parameters; logits: tf.Tensor2D; weights: tf.Tensor2D; scale: TargetScale },
): ExplainedTarget {
  const { spec } = classifier;
  const valueAt = (at: tf.Tensor2D) => targetValue(at, repeated(weights, at), { scale });
  return {
    layers: spec.taps,
    value: (features) => valueAt(answer(classifier, constants, features) as tf.Tensor2D),
    reference: (table) => referenceOf(table, weights, spec),
    dense: (layer) => {
      if (!spec.taps.includes(layer)) return undefined;
      const channels = (name: string) => trunk.taps.find((tap) => tap.name === name)?.channels ?? 0;
      const before = spec.taps.slice(0, spec.taps.indexOf(layer)).reduce((sum, name) => sum + channels(name), 0);
      const kernel = constants[classifierKernel(spec)] as tf.Tensor2D;
      const gradient = tf.grad((at: tf.Tensor) => tf.sum(valueAt(at as tf.Tensor2D)))(logits) as tf.Tensor2D;
      return { kernel: tf.slice(kernel, [before, 0], [channels(layer), kernel.shape[1]]), gradient };
    },
  };
}

/**
 * Of another part of the network.
 *
 * @param features of the image itself, of `targetLayers`; where a head sees its aspect is read from them, or from the
 *   image of a network that it has to itself.
 * @throws ConfigError where the model has no such aspect or unit.
 */
export function explainedInner(
  model: Model,
  target: InnerTarget,
  { constants, features, images }: { constants: Parameters; features: Features; images: Parameters },
): ExplainedTarget {
  const layers = targetLayers(model, target);
  const reference = (table: tf.Tensor2D) => meanOverall(table, features[layers[0]].shape[0]);
  if (target.kind === "unit") return { layers, reference, value: (at) => unitValue(at[layers[0]], target) };
  const head = aspectNamed(model, target.aspect);
  const unmasked = ownAnswer(model, head, constants, { read: features, images });
  const network = networkOf(model, head);
  const answerAt = (at: Features) =>
    network
      ? head.forward(constants, network.mappedFeatures(constants, at[layers[0]], head.spec.taps))
      : answer(head, constants, at);
  const seen = region(head, unmasked);
  const { object = 1, background = 0 } = target.kind === "image" ? target : {};
  const weights = tf.add(tf.mul(seen, object - background), background);
  return {
    layers,
    reference,
    aspect: { name: target.aspect, unmasked },
    value: (at) => {
      const logits = evidenceLogit(head, answerAt(at));
      const product = tf.mul(logits, repeated(weights, logits));
      return tf.sum(tf.reshape(product, [logits.shape[0], -1]), 1);
    },
  };
}

/**
 * The layers that a target is computed from; the classifier's for a class, or without one.
 *
 * @throws ConfigError where the model has no such aspect or unit.
 */
export function targetLayers(model: Model, asked?: Target): readonly string[] {
  const target = innerTargetOf(asked);
  if (target === undefined) return model.classifier.spec.taps;
  if (target.kind !== "unit") {
    const { spec } = aspectNamed(model, target.aspect);
    const hasImage = spec.kind === "segmentation" || (spec.kind === "amount" && spec.form === "map");
    if (target.kind === "image" && !hasImage)
      throw new ConfigError(`target: aspect "${spec.name}" is no image, but ${spec.kind}.`, {
        cure: `Explain it as aspect:${spec.name}.`,
      });
    return layersOf(model.spec, spec);
  }
  const tap = model.trunk.taps.find(({ name }) => name === target.layer);
  if (!tap) {
    const names = model.trunk.taps.map(({ name }) => name).join(", ");
    throw new ConfigError(`target: ${model.spec.trunk.name} has no layer "${target.layer}".`, {
      cure: `Its layers: ${names}.`,
    });
  }
  const isInside = (index: number, size: number) => Number.isInteger(index) && index >= 0 && index < size;
  const { channel, place = [0, 0] } = target;
  const sides = shapeOf(tap.size);
  if (!isInside(channel, tap.channels) || !place.every((index, axis) => isInside(index, sides[axis]))) {
    const unit = `${channel}${target.place ? `@${place.join(",")}` : ""}`;
    throw new ConfigError(
      `target: layer "${tap.name}" is ${sizeText(tap.size)} with ${tap.channels} channels; it has no unit ${unit}.`,
    );
  }
  return [tap.name];
}

function aspectNamed({ aspects }: Model, name: string): Head<AspectSpec> {
  const head = aspects.find(({ spec }) => spec.name === name);
  if (head) return head;
  const names = aspects.map(({ spec }) => spec.name).join(", ") || "none";
  throw new ConfigError(`target: the model has no aspect "${name}".`, { cure: `It has: ${names}.` });
}

function unitValue(
  features: tf.Tensor4D,
  { channel, place }: Pick<InnerTarget & { kind: "unit" }, "channel" | "place">,
): tf.Tensor1D {
  const [count, height, width] = features.shape;
  const start = [0, ...(place ?? [0, 0]), channel] as [number, number, number, number];
  const size = [count, ...(place ? [1, 1] : [height, width]), 1] as [number, number, number, number];
  return tf.mean(tf.reshape(tf.slice(features, start, size), [count, -1]), 1);
}

/** `[batch, ...]` as often as `like` `[n * batch, ...]` has it. */
function repeated<Tensor extends tf.Tensor>(values: Tensor, like: tf.Tensor): Tensor {
  const copies = like.shape[0] / values.shape[0];
  return copies === 1 ? values : tf.tile(values, [copies, ...values.shape.slice(1).map(() => 1)]);
}
