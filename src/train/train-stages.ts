/**
 * Joint training from configuration to best weights: stages in order, resuming from a checkpoint. What saves, on Ctrl-C
 * too, is in `epoch.ts` and `stage.ts`.
 */

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { EpochRecord } from "../core/epoch-record.js";
import { InputError } from "../core/errors.js";
import { writeJson } from "../core/files.js";
import { parseJson } from "../core/json.js";
import { isRecord } from "../core/json-values.js";
import type { NdArrays } from "../core/nd-array.js";
import { initialize } from "../core/parameters.js";
import { type Dataset, splitSize } from "../dataset/dataset.js";
import type { DataFingerprint } from "../dataset/fingerprint.js";
import type { Inventory } from "../dataset/inventory.js";
import type { Engine } from "../engine/engine.js";
import { createModel, type Model } from "../model/model.js";
import type { ModelSpec } from "../model/model-spec.js";
import { foldBatchNorm } from "../trunk/fold-batch-norm.js";
import type { BatchSource } from "./batch-source.js";
import {
  type Cursor,
  readBest,
  readCheckpoint,
  readFileList,
  runIsThere,
  writeCheckpoint,
  writeFileList,
  writeHistory,
} from "./checkpoint.js";
import type { TrainConfig } from "./config.js";
import { changesSince } from "./config-changes.js";
import type { StageConfig } from "./config-stages.js";
import type { TrainProgress } from "./epoch.js";
import { featureBatches } from "./feature-batches.js";
import { imageBatches } from "./image-batches.js";
import { checkStages, prepareStage } from "./prepare-stage.js";
import { markRunFolder } from "./run-folder.js";
import { isStageDone, runStage } from "./stage.js";
import { parametersOf } from "./stage-arrays.js";
import { asTeacher, isTeachers, type Teacher, teacherParameters } from "./teacher.js";
import { openEventFile } from "./tensorboard.js";
import { trainableNames } from "./trainable.js";

export interface TrainOptions {
  readonly dataset: Dataset;
  /** The part of it that is learned from and validated on; all of it by default. */
  readonly annotated?: Dataset;
  readonly config: TrainConfig;
  readonly spec: ModelSpec;
  readonly engine: Engine;
  /** Parameters of the trunk, batch normalisation kept or folded; of heads too where they are trained already. */
  readonly startingWeights: NdArrays;
  /** With its parameters, folded. */
  readonly teacher?: Teacher & { readonly parameters: NdArrays };
  /** How often each training image is drawn in an epoch, at least 1 each; once by default. */
  readonly factors?: Float64Array;
  /** Of the data, and why defaults are as they are; written into the run's `dataset.json`. */
  readonly fingerprint?: DataFingerprint;
  readonly reasons?: Readonly<Record<string, string>>;
  /** Only these heads learn, and nothing else changes: for heads added to a finished model. */
  readonly onlyHeads?: readonly string[];
  readonly isResumed?: boolean;
  /** Takes no further step: the best epoch so far is the result. */
  readonly isFinishing?: boolean;
  /** The dataset's files; compared with those of the beginning by the caller. */
  readonly inventory: Inventory;
  readonly onProgress?: (progress: TrainProgress) => void;
  /** While features of a frozen trunk are computed. */
  readonly onCache?: (done: number, count: number) => void;
  /** Once the epoch is saved. */
  readonly onEpoch?: (record: EpochRecord, reached: Cursor) => void | Promise<void>;
  /** Ctrl-C: `epoch.ts` saves and stops after the running batches, `stage.ts` in a validation. */
  readonly signal?: AbortSignal;
}

export interface TrainResult {
  readonly model: Model;
  /** Of the best epoch, batch normalisation folded. */
  readonly parameters: NdArrays;
  readonly history: readonly EpochRecord[];
  readonly best: Cursor["best"];
  /** Every stage came to its end. */
  readonly isComplete: boolean;
}

