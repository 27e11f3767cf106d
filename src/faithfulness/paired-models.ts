/**
 * Paired models: two on the same images, whose classes have different causes, so that their explanations must differ.
 */

import { InterruptedError } from "../core/errors.js";
import { batches } from "../dataset/batches.js";
import type { Dataset } from "../dataset/dataset.js";
import type { Engine } from "../engine/engine.js";
import { compareWithGroundTruth, rankedAspects } from "../explain/calibration/ground-truth.js";
import { overSamples } from "../explain/calibration/run-over-samples.js";
import { explainFunction } from "../explain/graph/explain-function.js";
import { explainConstants } from "../explain/graph/graph-constants.js";
import { readExplanation } from "../explain/reading/read-explanation.js";
import { createModel } from "../model/model.js";
import { imageSizes } from "../model/model-spec.js";
import type { TrainedModel } from "../model/trained-model.js";

/** One of two models, and its dataset. */
export interface PairedModel {
  readonly trained: TrainedModel;
  /** Its labels and causes; the images are those of the other's, by name. */
  readonly dataset: Dataset;
}

/** How often the explanations of two models differ as their reasons do. */
export interface PairedModels {
  /** Test images answered right by both, in which each sees its own cause and the other's. */
  readonly count: number;
  /** Share in which each ranks its own cause before the other's. */
  readonly ownFirst: number | null;
  /** Share in which both name the same aspect of the two: explanations that the image decides, not the model. */
  readonly sameFirst: number | null;
}

/** Relevance by aspect, and the causes among them. */
interface Seen {
  readonly relevance: ReadonlyMap<string, number>;
  readonly causes: readonly string[];
}

/**
 * Explains test images that both models answer right, and counts how often each ranks its own cause first.
 *
 * @throws InterruptedError between two batches.
 */
export async function comparePairedModels(
  first: PairedModel,
  second: PairedModel,
  { engine, batchSize = 8, signal }: { engine: Engine; batchSize?: number; signal?: AbortSignal },
): Promise<PairedModels> {
  const others = await seenBy(second, { engine, batchSize, signal });
  const images = await seenBy(first, { engine, batchSize, signal });
  let [count, own, same] = [0, 0, 0];
  for (const [path, one] of images) {
    const other = others.get(path);
    if (!other) continue;
    const [mine, yours] = [strongest(one, other.causes), strongest(other, one.causes)];
    if (!mine || !yours) continue;
    count++;
    if (mine.own > mine.others && yours.own > yours.others) own++;
    if (mine.own > mine.others !== yours.own > yours.others) same++;
  }
  const share = (part: number) => (count > 0 ? part / count : null);
  return { count, ownFirst: share(own), sameFirst: share(same) };
}

/**
 * The highest relevance of a model's own causes, and of the other's, without common ones; absent where one is not seen.
 */
function strongest({ relevance, causes }: Seen, others: readonly string[]) {
  const most = (names: readonly string[]) => Math.max(...names.map((name) => relevance.get(name) ?? -1));
  const own = most(causes.filter((name) => !others.includes(name)));
  const foreign = most(others.filter((name) => !causes.includes(name)));
  return own < 0 || foreign < 0 ? undefined : { own, others: foreign };
}

/** By path, the images answered right. */
async function seenBy(
  { trained, dataset }: PairedModel,
  { engine, batchSize, signal }: { engine: Engine; batchSize: number; signal?: AbortSignal },
): Promise<Map<string, Seen>> {
  const { spec, parameters, references } = trained;
  const model = createModel(spec);
  const { causes } = dataset.manifest;
  const samples = async function* () {
    for await (const batch of batches(dataset, { split: "test", batchSize, ...imageSizes(spec) })) {
      if (signal?.aborted) throw new InterruptedError("interrupted; nothing was written.");
      yield batch;
    }
  };
  const constants = explainConstants({ parameters, references });
  const run = { engine, constants, batchSize, samples: samples(), fn: explainFunction(model), name: "paired" };
  const found = new Map<string, Seen>();
  for await (const { sample, outputs } of overSamples(model, run)) {
    const { explanation } = readExplanation(outputs, {
      spec,
      scale: { kind: "uncalibrated" },
      image: sample.path,
    });
    const comparison = compareWithGroundTruth(explanation, { sample, causes });
    if (!comparison.isRight) continue;
    const ranks = rankedAspects(comparison);
    const relevance = new Map(ranks.map(({ aspect }) => [aspect.name, aspect.score ?? 0]));
    found.set(sample.path, { relevance, causes: comparison.causes });
  }
  return found;
}
