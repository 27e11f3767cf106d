/** Joins a trunk and its heads into one pure function of named parameters and an image. */

import * as tf from "@tensorflow/tfjs";
import { ConfigError } from "../core/errors.js";
import type { ParameterSpec } from "../core/parameters.js";
import { createHead } from "../heads/create-head.js";
import type { Head } from "../heads/head.js";
import type { AspectSpec, ClassifierSpec } from "../heads/head-spec.js";
import type { Dropout } from "../ops/dropout.js";
import { createTrunk } from "../trunk/create-trunk.js";
import type { BatchNorm, Parameters, Tap, Trunk } from "../trunk/trunk.js";
import { importedAspect, importedClassifier } from "./imported-answer.js";
import { layersOf, type ModelSpec } from "./model-spec.js";
import { createNetwork, type Network } from "./network.js";

/** A trunk and its heads, as functions of named parameters. It holds no numbers. */
export interface Model {
  readonly spec: ModelSpec;
  readonly trunk: Trunk;
  readonly heads: readonly Head[];
  readonly classifier: Head<ClassifierSpec>;
  readonly aspects: readonly Head<AspectSpec>[];
  /** Networks that aspect heads have to themselves. */
  readonly networks: readonly Network[];
  /** Distinct layers of the trunk at which aspect heads are explained, in its order. */
  readonly aspectTaps: readonly string[];
  /** Distinct layers of the trunk that any head reads. */
  readonly taps: readonly string[];
  /** Parameters of all but the trunk: of the heads, and of networks of their own with the mappings to them. */
  readonly headParameters: readonly ParameterSpec[];
}

/**
 * Makes a model: a trunk, and its heads as functions of named parameters. It holds no numbers.
 *
 * @throws ConfigError where a head reads a layer that its network does not have, or a network that the model does not
 *   have, or there is not exactly one classifier.
 */
export function createModel(spec: ModelSpec): Model {
  const trunk = createTrunk(spec.trunk);
  tapNamed(trunk, spec.source, "source");
  const networks = (spec.networks ?? []).map((network) => createNetwork(network, trunk));
  const heads = spec.heads.map((head) => {
    if (head.kind === "classifier" && head.isImported) return importedClassifier(head, trunk);
    const reader = `head "${head.name}"`;
    const own = networks.find((network) => network.spec.name === head.network);
    if (head.network !== undefined && !own)
      throw new ConfigError(`${reader}: the model has no network "${head.network}".`, {
        cure: `It has: ${networks.map((network) => network.spec.name).join(", ") || "none"}.`,
      });
    const apart = own && head.taps.find((name) => !own.trunk.leadsTo(own.spec.mapping.to, name));
    if (apart !== undefined)
      throw new ConfigError(`${reader}: layer "${apart}" cannot be computed from "${own?.spec.mapping.to}" alone.`, {
        cure: "Map to an earlier layer.",
      });
    // Whatever its network sees, a head answers at the size of the classifier's image.
    const { inputSize } = spec.trunk;
    if (own && head.kind !== "classifier" && head.output)
      return importedAspect(head, head.output, { network: own, inputSize });
    return createHead(head, { inputSize, taps: head.taps.map((name) => tapNamed(own?.trunk ?? trunk, name, reader)) });
  });
  const classifiers = heads.filter(isClassifier);
  const [classifier] = classifiers;
  if (classifiers.length !== 1) throw new ConfigError(`a model has exactly one classifier, got ${classifiers.length}.`);
  const aspects = heads.filter(isAspect);
  const inOrder = (layers: readonly string[]) => trunk.taps.flatMap(({ name }) => (layers.includes(name) ? name : []));
  const shared = heads.filter((head) => head.spec.network === undefined);
  return {
    ...{ spec, trunk, networks, heads, classifier, aspects },
    aspectTaps: inOrder(aspects.flatMap((head) => layersOf(spec, head.spec))),
    taps: inOrder(shared.flatMap((head) => head.spec.taps)),
    headParameters: [...heads, ...networks].flatMap(({ parameters }) => parameters),
  };
}

function tapNamed(trunk: Trunk, name: string, reader: string): Tap {
  const tap = trunk.taps.find((candidate) => candidate.name === name);
  if (tap) return tap;
  throw new ConfigError(`${reader}: ${trunk.spec.name} has no layer "${name}".`, {
    cure: `Its layers: ${trunk.taps.map((t) => t.name).join(", ")}.`,
  });
}

/** The network that a head has to itself; `undefined` where it reads the classifier's. */
export function networkOf({ networks }: Model, head: Head): Network | undefined {
  return networks.find(({ spec }) => spec.name === head.spec.network);
}

function isClassifier(head: Head): head is Head<ClassifierSpec> {
  return head.spec.kind === "classifier";
}

function isAspect(head: Head): head is Head<AspectSpec> {
  return head.spec.kind !== "classifier";
}

/**
 * The shared representation at every layer that a head reads.
 *
 * @param values the image under `"input"` (`[batch, height, width, 3]`, RGB 0..255), or features of any layers.
 * @returns by layer, `[batch, height, width, channels]`; the caller disposes them.
 */
export function features(
  model: Model,
  parameters: Parameters,
  values: Readonly<Record<string, tf.Tensor4D>>,
  { taps = model.taps, batchNorm }: { taps?: readonly string[]; batchNorm?: BatchNorm } = {},
): Record<string, tf.Tensor4D> {
  return model.trunk.run(parameters, values, taps, { batchNorm });
}

/**
 * One aspect head on the image itself: where it has a network to itself, on that network's own image.
 *
 * @param read what `features` gives.
 * @param images inputs of a graph, with `image/<network>` of each network.
 * @returns its answer before the sigmoid; the caller disposes it.
 */
export function ownAnswer(
  model: Model,
  head: Head,
  parameters: Parameters,
  { read, images }: { read: Readonly<Record<string, tf.Tensor4D>>; images: Readonly<Record<string, tf.Tensor>> },
): tf.Tensor {
  const network = networkOf(model, head);
  if (!network) return answer(head, parameters, read);
  return tf.tidy(() => head.forward(parameters, network.ownFeatures(parameters, images, head.spec.taps)));
}

/** One head on features by layer. @returns its answer before the sigmoid or softmax; the caller disposes it. */
export function answer(
  head: Head,
  parameters: Parameters,
  values: Readonly<Record<string, tf.Tensor4D>>,
  options: { dropout?: Dropout } = {},
): tf.Tensor {
  const features = head.spec.taps.map((tap) => values[tap]);
  return head.forward(parameters, features, options);
}

/**
 * Every head's answer before the sigmoid or softmax, by head; the caller disposes them. `images` are those of networks
 * that heads have to themselves, `image/<network>`.
 */
export function predict(
  model: Model,
  parameters: Parameters,
  values: Readonly<Record<string, tf.Tensor4D>>,
  { batchNorm, images = {} }: { batchNorm?: BatchNorm; images?: Readonly<Record<string, tf.Tensor>> } = {},
): Record<string, tf.Tensor> {
  const read = features(model, parameters, values, { batchNorm });
  return Object.fromEntries(
    model.heads.map((head) => [head.spec.name, ownAnswer(model, head, parameters, { read, images })]),
  );
}
