/** Joins a trunk and its heads into one pure function of named parameters and an image. */

import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import { ConfigError } from "../core/errors.js";
import type { ParameterSpec } from "../core/parameters.js";
import { createHead } from "../heads/create-head.js";
import type { Head } from "../heads/head.js";
import type { AspectSpec, ClassifierSpec } from "../heads/head-spec.js";
import type { Dropout } from "../ops/dropout.js";
import { createTrunk } from "../trunk/create-trunk.js";
import type { BatchNorm, Parameters, Trunk } from "../trunk/trunk.js";
import { importedClassifier } from "./imported-classifier.js";
import type { ModelSpec } from "./model-spec.js";

/** A trunk and its heads, as functions of named parameters. It holds no numbers. */
export interface Model {
  readonly spec: ModelSpec;
  readonly trunk: Trunk;
  readonly heads: readonly Head[];
  readonly classifier: Head<ClassifierSpec>;
  readonly aspects: readonly Head<AspectSpec>[];
  /** Distinct layers that aspect heads read, in order of the trunk. */
  readonly aspectTaps: readonly string[];
  /** Distinct layers that any head reads. */
  readonly taps: readonly string[];
  /** Parameters of the heads alone. */
  readonly headParameters: readonly ParameterSpec[];
}

/**
 * Makes a model: a trunk, and its heads as functions of named parameters. It holds no numbers.
 *
 * @throws ConfigError where a head reads a layer that the trunk does not have, or there is not exactly one classifier.
 */
export function createModel(spec: ModelSpec): Model {
  const trunk = createTrunk(spec.trunk);
  const tapNamed = (name: string, reader: string) => {
    const tap = trunk.taps.find((candidate) => candidate.name === name);
    if (tap) return tap;
    throw new ConfigError(`${reader}: ${spec.trunk.name} has no layer "${name}".`, {
      cure: `Its layers: ${trunk.taps.map((t) => t.name).join(", ")}.`,
    });
  };
  tapNamed(spec.source, "source");
  const heads = spec.heads.map((head) =>
    head.kind === "classifier" && head.isImported
      ? importedClassifier(head, trunk)
      : createHead(head, {
          inputSize: spec.trunk.inputSize,
          taps: head.taps.map((name) => tapNamed(name, `head "${head.name}"`)),
        }),
  );
  const classifiers = heads.filter(isClassifier);
  const [classifier] = classifiers;
  if (classifiers.length !== 1) throw new ConfigError(`a model has exactly one classifier, got ${classifiers.length}.`);
  const aspects = heads.filter(isAspect);
  const inOrder = (readers: readonly Head[]) =>
    trunk.taps.map((tap) => tap.name).filter((name) => readers.some((head) => head.spec.taps.includes(name)));
  return {
    spec,
    trunk,
    heads,
    classifier,
    aspects,
    aspectTaps: inOrder(aspects),
    taps: inOrder(heads),
    headParameters: heads.flatMap((head) => head.parameters),
  };
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
 * @param values the image under `"input"` (`[batch, S, S, 3]`, RGB 0..255), or features of any layers.
 * @returns by layer, `[batch, size, size, channels]`; the caller disposes them.
 */
export function features(
  model: Model,
  parameters: Parameters,
  values: Readonly<Record<string, Tensor4D>>,
  { taps = model.taps, batchNorm }: { taps?: readonly string[]; batchNorm?: BatchNorm } = {},
): Record<string, Tensor4D> {
  return model.trunk.run(parameters, values, taps, { batchNorm });
}

/** One head on features by layer. @returns its answer before the sigmoid or softmax; the caller disposes it. */
export function answer(
  head: Head,
  parameters: Parameters,
  values: Readonly<Record<string, Tensor4D>>,
  options: { dropout?: Dropout } = {},
): Tensor {
  const features = head.spec.taps.map((tap) => values[tap]);
  return head.forward(parameters, features, options);
}

/**
 * Every head's answer before the sigmoid or softmax, by head; the caller disposes them. `dropout` is the classifier's,
 * in training only.
 */
export function predict(
  model: Model,
  parameters: Parameters,
  values: Readonly<Record<string, Tensor4D>>,
  { batchNorm, dropout }: { batchNorm?: BatchNorm; dropout?: Dropout } = {},
): Record<string, Tensor> {
  const read = features(model, parameters, values, { batchNorm });
  return Object.fromEntries(model.heads.map((head) => [head.spec.name, answer(head, parameters, read, { dropout })]));
}
