/** What a stage makes of the parameters before it begins, and whether it can: said of all stages before the first. */

import { ConfigError } from "../core/errors.js";
import type { NdArrays } from "../core/nd-array.js";
import type { Model } from "../model/model.js";
import { foldBatchNorm } from "../trunk/fold-batch-norm.js";
import type { StageConfig } from "./config-stages.js";
import { parametersOf } from "./stage-arrays.js";
import { trainableNames } from "./trainable.js";

/** @throws ConfigError where a stage cannot follow on those before it, or trains a layer that is not there. */
export function checkStages(
  model: Model,
  stages: readonly StageConfig[],
  { arrays, onlyHeads }: { arrays: NdArrays; onlyHeads?: readonly string[] },
): void {
  let reached = arrays;
  for (const stage of stages) {
    reached = prepareStage(model, reached, stage);
    trainableNames(model, parametersOf(reached), { train: stage.train, heads: onlyHeads });
  }
}

/** A stage that freezes statistics folds them; one that needs statistics of the batch must still have them. */
export function prepareStage(model: Model, arrays: NdArrays, stage: StageConfig): NdArrays {
  if (stage.batchNorm === "frozen") return foldBatchNorm(model.trunk, arrays);
  if (stage.train !== "all") {
    throw new ConfigError(
      'stages: "batchNorm": "batch" goes with "train": "all"; frozen layers keep their statistics.',
      { cure: 'Use "frozen".' },
    );
  }
  if (model.trunk.parameters.every((spec) => spec.name in arrays)) return arrays;
  throw new ConfigError('stages: "batchNorm": "batch" needs weights with batch normalisation; these are folded.', {
    cure: 'Use "frozen".',
  });
}
