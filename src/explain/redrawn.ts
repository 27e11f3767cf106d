/** Models with a part that has learned nothing: what relevance looks like where there is no reason. */

import type { Sample } from "../core/annotation.js";
import type { NdArrays } from "../core/nd-array.js";
import { initialize } from "../core/parameters.js";
import type { Engine, TensorFunction } from "../engine/engine.js";
import type { Model } from "../model.js";
import { randomWeights } from "../trunk/random-weights.js";
import { explainConstants } from "./explain-constants.js";
import { overSamples, type SampleOutputs } from "./over-samples.js";

/** One image under one of the draws. */
export interface Redrawn extends SampleOutputs {
  readonly seed: number;
}

/**
 * Runs images through the explanations of several such models, compiled once.
 *
 * @param fn as `explainFunction`.
 * @param parameters folded, by name.
 * @param samples opens the same images for each draw.
 * @param redraw the parameters that replace the model's own; the same names for each seed.
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
    seeds,
    batchSize,
    redraw = redrawClassifier,
    classOf,
  }: {
    engine: Engine;
    fn: TensorFunction;
    parameters: NdArrays;
    references: NdArrays;
    samples: () => AsyncIterable<readonly Sample[]> | Iterable<readonly Sample[]>;
    seeds: readonly number[];
    batchSize?: number;
    redraw?: (model: Model, options: { seed: number }) => NdArrays;
    classOf?: (sample: Sample) => string | undefined;
  },
): AsyncGenerator<Redrawn> {
  const first = redraw(model, { seed: 0 });
  const kept = Object.entries(parameters).filter(([name]) => !Object.hasOwn(first, name));
  const constants = explainConstants({ parameters: Object.fromEntries(kept), references });
  const state = await engine.createState(first);
  const withDrawn: TensorFunction = (given) =>
    fn({ ...given, constants: { ...given.constants, ...given.state }, state: {} });
  let seed = 0;
  // One stream for one compiled graph: it is read no further than the batch that runs.
  const stream = async function* () {
    for (seed of seeds) {
      await state.write(redraw(model, { seed }));
      yield* samples();
    }
  };
  const options = { engine, fn: withDrawn, constants, state, samples: stream(), classOf, batchSize, name: "redrawn" };
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

/** A drawn classifier for each seed of 0 or more, and for each below it the one of `-1 - seed` with all its answers turned round. */
export function redrawEitherWay(model: Model, { seed }: { seed: number }): NdArrays {
  if (seed >= 0) return redrawClassifier(model, { seed });
  const drawn = redrawClassifier(model, { seed: -1 - seed });
  const own = new Set(model.classifier.parameters.map(({ name }) => name));
  return Object.fromEntries(
    Object.entries(drawn).map(([name, { shape, data }]) => [
      name,
      own.has(name) ? { shape, data: Float32Array.from(data, (value) => -value) } : { shape, data },
    ]),
  );
}

/** Fresh parameters of all aspect heads. */
export function redrawHeads({ aspects }: Model, { seed }: { seed: number }): NdArrays {
  return Object.assign({}, ...aspects.map(({ parameters }) => initialize(parameters, { seed })));
}
