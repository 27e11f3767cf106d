/**
 * Randomized models: a part of them re-initialised, so that explanations have no reason to name anything (the model
 * randomization of Adebayo et al. 2018, arXiv:1810.03292).
 */

import type { NdArrays } from "../../core/nd-array.js";
import { initialize } from "../../core/parameters.js";
import type { Engine, TensorFunction } from "../../engine/engine.js";
import type { Model } from "../../model/model.js";
import { layerOfParameter } from "../../trunk/layer-parameters.js";
import { randomWeights } from "../../trunk/random-weights.js";
import { explainConstants } from "../graph/graph-constants.js";
import { type ClassOf, compileForSamples, type SampleOutputs, type SampleStream } from "./run-over-samples.js";

/** One randomization of a part of a model. */
export interface Randomization {
  readonly seed: number;
  /** The classifier's answers negated. */
  readonly isNegated?: boolean;
}

/** Outputs of one randomized model for one image. */
export interface RandomizedOutputs extends SampleOutputs {
  readonly randomization: Randomization;
}

/** @returns the parameters that replace the model's own; the same names each time. */
export type Randomize = (model: Model, randomization: Randomization) => NdArrays;

/**
 * Runs images through the explanations of several randomized models. The function is compiled once: the replaced
 * parameters are state of the engine.
 *
 * @param fn as `explainFunction`.
 * @param parameters folded, by name.
 * @param samples opens the same images for each model.
 * @param classOf whose class is explained; the predicted one without it.
 */
export async function* overRandomizedModels(
  model: Model,
  {
    engine,
    fn,
    parameters,
    references,
    samples,
    randomizations,
    batchSize,
    randomize = randomizeClassifier,
    classOf,
  }: {
    engine: Engine;
    fn: TensorFunction;
    parameters: NdArrays;
    references: NdArrays;
    samples: () => SampleStream;
    randomizations: readonly Randomization[];
    batchSize?: number;
    randomize?: Randomize;
    classOf?: ClassOf;
  },
): AsyncGenerator<RandomizedOutputs> {
  const replaced = randomize(model, { seed: 0 });
  const kept = Object.entries(parameters).filter(([name]) => !Object.hasOwn(replaced, name));
  const constants = explainConstants({ parameters: Object.fromEntries(kept), references });
  const withState: TensorFunction = (given) =>
    fn({ ...given, constants: { ...given.constants, ...given.state }, state: {} });
  const state = await engine.createState(replaced);
  try {
    const run = { engine, fn: withState, constants, state, batchSize, name: "randomized" };
    const compiled = await compileForSamples(model, run);
    try {
      for (const randomization of randomizations) {
        await state.write(randomize(model, randomization));
        for await (const found of compiled.over(samples(), { classOf })) yield { ...found, randomization };
      }
    } finally {
      await compiled.dispose();
    }
  } finally {
    await state.dispose();
  }
}

/**
 * Random parameters, folded, for all layers after the last one that is explained, and for the classifier: of an imported
 * network for all that follows its last layer. Aspect heads and what they read stay as they are.
 */
export function randomizeClassifier(model: Model, { seed, isNegated = false }: Randomization): NdArrays {
  const { trunk, classifier, aspectTaps, spec } = model;
  const layers = randomLayersAfter(trunk, [spec.source, ...aspectTaps], { seed });
  const ownSpecs = classifier.spec.isImported ? answerParameters(trunk) : classifier.parameters;
  // Of an imported network the last layer alone: two that are negated would give what none gives.
  const turned = classifier.spec.isImported ? ownSpecs.slice(-2) : ownSpecs;
  const isTurned = new Set(isNegated ? turned.map(({ name }) => name) : []);
  const own = Object.entries(initialize(ownSpecs, { seed })).map(
    ([name, { shape, data }]) =>
      [name, { shape, data: isTurned.has(name) ? data.map((value) => -value) : data }] as const,
  );
  return { ...layers, ...Object.fromEntries(own) };
}

/** Random parameters, folded, of all layers of a trunk after the last of some. */
export function randomLayersAfter(
  trunk: Model["trunk"],
  layers: readonly string[],
  { seed }: { seed: number },
): NdArrays {
  const order = trunk.taps.map(({ name }) => name);
  const last = layers.reduce((a, b) => (order.indexOf(b) > order.indexOf(a) ? b : a));
  const later = new Set(trunk.layersFrom(last).slice(1));
  const own = trunk.foldedParameters.filter((one) => later.has(layerOfParameter(one.name)) && isDrawn(one));
  return randomWeights({ ...trunk, foldedParameters: own }, { seed, isFolded: true });
}

/** What an imported network has behind its last layer that heads can read. */
function answerParameters(trunk: Model["trunk"]): Model["trunk"]["foldedParameters"] {
  const before = new Set(trunk.layersFrom("input"));
  return trunk.foldedParameters.filter((one) => !before.has(layerOfParameter(one.name)) && isDrawn(one));
}

/** Kernels and biases. Other constants of an imported network, such as scales and means, stay as they are. */
function isDrawn({ name }: { readonly name: string }): boolean {
  return /\/(?:kernel|bias)$/.test(name);
}

/** That many randomizations, seeded from 1 on, every second one negated. */
export function halfNegated(count: number): Randomization[] {
  return Array.from({ length: count }, (_, index) => ({ seed: index + 1, isNegated: index % 2 === 1 }));
}

/** Random parameters of all aspect heads. */
export function randomizeHeads({ aspects }: Model, { seed }: Randomization): NdArrays {
  return Object.assign({}, ...aspects.map(({ parameters }) => initialize(parameters, { seed })));
}
