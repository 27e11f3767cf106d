/**
 * Cross-validation: one training for each fold, each in a run folder of its own, then every model on the images that it
 * has not seen. Ctrl-C saves the fold that is being trained; `isResumed` reads those that are done.
 */

import { join } from "node:path";
import { ConfigError } from "../core/errors.js";
import { writeJson } from "../core/files.js";
import { openPart } from "../dataset/open-part.js";
import type { Split } from "../dataset/record.js";
import { type FoldsEvaluation, foldTally } from "../evaluation/fold-tally.js";
import type { TrainedModel } from "../model/trained-model.js";
import { partOf, type RawConfig } from "../train/config.js";
import { answersOf } from "./answers-of.js";
import { checkFolderKind, FOLDS_FILE, FOLDS_FORMAT, foldFolder } from "./folder-kind.js";
import { type EachOptions, trainEach } from "./train-each.js";
import { planTraining } from "./train-plan.js";

/** The content of `folds.json`; docs/trainings.md describes it. */
export interface CrossValidation extends FoldsEvaluation {
  readonly format: typeof FOLDS_FORMAT;
  readonly dataset: { readonly name: string; readonly count: number };
  readonly seed: number;
  readonly runs: readonly {
    /** Its folder in `out`. */
    readonly run: string;
    /** Of the dataset and the fold's splits. */
    readonly hash: string;
    readonly counts: Readonly<Record<Split, number>>;
  }[];
}

/** How folds are trained, and who is told. */
export interface FoldOptions extends EachOptions {
  /** From 2. */
  readonly folds: number;
  /** Before each training, with the fold's number from 1. */
  readonly onFold?: (fold: number) => void;
  /** While the held-out images of all folds are measured. */
  readonly onMeasured?: (fold: number, done: number, count: number) => void;
}

/**
 * Trains `folds` models and writes `fold-1` ... and `folds.json` in `out`.
 *
 * What the configuration leaves out is decided once, by the training images of the first fold.
 *
 * @throws ConfigError where a folder is another's; DatasetError where the samples do not make so many folds.
 * @throws InterruptedError as `runTraining` does.
 */
export async function crossValidate(raw: RawConfig, { folds, ...options }: FoldOptions): Promise<CrossValidation> {
  checkFold(raw, folds);
  await checkFolderKind(raw.out, "folds");
  const configOf = (number: number, given: RawConfig): RawConfig => ({
    ...given,
    out: join(raw.out, foldFolder(number)),
    fold: { ...raw.fold, number, of: folds },
  });
  const { config } = await planTraining(configOf(1, raw));
  const configs = Array.from({ length: folds }, (_, index) => configOf(index + 1, index === 0 ? raw : config));
  const models = await trainEach(configs, options, (index) => options.onFold?.(index + 1));
  const result = await measureFolds(configs, { models, options });
  await writeJson(join(raw.out, FOLDS_FILE), result);
  return result;
}

async function measureFolds(
  configs: readonly RawConfig[],
  { models, options }: { models: readonly TrainedModel[]; options: Omit<FoldOptions, "folds"> },
): Promise<CrossValidation> {
  const { engine, signal, onMeasured } = options;
  const [{ spec, provenance }] = models;
  const tally = foldTally(
    models.map((trained) => trained.spec.heads),
    { size: spec.trunk.inputSize },
  );
  const runs: CrossValidation["runs"][number][] = [];
  for (const [fold, trained] of models.entries()) {
    const dataset = await openPart(configs[fold].dataset, partOf(configs[fold]));
    if (dataset.hash !== trained.provenance.dataset.hash)
      throw new ConfigError(`${configs[fold].dataset}: changed while the folds were trained.`, {
        cure: "Train again, in a new folder.",
      });
    const onProgress = (done: number, count: number) => onMeasured?.(fold + 1, done, count);
    for await (const image of answersOf(trained, dataset, { engine, split: "test", onProgress, signal }))
      tally.add(fold, image);
    runs.push({ run: foldFolder(fold + 1), hash: dataset.hash, counts: dataset.summary.samples });
  }
  const count = runs.reduce((sum, { counts }) => sum + counts.test, 0);
  return {
    format: FOLDS_FORMAT,
    dataset: { name: provenance.dataset.name, count },
    seed: provenance.seed,
    runs,
    ...tally.result(),
  };
}

/** @throws ConfigError where the configuration asks for other folds, or for one of them alone. */
function checkFold({ fold }: RawConfig, folds: number): void {
  const isOther = fold?.of !== undefined && fold.of !== folds;
  if (isOther)
    throw new ConfigError(`fold.of: is ${fold.of}, and ${folds} folds are asked for.`, { cure: "Give one." });
  if (fold?.number !== undefined)
    throw new ConfigError(`fold.number: is ${fold.number}, and all folds are asked for.`, {
      cure: "Leave it out, or train that fold alone, without --folds.",
    });
}
