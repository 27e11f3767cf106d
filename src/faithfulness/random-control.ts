/** A control: how often explanations of randomized models name a cause, and call anything relevant. */

import type { Sample } from "../core/annotation.js";
import { scaleIn } from "../core/relevance-scale.js";
import { rankedAspects } from "../explain/calibration/ground-truth.js";
import { overRandomizedModels, type Randomization, type Randomize } from "../explain/calibration/randomized-models.js";
import { explainFunction } from "../explain/graph/explain-function.js";
import type { MaskingName, SaliencyName } from "../explain/methods.js";
import type { RandomControl } from "./faithfulness.js";
import { compareSample, type Measuring, readSample } from "./measuring.js";
import { createTally } from "./tally.js";

/** Every image counts, whatever such a model answers: what is explained is the class that the image has. */
export async function randomControl(
  measuring: Measuring,
  {
    method,
    randomize,
    randomizations,
    limit,
    what,
  }: {
    method: { saliency: SaliencyName; masking: MaskingName };
    randomize: Randomize;
    randomizations: readonly Randomization[];
    /** Images of each model. */
    limit: number;
    /** As progress shows it. */
    what: string;
  },
): Promise<RandomControl> {
  const { model, engine, batchSize, trained } = measuring;
  const { parameters, references, scales } = trained;
  const scale = scaleIn(scales, method.saliency, "class");
  const tally = createTally();
  let [relevant, count] = [0, 0];
  const samples = () => measuring.samples("test", { limit, what });
  const classOf = ({ target }: Sample) => target.label;
  const fn = explainFunction(model, method);
  const run = { engine, fn, parameters, references, samples, randomizations, randomize, batchSize, classOf };
  for await (const { sample, outputs } of overRandomizedModels(model, run)) {
    const explained = readSample(measuring, outputs, { sample, method, scale });
    const comparison = { ...compareSample(measuring, sample, explained), isRight: true };
    tally.add(comparison);
    for (const { aspect } of rankedAspects(comparison)) {
      if (aspect.isRelevant === null) continue;
      count++;
      if (aspect.isRelevant) relevant++;
    }
  }
  const [{ namedCause }] = tally.result({ isDefault: false }).methods;
  return { namedCause, relevant: count > 0 ? relevant / count : null, draws: randomizations.length };
}
