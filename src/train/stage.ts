/** One stage: its epochs over one set of learning parameters, resumable at any batch. */

import type { EpochRecord } from "../core/epoch-record.js";
import { ConfigError, InterruptedError } from "../core/errors.js";
import type { NdArrays } from "../core/nd-array.js";
import { ownValue } from "../core/own-value.js";
import { random } from "../core/random.js";
import type { Engine, StateStore } from "../engine/engine.js";
import type { Model } from "../model/model.js";
import { SEED_LIMIT } from "../ops/seeded-uniform.js";
import { stepOfBatch, stepsOfEpoch } from "./accumulation.js";
import { biasCorrection } from "./adam.js";
import { type Cursor, writeBest, writeCheckpoint, writeHistory } from "./checkpoint.js";
import type { TrainConfig } from "./config.js";
import type { StageConfig } from "./config-stages.js";
import { evaluate, scoreOfMetrics } from "./evaluate-split.js";
import { answerInputs, scalarInput } from "./inputs.js";
import { averageDecay, rateFactor } from "./schedule.js";
import type { Source } from "./source.js";
import { averagedNames, averagedParametersOf, stageArrays } from "./stage-arrays.js";
import { evaluationStep, modelInputShapes, type StepOptions, stepInputShapes, trainingStep } from "./step.js";
import type { Teacher } from "./teacher.js";

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
  readonly source: Source;
  readonly trainable: readonly string[];
  readonly teacher?: Teacher;
  readonly cursor: Cursor;
  /** Every array at the cursor: parameters, and what the stage keeps beside them unless it begins. */
  readonly arrays: NdArrays;
  readonly onProgress?: (progress: TrainProgress) => void;
  /** `cursor` stands behind the epoch. */
  readonly onEpoch?: (record: EpochRecord, cursor: Cursor) => Promise<void>;
  readonly signal?: AbortSignal;
}

/** Runs a stage to its end. @returns the cursor behind it. @throws InterruptedError after saving, where the signal asks. */
export async function runStage(run: StageRun): Promise<Cursor> {
  const { model, config, stage, engine, source, trainable } = run;
  const { input, validationInput } = source;
  const isAccumulated = epochOf(run).accumulate > 1;
  const isAveraged = stage.movingAverage > 0;
  const { batchNorm } = stage;
  const { constants, state: begun } = stageArrays(run.arrays, { trainable, batchNorm, isAccumulated, isAveraged });
  const state = await engine.createState(begun);
  const weights = Object.fromEntries(Object.entries(config.heads).map(([name, head]) => [name, head.weight]));
  const { labelSmoothing } = config.heads[model.classifier.spec.name] ?? {};
  const common = {
    ...{ input, batchSize: config.batchSize, trainable, batchNorm, weights, labelSmoothing },
    ...{ dropout: dropoutOf(run), teacher: run.teacher },
  };
  const compile = (name: string, options: StepOptions) =>
    engine.compile(trainingStep(model, options), { name, inputs: stepInputShapes(model, options), constants, state });
  const step = await compile("training step", { ...common, isAveraged, accumulation: isAccumulated ? "last" : "only" });
  const add = isAccumulated ? await compile("gradients", { ...common, isAveraged, accumulation: "more" }) : step;
  const predict = await engine.compile(
    evaluationStep(model, {
      input: validationInput,
      averaged: isAveraged ? averagedNames(begun, { trainable, batchNorm }) : [],
    }),
    {
      name: "validation",
      inputs: modelInputShapes(model, validationInput, config.batchSize),
      constants,
      state,
    },
  );
  const save = async (cursor: Cursor) => writeCheckpoint(config.out, { ...constants, ...(await state.read()) }, cursor);
  try {
    let { cursor } = run;
    while (!isStageDone(cursor, { stage, config })) {
      cursor = await runEpoch(run, {
        cursor,
        step: (batch, isLast) => (isLast ? step : add).run(batch, { isHandedOver: true }),
        save,
      });
      const record = await validate(run, { cursor, run: (batch) => predict.run(batch) });
      cursor = await keepBest(run, { cursor, record, state, constants });
      await save(cursor);
      await writeHistory(config.out, cursor.history);
      await run.onEpoch?.(record, cursor);
    }
    return cursor;
  } finally {
    await step.dispose();
    await add.dispose();
    await predict.dispose();
    await state.dispose();
  }
}

/** Batches of an epoch, and how many of them make an optimizer step. */
function epochOf({ config, source }: StageRun): { batchCount: number; accumulate: number } {
  const { batchCount } = source;
  return { batchCount, accumulate: Math.min(config.accumulate, batchCount) };
}

