/** Every head's answers for the images of a split, one image after the other, beside what the experts said. */

import { ownValue } from "../core/own-value.js";
import { batches } from "../dataset/batches.js";
import { type Dataset, readRecord, splitSize } from "../dataset/dataset.js";
import { mapAhead } from "../dataset/map-ahead.js";
import { readOriginalMasks } from "../dataset/original-masks.js";
import type { Split } from "../dataset/record.js";
import type { Engine } from "../engine/engine.js";
import type { EvaluatedImage } from "../evaluation/split-evaluation.js";
import { imageInputs } from "../model/image-inputs.js";
import { createModel } from "../model/model.js";
import { imageSizes } from "../model/model-spec.js";
import type { TrainedModel } from "../model/trained-model.js";
import { evaluationStep, modelInputShapes } from "../train/step.js";

/** With what, and on which split. */
export interface AnswerOptions {
  readonly engine: Engine;
  readonly split: Split;
  /** Called after each batch, with the images done and those of the split. */
  readonly onProgress?: (done: number, count: number) => void;
  /** Its reason is thrown between batches. */
  readonly signal?: AbortSignal;
}

const BATCH_SIZE = 8;

/** Yields the images in the order of the file; an image's logits are only valid until the next one is asked for. */
export async function* answersOf(
  { spec, parameters }: Pick<TrainedModel, "spec" | "parameters">,
  dataset: Dataset,
  { engine, split, onProgress, signal }: AnswerOptions,
): AsyncGenerator<EvaluatedImage> {
  const model = createModel(spec);
  const classifier = model.classifier.spec;
  const count = splitSize(dataset, split);
  const compiled = await engine.compile(evaluationStep(model, { input: { kind: "image" } }), {
    name: "evaluation",
    inputs: modelInputShapes(model, { kind: "image" }, BATCH_SIZE),
    constants: parameters,
  });
  const { centerCrop } = imageSizes(spec);
  const masked = spec.heads.flatMap(({ name, kind }) => (kind === "segmentation" ? [name] : []));
  const readMasks = async (index: number) =>
    masked.length > 0
      ? readOriginalMasks(dataset, await readRecord(dataset, split, index), { aspects: masked, centerCrop })
      : {};
  const places = Array.from({ length: count }, (_, index) => index);
  const masks = mapAhead(places, readMasks, { ahead: 2 * BATCH_SIZE, concurrency: 2 });
  let done = 0;
  try {
    for await (const samples of batches(dataset, { split, batchSize: BATCH_SIZE, ...imageSizes(spec) })) {
      signal?.throwIfAborted();
      const outputs = await compiled.run(imageInputs(spec, samples, { batchSize: BATCH_SIZE }));
      for (const [row, sample] of samples.entries()) {
        const { value: originals } = await masks.next();
        const labelOf = (head: string) => (head === classifier.name ? sample.target : ownValue(sample.aspects, head));
        yield { outputs, row, labelOf, groups: sample.groups, originals };
      }
      done += samples.length;
      onProgress?.(done, count);
    }
  } finally {
    await masks.return(undefined);
    await compiled.dispose();
  }
}
