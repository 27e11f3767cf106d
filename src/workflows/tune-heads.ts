/** Decides temperatures and thresholds of a trained model's heads on validation images. */

import type { Sample } from "../core/annotation.js";
import { type NdArrays, sizeOf } from "../core/nd-array.js";
import type { Engine } from "../engine/engine.js";
import { createTuner } from "../evaluation/tune-head.js";
import { imageInputs } from "../model/image-inputs.js";
import type { Model } from "../model/model.js";
import type { ModelSpec } from "../model/model-spec.js";
import { labelOf } from "../train/inputs.js";
import { evaluationStep, modelInputShapes } from "../train/step.js";

/** What heads are tuned with, and which. */
export interface TuneOptions {
  readonly engine: Engine;
  /** Folded, by name. */
  readonly parameters: NdArrays;
  readonly batchSize: number;
  /** Heads that stay as they are. */
  readonly isFixed: (head: string) => boolean;
  /** Heads whose threshold the user gave. */
  readonly isThresholdGiven: (head: string) => boolean;
}

/**
 * @param stream validation images, batches of at most `batchSize`.
 * @returns the same model with the heads' temperatures and thresholds.
 */
export async function tuneHeads(
  model: Model,
  stream: AsyncIterable<readonly Sample[]>,
  { engine, parameters, batchSize, isFixed, isThresholdGiven }: TuneOptions,
): Promise<ModelSpec> {
  const compiled = await engine.compile(evaluationStep(model, { input: { kind: "image" } }), {
    name: "thresholds of heads",
    inputs: modelInputShapes(model, { kind: "image" }, batchSize),
    constants: parameters,
  });
  const tuned = model.heads.map((head) => ({ head, tuner: createTuner(head.spec) }));
  let image = 0;
  try {
    for await (const samples of stream) {
      const outputs = await compiled.run(imageInputs(model.spec, samples, { batchSize }));
      for (const [row, sample] of samples.entries()) {
        for (const { head, tuner } of tuned) {
          const { data, shape } = outputs[head.spec.name];
          const length = sizeOf(shape.slice(1));
          const logits = data.subarray(row * length, (row + 1) * length);
          tuner.add({ image, logits, shape: shape.slice(1), label: labelOf(sample, head) });
        }
        image++;
      }
    }
  } finally {
    await compiled.dispose();
  }
  const heads = tuned.map(({ head: { spec }, tuner }) =>
    isFixed(spec.name) ? spec : tuner.result({ isThresholdGiven: isThresholdGiven(spec.name) }),
  );
  return { ...model.spec, heads };
}
