/**
 * One epoch of a stage: its batches through the training step, with losses summed on the way. Ctrl-C ends it after the
 * running batches and saves.
 */

import type { EpochRecord } from "../core/epoch-record.js";
import { ConfigError, InterruptedError } from "../core/errors.js";
import type { NdArrays } from "../core/nd-array.js";
import { ownValue } from "../core/own-value.js";
import { random } from "../core/random.js";
import type { DataFingerprint } from "../dataset/fingerprint.js";
import type { Engine } from "../engine/engine.js";
import type { Model } from "../model/model.js";
import { SEED_LIMIT } from "../ops/seeded-uniform.js";
import { stepOfBatch, stepsOfEpoch } from "./accumulation.js";
import { biasCorrection } from "./adam.js";
import type { BatchSource } from "./batch-source.js";
import type { Cursor } from "./checkpoint.js";
import type { TrainConfig } from "./config.js";
import type { StageConfig } from "./config-stages.js";
import { type Batch, labelInputs, scalarInput } from "./inputs.js";
import { averageDecay, rateFactor } from "./schedule.js";
import type { Teacher } from "./teacher.js";
import { isLearning } from "./trainable.js";

/** What a caller may show while training goes on. */
export interface TrainProgress {
  readonly stage: number;
  readonly stageCount: number;
  readonly epoch: number;
  readonly epochCount: number;
  readonly batch: number;
  readonly batchCount: number;
  /** Optimizer steps of this epoch that are complete; fewer than batches where several make one step. */
  readonly step: number;
  readonly stepCount: number;
  /** Means so far in this epoch. */
  readonly losses: Readonly<Record<string, number>>;
}

export interface StageRun {
  readonly model: Model;
  readonly config: TrainConfig;
  readonly stage: StageConfig;
  readonly engine: Engine;
  readonly source: BatchSource;
  readonly trainable: readonly string[];
  readonly teacher?: Teacher;
  readonly fingerprint?: DataFingerprint;
  /** Heads that are added to a finished model; all heads learn without it. */
  readonly onlyHeads?: readonly string[];
  readonly cursor: Cursor;
  /** Every array at the cursor: parameters, and what the stage keeps beside them unless it begins. */
  readonly arrays: NdArrays;
  readonly onProgress?: (progress: TrainProgress) => void;
  /** `cursor` stands after the epoch. */
  readonly onEpoch?: (record: EpochRecord, cursor: Cursor) => Promise<void>;
  readonly signal?: AbortSignal;
}

/** What an epoch does with its engine and its run folder. */
interface EpochSteps {
  /** From the cursor on. */
  readonly batches: AsyncIterable<Batch>;
  readonly step: (inputs: NdArrays, isLast: boolean) => Promise<NdArrays>;
  readonly save: (cursor: Cursor) => Promise<void>;
}

/**
 * Trains from the cursor to the end of its epoch.
 *
 * @returns the cursor after the last batch.
 * @throws InterruptedError after saving, where the signal asks.
 * @throws ConfigError where a loss is not finite.
 */
export async function runEpoch(run: StageRun, begun: Cursor, { batches, step, save }: EpochSteps): Promise<Cursor> {
  const { model, signal } = run;
  const accumulation = epochOf(run);
  let cursor = begun;
  let last = performance.now();
  const done = async (outputs: Promise<NdArrays>) => {
    const losses = lossesOf(await outputs);
    checkFinite(losses, { epoch: cursor.epoch + 1, batch: cursor.batch + 1 });
    const now = performance.now();
    cursor = { ...afterBatch(cursor, losses), seconds: cursor.seconds + (now - last) / 1000 };
    last = now;
    run.onProgress?.(progressOf(run, cursor));
  };
  // A batch is encoded and handed to the engine while the one before it is computed, so that the engine
  // never waits. An interruption lets both come to their end.
  let running: Promise<NdArrays> | undefined;
  let index = begun.batch;
  for await (const batch of batches) {
    const labels = labelInputs(batch.samples, model.heads);
    const numbers = scalarInputs(run, { ...begun, batch: index });
    const next = step({ ...batch.inputs, ...labels, ...numbers }, stepOfBatch(index, accumulation).isLast);
    next.catch(() => {}); // seen at its turn, unless the one before it fails
    if (running) await done(running);
    running = next;
    index++;
    if (signal?.aborted) break;
  }
  if (running) await done(running);
  if (signal?.aborted) {
    await save(cursor);
    throw new InterruptedError(`interrupted in epoch ${cursor.epoch + 1}; saved.`);
  }
  return cursor;
}

