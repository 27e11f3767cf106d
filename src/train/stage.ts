/** One stage: its epochs over one set of learning parameters, resumable at any batch. */

import { InterruptedError } from "../core/errors.js";
import { type NdArrays, ndArray } from "../core/nd-array.js";
import type { Engine, StateStore } from "../engine/engine.js";
import type { Model } from "../model.js";
import { biasCorrection } from "./adam.js";
import { type Cursor, type EpochRecord, writeBest, writeCheckpoint, writeHistory } from "./checkpoint.js";
import type { StageConfig, TrainConfig } from "./config.js";
import { evaluate, scoreOfMetrics } from "./evaluate.js";
import { answerInputs, scalarInput } from "./inputs.js";
import { rateFactor } from "./schedule.js";
import type { Source } from "./source.js";
import {
  answerInputShapes,
  evaluationStep,
  firstMoment,
  modelInputShapes,
  secondMoment,
  trainingStep,
} from "./step.js";

/** What a caller may show while training goes on. */
export interface TrainProgress {
  readonly stage: number;
  readonly stageCount: number;
  readonly epoch: number;
  readonly epochCount: number;
  readonly batch: number;
  readonly batchCount: number;
  /** Means so far in this epoch. */
  readonly losses: Readonly<Record<string, number>>;
}

export interface StageRun {
  readonly model: Model;
  readonly config: TrainConfig;
  readonly stage: StageConfig;
  readonly engine: Engine;
  readonly source: Source;
  readonly trainable: readonly string[];
  readonly cursor: Cursor;
  /** Every array at the cursor: parameters, and moments unless the stage begins. */
  readonly arrays: NdArrays;
  readonly onProgress?: (progress: TrainProgress) => void;
  /** `cursor` stands behind the epoch. */
  readonly onEpoch?: (record: EpochRecord, cursor: Cursor) => Promise<void>;
  readonly signal?: AbortSignal;
}

/** Runs a stage to its end. @returns the cursor behind it. @throws InterruptedError after saving, where the signal asks. */
export async function runStage(run: StageRun): Promise<Cursor> {
  const { model, config, stage, engine, source, trainable, arrays } = run;
  const learning = new Set(trainable);
  const isState = (name: string) =>
    learning.has(name) || name.startsWith("adam/") || (stage.batchNorm === "batch" && name.startsWith("trunk/"));
  const moments = Object.fromEntries(
    trainable.flatMap((name) =>
      [firstMoment(name), secondMoment(name)].map((moment) => [moment, arrays[moment] ?? ndArray(arrays[name].shape)]),
    ),
  );
  const all = { ...withoutMoments(arrays), ...moments };
  const constants = pick(all, (name) => !isState(name));
  const state = await engine.createState(pick(all, isState));
  const inputs = modelInputShapes(model, source.input, config.batchSize);
  const weights = Object.fromEntries(Object.entries(config.heads).map(([name, head]) => [name, head.weight]));
  const step = await engine.compile(
    trainingStep(model, {
      input: source.input,
      batchSize: config.batchSize,
      trainable,
      batchNorm: stage.batchNorm,
      weights,
    }),
    { name: "training step", inputs: { ...inputs, ...answerInputShapes(model, config.batchSize) }, constants, state },
  );
  const predict = await engine.compile(evaluationStep(model, { input: source.input }), {
    name: "validation",
    inputs,
    constants,
    state,
  });
  const save = async (cursor: Cursor) => writeCheckpoint(config.out, { ...constants, ...(await state.read()) }, cursor);
  try {
    let { cursor } = run;
    while (!isStageDone(cursor, { stage, config })) {
      cursor = await runEpoch(run, { cursor, step: (batch) => step.run(batch), save });
      const record = await validate(run, { cursor, run: (batch) => predict.run(batch) });
      cursor = await keepBest(run, { cursor, record, state, constants });
      await save(cursor);
      await writeHistory(config.out, cursor.history);
      await run.onEpoch?.(record, cursor);
    }
    return cursor;
  } finally {
    await step.dispose();
    await predict.dispose();
    await state.dispose();
  }
}

