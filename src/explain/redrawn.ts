/** Classifiers that have learned nothing, on a trunk and heads that have: what relevance looks like where there is no reason. */

import type { Sample } from "../core/annotation.js";
import type { NdArrays } from "../core/nd-array.js";
import { initialize } from "../core/parameters.js";
import type { Engine, TensorFunction } from "../engine/engine.js";
import type { Model } from "../model.js";
import { randomWeights } from "../trunk/random-weights.js";
import { explainConstants } from "./explain-constants.js";
import { overSamples, type SampleOutputs } from "./over-samples.js";

/** One image under one of the classifiers. */
export interface Redrawn extends SampleOutputs {
  readonly seed: number;
}

/**
 * Runs images through the explanations of several such classifiers, compiled once.
 *
 * @param fn as `explainFunction`.
 * @param parameters folded, by name.
 * @param samples opens the same images for each classifier.
 * @param change of each draw before it is used, such as the other sign.
 */
export async function* overRedrawn(
  model: Model,
  {
    engine,
    fn,
    parameters,
    references,
    samples,
    seeds,
    batchSize,
    change = (drawn) => drawn,
  }: {
    engine: Engine;
    fn: TensorFunction;
    parameters: NdArrays;
    references: NdArrays;
    samples: () => AsyncIterable<readonly Sample[]> | Iterable<readonly Sample[]>;
    seeds: readonly number[];
    batchSize?: number;
    change?: (drawn: NdArrays, seed: number) => NdArrays;
  },
): AsyncGenerator<Redrawn> {
  const drawnNames = Object.keys(redrawClassifier(model, { seed: 0 }));
  const kept = Object.entries(parameters).filter(([name]) => !drawnNames.includes(name));
  const constants = explainConstants({ parameters: Object.fromEntries(kept), references });
  const state = await engine.createState(redrawClassifier(model, { seed: 0 }));
  const withDrawn: TensorFunction = (given) =>
    fn({ ...given, constants: { ...given.constants, ...given.state }, state: {} });
  let seed = 0;
  // One stream for one compiled graph: it is read no further than the batch that runs.
  const stream = async function* () {
    for (seed of seeds) {
      await state.write(change(redrawClassifier(model, { seed }), seed));
      yield* samples();
    }
  };
  const options = { engine, fn: withDrawn, constants, state, samples: stream(), batchSize, name: "redrawn" };
  try {
    for await (const found of overSamples(model, options)) yield { ...found, seed };
  } finally {
    await state.dispose();
  }
}

/**
 * Fresh parameters, folded, for all layers behind the last one that is explained, and for the classifier: aspect heads and
 * what they read stay as they are.
 */
export function redrawClassifier(model: Model, { seed }: { seed: number }): NdArrays {
  const { trunk, classifier, aspectTaps, spec } = model;
  const order = trunk.taps.map(({ name }) => name);
  const last = [spec.source, ...aspectTaps].reduce((a, b) => (order.indexOf(b) > order.indexOf(a) ? b : a));
  const behind = new Set(trunk.layersFrom(last).slice(1));
  const layers = Object.entries(randomWeights(trunk, { seed, isFolded: true })).filter(([name]) =>
    behind.has(name.split("/")[1]),
  );
  return { ...Object.fromEntries(layers), ...initialize(classifier.parameters, { seed }) };
}