/** `total` and one a head, from the step's outputs. */
function lossesOf(outputs: NdArrays): Record<string, number> {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { data }]) => [
      name.replace(/^loss\//, "").replace(/^loss$/, "total"),
      data[0],
    ]),
  );
}

function afterBatch(cursor: Cursor, losses: Readonly<Record<string, number>>): Cursor {
  const lossSums = Object.fromEntries(
    Object.entries(losses).map(([name, loss]) => [name, (ownValue(cursor.lossSums, name) ?? 0) + loss]),
  );
  return { ...cursor, batch: cursor.batch + 1, lossSums };
}

/** @param cursor after a batch. */
function progressOf(run: StageRun, cursor: Cursor): TrainProgress {
  const accumulation = epochOf(run);
  const { step, isLast } = stepOfBatch(cursor.batch - 1, accumulation);
  return {
    stage: cursor.stage,
    stageCount: run.config.stages.length,
    epoch: cursor.epoch,
    epochCount: run.stage.epochs,
    batch: cursor.batch,
    batchCount: accumulation.batchCount,
    step: step + (isLast ? 1 : 0),
    stepCount: stepsOfEpoch(accumulation),
    losses: meanLosses(cursor),
  };
}

/** The numbers that differ from batch to batch, from where the training stands alone, so that resuming repeats them. */
function scalarInputs(run: StageRun, { stage: stageIndex, epoch, batch }: Cursor): NdArrays {
  const { config, stage } = run;
  const accumulation = epochOf(run);
  const steps = stepsOfEpoch(accumulation);
  const { step, size } = stepOfBatch(batch, accumulation);
  const at = epoch * steps + step;
  const factor = rateFactor(at, { stepCount: stage.epochs * steps }) * biasCorrection(at);
  const numbers: Record<string, number> = {
    "rate/trunk": stage.trunkLearningRate * factor,
    "rate/heads": stage.learningRate * factor,
  };
  if (accumulation.accumulate > 1) numbers["gradient/share"] = 1 / size;
  if (stage.movingAverage > 0) numbers["average/decay"] = averageDecay(at, { limit: stage.movingAverage });
  // Each batch of a step has a seed of its own: one mask for all of them would drop the same elements.
  if (dropoutOf(run) > 0) numbers.seed = random(config.seed, "dropout", stageIndex, epoch, batch).integer(SEED_LIMIT);
  return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, scalarInput(value)]));
}

/** Batches of an epoch, and how many of them make an optimizer step. */
export function epochOf({ config, source }: StageRun): { batchCount: number; accumulate: number } {
  const { batchCount } = source;
  return { batchCount, accumulate: Math.min(config.accumulate, batchCount) };
}

/** A classifier that does not learn drops nothing: it would only blur its loss. */
export function dropoutOf({ model, config, trainable }: StageRun): number {
  return isLearning(model.classifier, trainable) ? (config.heads[model.classifier.spec.name]?.dropout ?? 0) : 0;
}

/** Of each head, and in all, so far in the epoch. */
export function meanLosses({ batch, lossSums }: Cursor): Record<string, number> {
  return Object.fromEntries(Object.entries(lossSums).map(([name, sum]) => [name, sum / batch]));
}

function checkFinite(
  losses: Readonly<Record<string, number>>,
  { epoch, batch }: { epoch: number; batch: number },
): void {
  const broken = Object.keys(losses).find((name) => !Number.isFinite(losses[name]));
  if (broken === undefined) return;
  throw new ConfigError(`the loss of "${broken}" is ${losses[broken]} in epoch ${epoch}, batch ${batch}.`, {
    cure: "Lower stages[].learningRate and train again.",
  });
}