async function runEpoch(
  { config, stage, source, model, onProgress, signal }: StageRun,
  {
    cursor: begun,
    step,
    save,
  }: { cursor: Cursor; step: (inputs: NdArrays) => Promise<NdArrays>; save: (cursor: Cursor) => Promise<void> },
): Promise<Cursor> {
  let cursor = begun;
  const { batchCount } = source;
  const stepCount = stage.epochs * batchCount;
  let last = performance.now();
  for await (const batch of source.train(cursor.epoch, cursor.batch)) {
    const at = cursor.epoch * batchCount + cursor.batch;
    const factor = rateFactor(at, { stepCount }) * biasCorrection(at);
    const outputs = await step({
      ...batch.inputs,
      ...answerInputs(batch.samples, model.heads),
      "rate/trunk": scalarInput(stage.trunkLearningRate * factor),
      "rate/heads": scalarInput(stage.learningRate * factor),
    });
    const losses = Object.fromEntries(
      Object.entries(outputs).map(([name, value]) => [
        name.replace(/^loss\//, "").replace(/^loss$/, "total"),
        value.data[0],
      ]),
    );
    checkFinite(losses, { epoch: cursor.epoch + 1, batch: cursor.batch + 1 });
    const lossSums = Object.fromEntries(
      Object.entries(losses).map(([name, loss]) => [name, (cursor.lossSums[name] ?? 0) + loss]),
    );
    const now = performance.now();
    cursor = { ...cursor, batch: cursor.batch + 1, lossSums, seconds: cursor.seconds + (now - last) / 1000 };
    last = now;
    onProgress?.({
      stage: cursor.stage,
      stageCount: config.stages.length,
      epoch: cursor.epoch,
      epochCount: stage.epochs,
      batch: cursor.batch,
      batchCount,
      losses: meanLosses(cursor),
    });
    if (signal?.aborted) {
      await save(cursor);
      throw new InterruptedError(`interrupted in epoch ${cursor.epoch + 1}; saved. Go on with --resume.`);
    }
  }
  return cursor;
}

async function validate(
  { model, config, stage, source, signal }: StageRun,
  { cursor, run }: { cursor: Cursor; run: (inputs: NdArrays) => Promise<NdArrays> },
): Promise<EpochRecord> {
  const metrics = await evaluate(model, source.validation(), { run, signal });
  const hasLabels = Object.values(metrics).some((result) => result.count > 0);
  return {
    stage: cursor.stage,
    epoch: cursor.epoch + 1,
    seconds: cursor.seconds,
    learningRate:
      stage.learningRate *
      rateFactor((cursor.epoch + 1) * source.batchCount - 1, { stepCount: stage.epochs * source.batchCount }),
    losses: meanLosses(cursor),
    validation: hasLabels ? metrics : null,
    score: hasLabels ? scoreOfMetrics(metrics, config.score) : null,
  };
}

/** Moves the cursor behind the epoch; keeps the parameters where none were better (without a score: the latest). */
async function keepBest(
  { config, cursor: { stage } }: StageRun,
  { cursor, record, state, constants }: { cursor: Cursor; record: EpochRecord; state: StateStore; constants: NdArrays },
): Promise<Cursor> {
  const { best } = cursor;
  const isBetter = best === null || record.score === null || best.score === null || record.score > best.score;
  if (isBetter) await writeBest(config.out, withoutMoments({ ...constants, ...(await state.read()) }));
  return {
    ...cursor,
    epoch: cursor.epoch + 1,
    batch: 0,
    lossSums: {},
    seconds: 0,
    history: [...cursor.history, record],
    best: isBetter ? { score: record.score, stage, epoch: record.epoch } : best,
  };
}

/** All epochs are done, or `patience` epochs passed without a better score. */
export function isStageDone(cursor: Cursor, { stage, config }: { stage: StageConfig; config: TrainConfig }): boolean {
  const { best, epoch } = cursor;
  if (epoch >= stage.epochs) return true;
  if (config.patience === 0 || best === null || best.score === null) return false;
  return epoch - (best.stage === cursor.stage ? best.epoch : 0) >= config.patience;
}

function meanLosses({ batch, lossSums }: Cursor): Record<string, number> {
  return Object.fromEntries(Object.entries(lossSums).map(([name, sum]) => [name, sum / batch]));
}

function checkFinite(
  losses: Readonly<Record<string, number>>,
  { epoch, batch }: { epoch: number; batch: number },
): void {
  const broken = Object.keys(losses).find((name) => !Number.isFinite(losses[name]));
  if (broken === undefined) return;
  throw new Error(
    `the loss of "${broken}" is ${losses[broken]} in epoch ${epoch}, batch ${batch}. Lower stages[].learningRate and train again.`,
  );
}

/** Parameters and moving statistics without the optimizer's moments. */
export function withoutMoments(arrays: NdArrays): NdArrays {
  return pick(arrays, (name) => !name.startsWith("adam/"));
}

function pick(arrays: NdArrays, isWanted: (name: string) => boolean): NdArrays {
  return Object.fromEntries(Object.entries(arrays).filter(([name]) => isWanted(name)));
}
