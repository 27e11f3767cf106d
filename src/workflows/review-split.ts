/** Every head's review: the model runs over a split once, and what a page shows of its answers is gathered. */

import type { Sample } from "../core/annotation.js";
import type { NdArrays } from "../core/nd-array.js";
import { ownValue } from "../core/own-value.js";
import type { Engine } from "../engine/engine.js";
import type { SplitTally } from "../evaluation/split-evaluation.js";
import { imageInputs } from "../model/image-inputs.js";
import type { Model } from "../model/model.js";
import { createReviewer } from "../review/create-reviewer.js";
import type { HeadReview } from "../review/head-review.js";
import { labelOf } from "../train/inputs.js";
import { evaluationStep, modelInputShapes } from "../train/step.js";

/**
 * @param stream batches of at most `batchSize` samples.
 * @param options.tally gets the answers too.
 * @returns by head.
 */
export async function reviewSplit(
  model: Model,
  stream: AsyncIterable<readonly Sample[]>,
  {
    engine,
    parameters,
    batchSize,
    tally,
  }: { engine: Engine; parameters: NdArrays; batchSize: number; tally?: SplitTally },
): Promise<Record<string, HeadReview>> {
  const size = model.spec.trunk.inputSize;
  const compiled = await engine.compile(evaluationStep(model, { input: { kind: "image" } }), {
    name: "review",
    inputs: modelInputShapes(model, { kind: "image" }, batchSize),
    constants: parameters,
  });
  try {
    const reviewers = model.heads.map((head) => createReviewer(head.spec, { inputSize: size }));
    for await (const samples of stream) {
      const outputs = await compiled.run(imageInputs(model.spec, samples, { batchSize }));
      for (const [row, { target, aspects }] of samples.entries()) {
        const labelOf = (head: string) => (head === model.classifier.spec.name ? target : ownValue(aspects, head));
        tally?.add({ outputs, row, labelOf });
      }
      const paths = samples.map(({ path }) => path);
      model.heads.forEach((head, index) => {
        const labels = samples.map((sample) => labelOf(sample, head));
        reviewers[index].add(outputs[head.spec.name], labels, paths);
      });
    }
    return Object.fromEntries(model.heads.map((head, index) => [head.spec.name, reviewers[index].result()]));
  } finally {
    await compiled.dispose();
  }
}
