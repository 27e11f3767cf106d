/** Models with a part that has learned nothing: what relevance looks like where there is no reason. */

import type { Sample } from "../../core/annotation.js";
import type { NdArrays } from "../../core/nd-array.js";
import { initialize } from "../../core/parameters.js";
import type { Engine, TensorFunction } from "../../engine/engine.js";
import type { Model } from "../../model/model.js";
import { layerOfParameter } from "../../trunk/layer-parameters.js";
import { randomWeights } from "../../trunk/random-weights.js";
import { explainConstants } from "../graph/graph-constants.js";
import { overSamples, type SampleOutputs } from "./run-over-samples.js";

/** A model's new part. */
export interface Draw {
  readonly seed: number;
  /** The classifier's answers turned round. */
  readonly isNegated?: boolean;
}

/** One image under one of the draws. */
export interface Redrawn extends SampleOutputs {
  readonly draw: Draw;
}

/**
 * Runs images through the explanations of several such models, compiled once.
 *
 * @param fn as `explainFunction`.
 * @param parameters folded, by name.
 * @param samples opens the same images for each draw.
 * @param redraw the parameters that replace the model's own; the same names for each draw.
 * @param classOf whose class is explained; the predicted one without it.
 */
export async function* overRedrawn(
  model: Model,
  {
    engine,
    fn,
    parameters,
    references,
    samples,
    draws,
    batchSize,
    redraw = redrawClassifier,
    classOf,
  }: {
    engine: Engine;
    fn: TensorFunction;
    parameters: NdArrays;
    references: NdArrays;
    samples: () => AsyncIterable<readonly Sample[]> | Iterable<readonly Sample[]>;
    draws: readonly Draw[];
    batchSize?: number;
    redraw?: (model: Model, draw: Draw) => NdArrays;
    classOf?: (sample: Sample) => string | undefined;
  },
): AsyncGenerator<Redrawn> {
  const first = redraw(model, { seed: 0 });
  const kept = Object.entries(parameters).filter(([name]) => !Object.hasOwn(first, name));
  const constants = explainConstants({ parameters: Object.fromEntries(kept), references });
  const state = await engine.createState(first);
  const withDrawn: TensorFunction = (given) =>
    fn({ ...given, constants: { ...given.constants, ...given.state }, state: {} });
  let draw: Draw = { seed: 0 };
  // One stream for one compiled graph: it is read no further than the batch that runs.
  const stream = async function* () {
    for (draw of draws) {
      await state.write(redraw(model, draw));
      yield* samples();
    }
  };
  const options = { engine, fn: withDrawn, constants, state, samples: stream(), classOf, batchSize, name: "redrawn" };
  try {
    for await (const found of overSamples(model, options)) yield { ...found, draw };
  } finally {
    await state.dispose();
  }
}

/**
 * Fresh parameters, folded, for all layers behind the last one that is explained, and for the classifier: aspect heads and
 * what they read stay as they are.
 */
export function redrawClassifier(model: Model, { seed, isNegated = false }: Draw): NdArrays {
  const { trunk, classifier, aspectTaps, spec } = model;
  const order = trunk.taps.map(({ name }) => name);
  const last = [spec.source, ...aspectTaps].reduce((a, b) => (order.indexOf(b) > order.indexOf(a) ? b : a));
  const behind = new Set(trunk.layersFrom(last).slice(1));
  const layers = Object.entries(randomWeights(trunk, { seed, isFolded: true })).filter(([name]) =>
    behind.has(layerOfParameter(name)),
  );
  const own = Object.entries(initialize(classifier.parameters, { seed })).map(
    ([name, { shape, data }]) => [name, { shape, data: isNegated ? data.map((value) => -value) : data }] as const,
  );
  return { ...Object.fromEntries(layers), ...Object.fromEntries(own) };
}

/** Fresh parameters of all aspect heads. */
export function redrawHeads({ aspects }: Model, { seed }: Draw): NdArrays {
  return Object.assign({}, ...aspects.map(({ parameters }) => initialize(parameters, { seed })));
}