/** A classifier that does not learn drops nothing: it would only blur its loss. */
function dropoutOf({ model, config, trainable }: StageRun): number {
  const isLearning = model.classifier.parameters.some((parameter) => trainable.includes(parameter.name));
  return isLearning ? (config.heads[model.classifier.spec.name]?.dropout ?? 0) : 0;
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

async function runEpoch(
  run: StageRun,
  {
    cursor: begun,
    step,
    save,
  }: {
    cursor: Cursor;
    step: (inputs: NdArrays, isLast: boolean) => Promise<NdArrays>;
    save: (cursor: Cursor) => Promise<void>;
  },
): Promise<Cursor> {
  const { config, stage, source, model, onProgress, signal } = run;
  let cursor = begun;
  const accumulation = epochOf(run);
  let last = performance.now();
  const done = async (outputs: Promise<NdArrays>) => {
    const losses = Object.fromEntries(
      Object.entries(await outputs).map(([name, value]) => [
        name.replace(/^loss\//, "").replace(/^loss$/, "total"),
        value.data[0],
      ]),
    );
    checkFinite(losses, { epoch: cursor.epoch + 1, batch: cursor.batch + 1 });
    const lossSums = Object.fromEntries(
      Object.entries(losses).map(([name, loss]) => [name, (ownValue(cursor.lossSums, name) ?? 0) + loss]),
    );
    const now = performance.now();
    const own = stepOfBatch(cursor.batch, accumulation);
    cursor = { ...cursor, batch: cursor.batch + 1, lossSums, seconds: cursor.seconds + (now - last) / 1000 };
    last = now;
    onProgress?.({
      stage: cursor.stage,
      stageCount: config.stages.length,
      epoch: cursor.epoch,
      epochCount: stage.epochs,
      batch: cursor.batch,
      batchCount: accumulation.batchCount,
      step: own.step + (own.isLast ? 1 : 0),
      stepCount: stepsOfEpoch(accumulation),
      losses: meanLosses(cursor),
    });
  };
  // A batch is encoded and handed to the engine while the one before it is computed, so that the engine
  // never waits. An interruption lets both come to their end.
  let running: Promise<NdArrays> | undefined;
  let index = begun.batch;
  for await (const batch of source.train(begun.epoch, begun.batch)) {
    const answers = answerInputs(batch.samples, model.heads);
    const numbers = scalarInputs(run, { ...begun, batch: index });
    const next = step({ ...batch.inputs, ...answers, ...numbers }, stepOfBatch(index, accumulation).isLast);
    next.catch(() => {}); // seen at its turn, unless the one before it fails
    if (running) await done(running);
    running = next;
    index++;
    if (signal?.aborted) break;
  }
  if (running) await done(running);
  if (signal?.aborted) {
    await save(cursor);
    throw new InterruptedError(`interrupted in epoch ${cursor.epoch + 1}; saved. Go on with --resume.`);
  }
  return cursor;
}

async function validate(
  stageRun: StageRun,
  { cursor, run }: { cursor: Cursor; run: (inputs: NdArrays) => Promise<NdArrays> },
): Promise<EpochRecord> {
  const { model, config, stage, source, signal } = stageRun;
  const metrics = await evaluate(model, source.validation(), { run, signal });
  const steps = stepsOfEpoch(epochOf(stageRun));
  const hasLabels = Object.values(metrics).some((result) => result.count > 0);
  return {
    stage: cursor.stage,
    epoch: cursor.epoch + 1,
    seconds: cursor.seconds,
    learningRate: stage.learningRate * rateFactor((cursor.epoch + 1) * steps - 1, { stepCount: stage.epochs * steps }),
    losses: meanLosses(cursor),
    validation: hasLabels ? metrics : null,
    score: hasLabels ? scoreOfMetrics(metrics, config.score) : null,
  };
}

/** Moves the cursor behind the epoch; keeps the (averaged) parameters where none were better (without a score: the latest). */
async function keepBest(
  { config, cursor: { stage } }: StageRun,
  { cursor, record, state, constants }: { cursor: Cursor; record: EpochRecord; state: StateStore; constants: NdArrays },
): Promise<Cursor> {
  const { best } = cursor;
  const isBetter = best === null || record.score === null || best.score === null || record.score > best.score;
  if (isBetter) await writeBest(config.out, averagedParametersOf({ ...constants, ...(await state.read()) }));
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
  throw new ConfigError(`the loss of "${broken}" is ${losses[broken]} in epoch ${epoch}, batch ${batch}.`, {
    cure: "Lower stages[].learningRate and train again.",
  });
}