/**
 * Trains all stages and writes the run folder (`run-folder.ts`). Parameters that do not learn stay byte for byte as
 * they are.
 *
 * @throws InterruptedError where the signal asks, after saving; `isResumed` then goes on exactly there. While features
 *   are cached the signal's reason, since there is nothing to save.
 * @throws InputError where `isResumed` and the folder holds another run, or none was asked for and one is there.
 */
export async function trainStages(options: TrainOptions): Promise<TrainResult> {
  const { dataset, config, spec, onlyHeads } = options;
  if (splitSize(dataset, "train") === 0)
    throw new InputError(`${config.dataset}: no sample has "split": "train".`, {
      cure: "Name a split for each sample.",
    });
  const model = createModel(spec);
  const fingerprint = fingerprintOf(config, { datasetHash: dataset.hash, onlyHeads });
  const checkpoint = await readCheckpoint(config.out);
  await checkCheckpoint(checkpoint?.cursor, fingerprint, options);
  let arrays: NdArrays = checkpoint?.arrays ?? initialArrays(options, model);
  let cursor: Cursor = checkpoint?.cursor ?? freshCursor(fingerprint);
  checkStages(model, config.stages.slice(cursor.stage), { arrays, onlyHeads });
  await writeRunDescription(config, options);
  if (checkpoint) await writeHistory(config.out, cursor.history);
  const events = openEventFile(config.out);
  const stageCount = options.isFinishing ? 0 : config.stages.length;
  for (; cursor.stage < stageCount; cursor = { ...cursor, stage: cursor.stage + 1, epoch: 0, batch: 0 }) {
    const stage = config.stages[cursor.stage];
    if (isStageDone(cursor, { stage, config })) continue;
    if (cursor.stage > 0 && cursor.stage !== checkpoint?.cursor.stage) {
      // Saved: the first epochs of this stage may write a better best, and a killed run begins the stage again.
      arrays = await readBest(config.out);
      await writeCheckpoint(config.out, arrays, cursor);
    }
    arrays = prepareStage(model, arrays, stage);
    const teacher = stage.train === "all" ? options.teacher : undefined;
    const trainable = [
      ...trainableNames(model, parametersOf(arrays), {
        train: stage.train,
        heads: onlyHeads,
        isTaught: teacher !== undefined,
      }),
      ...(teacher ? teacherParameters(model, teacher).map((spec) => spec.name) : []),
    ];
    const source = await batchesOf(options, { model, stage, arrays, cursor });
    try {
      cursor = await runStage({
        ...options,
        ...{ model, stage, source, trainable, teacher, cursor, arrays },
        onEpoch: async (record, reached) => {
          await events.write(record, { step: reached.history.length });
          await options.onEpoch?.(record, reached);
        },
      });
    } finally {
      await source.dispose();
    }
  }
  const best = Object.entries(await readBest(config.out)).filter(([name]) => !isTeachers(name));
  return {
    model,
    parameters: foldBatchNorm(model.trunk, Object.fromEntries(best)),
    history: cursor.history,
    best: cursor.best,
    isComplete: isRunDone(cursor, config),
  };
}

/** @throws InputError where the folder's training, or that there is none, does not go with what is asked. */
async function checkCheckpoint(
  cursor: Cursor | undefined,
  fingerprint: string,
  { config, isResumed, isFinishing }: TrainOptions,
): Promise<void> {
  const { out } = config;
  if (isResumed && cursor && cursor.fingerprint !== fingerprint)
    throw new InputError(`${out}: was trained with another configuration or dataset${await changesSince(config)}.`, {
      cure:
        "Resume with its own config.json (and --add-heads RUN, where heads were being added), " +
        'or choose another "out".',
    });
  if (!isResumed && cursor) throw runIsThere(out);
  if (isFinishing && !cursor?.best)
    throw new InputError(`${out}: no epoch is complete, so there is nothing to finish.`, {
      cure: "Go on with --resume.",
    });
}

/** Whether the last epoch of the last stage is done. */
function isRunDone(cursor: Cursor, config: TrainConfig): boolean {
  const stage = config.stages[cursor.stage];
  return stage === undefined || (cursor.stage === config.stages.length - 1 && isStageDone(cursor, { stage, config }));
}

