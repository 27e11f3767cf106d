/**
 * From which score on an aspect is above chance, where another part of the network than the classifier is explained: no
 * cause is known there, so that randomized models are all there is to compare with.
 */

import { ConfigError } from "../../core/errors.js";
import type { NdArray, NdArrays } from "../../core/nd-array.js";
import { random } from "../../core/random.js";
import type { ScoreScale } from "../../core/relevance-scale.js";
import type { Model } from "../../model/model.js";
import { explainFunction } from "../graph/explain-function.js";
import { explainedTaps } from "../graph/explained-taps.js";
import { checkOptions } from "../graph/options.js";
import { readScores } from "../reading/read-scores.js";
import { INNER_RANDOMIZATION } from "../relevance-constants.js";
import { explainedAspect, type InnerTarget } from "../target.js";
import type { MeasuringSetting } from "./calibration-passes.js";
import { lineAgainstRandomized } from "./decide-scale.js";
import { halfNegated, overRandomizedModels, type Randomize, randomLayersAfter } from "./randomized-models.js";
import { firstSamples, keptSamples, type SampleStream } from "./run-over-samples.js";

type InnerScales = Partial<Record<InnerTarget["kind"], ScoreScale>>;

const { images: IMAGES, models: MODELS, targets: TARGETS } = INNER_RANDOMIZATION;

/**
 * For targets `aspect:`, `image:` and `unit:` each, the score that at most 3 % of the aspects reach when the target's own
 * layers are randomized, over a few targets of the kind; for the default saliency method.
 *
 * @returns by kind; absent where the model has no such target, or too few aspects to explain one.
 */
export async function innerScales(model: Model, given: MeasuringSetting): Promise<InnerScales> {
  const found: InnerScales = {};
  const kept = await keptSamples(firstSamples(given.samples(), IMAGES));
  for (const [kind, targets] of Object.entries(targetsOf(model)) as [InnerTarget["kind"], InnerTarget[]][]) {
    const scores: number[] = [];
    for (const target of targets) scores.push(...(await randomized(model, target, { ...given, samples: () => kept })));
    const line = lineAgainstRandomized(scores);
    if (line !== null) found[kind] = { kind: "above-chance", line };
  }
  return found;
}

/**
 * A few targets of each kind: the first aspects, and channels of the last layer, evenly spread. Without those that some
 * head reads past: where heads read layers of their own, the target need not depend on all of them.
 */
function targetsOf(model: Model): Record<InnerTarget["kind"], InnerTarget[]> {
  const { aspects, trunk } = model;
  const few = (targets: InnerTarget[]) => targets.filter((target) => canExplain(model, target)).slice(0, TARGETS);
  const explained = aspects.map(({ spec }) => spec);
  const pictured = explained.filter(
    (spec) => spec.kind === "segmentation" || (spec.kind === "amount" && spec.form === "map"),
  );
  const { name: layer, channels } = trunk.taps[trunk.taps.length - 1];
  return {
    aspect: few(explained.map(({ name }) => ({ kind: "aspect", aspect: name }))),
    image: few(pictured.map(({ name }) => ({ kind: "image", aspect: name, object: 1, background: 1 }))),
    unit: few(
      Array.from({ length: TARGETS }, (_, index) => ({
        kind: "unit",
        layer,
        channel: Math.floor(((index + 0.5) * channels) / TARGETS),
      })),
    ),
  };
}

function canExplain(model: Model, target: InnerTarget): boolean {
  try {
    checkOptions(model, { target });
    return true;
  } catch (error) {
    if (error instanceof ConfigError) return false;
    throw error;
  }
}

async function randomized(
  model: Model,
  target: InnerTarget,
  given: Omit<MeasuringSetting, "samples"> & { samples: () => SampleStream },
): Promise<number[]> {
  const { engine, parameters, references, batchSize } = given;
  const run = {
    engine,
    fn: explainFunction(model, { target }),
    parameters,
    references,
    samples: given.samples,
    randomizations: halfNegated(MODELS),
    batchSize,
    randomize: randomizeTarget(target, parameters),
  };
  const scores: number[] = [];
  for await (const { outputs } of overRandomizedModels(model, run)) {
    const { aspects } = readScores(outputs, { spec: model.spec, target });
    scores.push(...aspects.flatMap(({ score }) => score ?? []));
  }
  return scores;
}

/**
 * Trunk layers after the explained ones at random, and the parameters of the target's own head shuffled: a head at its
 * initial values would see its aspect nowhere, and so have no evidence at all.
 */
function randomizeTarget(target: InnerTarget, parameters: NdArrays): Randomize {
  return (model, { seed, isNegated = false }) => {
    const { trunk, aspects } = model;
    const layers = randomLayersAfter(trunk, explainedTaps(model, { target }), { seed });
    const own = aspects.find(({ spec }) => spec.name === explainedAspect(target));
    const head = (own?.parameters ?? []).map(
      ({ name }) => [name, shuffled(parameters[name], { seed, name, isNegated })] as const,
    );
    return { ...layers, ...Object.fromEntries(head) };
  };
}

/** @param options.isNegated kernels alone: a bias says how often the head sees its aspect. */
function shuffled(
  { shape, data }: NdArray,
  { seed, name, isNegated }: { seed: number; name: string; isNegated: boolean },
): NdArray {
  const draw = random(seed, `shuffled ${name}`);
  const sign = isNegated && shape.length > 1 ? -1 : 1;
  const values = Float32Array.from(data, (value) => sign * value);
  for (let index = values.length - 1; index > 0; index--) {
    const other = draw.integer(index + 1);
    [values[index], values[other]] = [values[other], values[index]];
  }
  return { shape, data: values };
}