/**
 * Epochs of the run in its folder, if it is the one asked for and has come to its end; else `undefined`.
 *
 * @throws InputError where the checkpoint cannot be read.
 */
export async function finishedEpochs(
  config: TrainConfig,
  { dataset, onlyHeads }: Pick<TrainOptions, "dataset" | "onlyHeads">,
): Promise<number | undefined> {
  const checkpoint = await readCheckpoint(config.out);
  if (!checkpoint || !isRunDone(checkpoint.cursor, config)) return undefined;
  const fingerprint = fingerprintOf(config, { datasetHash: dataset.hash, onlyHeads });
  return checkpoint.cursor.fingerprint === fingerprint ? checkpoint.cursor.history.length : undefined;
}

/** Every array at the beginning. */
function initialArrays({ config, startingWeights, teacher }: TrainOptions, model: Model): NdArrays {
  const taught = teacher && {
    ...asTeacher(teacher.parameters),
    ...initialize(teacherParameters(model, teacher), config),
  };
  return { ...initialize(model.headParameters, config), ...taught, ...startingWeights };
}

async function batchesOf(
  options: TrainOptions,
  { model, stage, arrays, cursor }: { model: Model; stage: StageConfig; arrays: NdArrays; cursor: Cursor },
): Promise<BatchSource> {
  const { dataset: whole, annotated: dataset = whole, config, engine, signal, onCache } = options;
  const factors = options.factors ?? new Float64Array(splitSize(dataset, "train")).fill(1);
  const common = { dataset, model, config, stage: cursor.stage, factors, signal };
  const isFrozen = stage.train === "heads" || options.onlyHeads !== undefined;
  if (!isFrozen || !stage.cache) return imageBatches(common);
  return featureBatches(common, {
    engine,
    parameters: parametersOf(arrays),
    path: join(config.out, "cache", `features-${cursor.stage}.bin`),
    onProgress: (done, count) => onCache?.(done, count),
  });
}

function freshCursor(fingerprint: string): Cursor {
  return { stage: 0, epoch: 0, batch: 0, lossSums: {}, seconds: 0, history: [], best: null, fingerprint };
}

/**
 * Where the run and its dataset lie does not count: both may be moved. Which heads learn counts: without them, resuming
 * would go on with all heads and change those of the finished model. A run that was begun before there was another
 * pooling than the mean says nothing of it.
 */
function fingerprintOf(
  { out: _, cacheMegabytes: __, dataset: ___, ...config }: TrainConfig,
  { datasetHash, onlyHeads }: { datasetHash: string; onlyHeads?: readonly string[] },
): string {
  const { pooling, ...own } = config.heads.class;
  const heads = { ...config.heads, class: pooling === "mean" ? own : { ...own, pooling } };
  const told = { config: { ...config, heads }, datasetHash, onlyHeads };
  return createHash("sha256").update(JSON.stringify(told)).digest("hex");
}

/**
 * Writes `config.json` (every default resolved), `dataset.json` (hashes, counts, sizes) and, once, the list of the
 * dataset's files.
 */
async function writeRunDescription(
  config: TrainConfig,
  { dataset, inventory, fingerprint, reasons = {} }: TrainOptions,
): Promise<void> {
  await markRunFolder(config.out);
  if ((await readFileList(config.out)) === null) await writeFileList(config.out, inventory.files);
  await writeJson(join(config.out, "config.json"), config);
  await writeJson(join(config.out, "dataset.json"), {
    name: dataset.manifest.name,
    hash: dataset.hash,
    contentHash: inventory.contentHash,
    counts: dataset.summary.samples,
    fingerprint,
    reasons: { ...(await readReasons(config.out)), ...reasons },
  });
}

/** Why the run's defaults are so, as written when it began; a run's own `config.json` has no defaults left. */
export async function readReasons(run: string): Promise<Record<string, string>> {
  const path = join(run, "dataset.json");
  const bytes = await readFile(path).catch(() => undefined);
  const known = bytes && parseJson(bytes, { where: path, error: InputError });
  return isRecord(known) && isRecord(known.reasons) ? (known.reasons as Record<string, string>) : {};
}
