/**
 * One stage: its epochs over one set of learning parameters, resumable at any batch. Ctrl-C saves in `epoch.ts`, and
 * here in a validation.
 */

import type { EpochRecord } from "../core/epoch-record.js";
import { InterruptedError } from "../core/errors.js";
import type { NdArrays } from "../core/nd-array.js";
import { FEW_JUDGES } from "../dataset/dataset-warnings.js";
import type { StateStore } from "../engine/state-store.js";
import { stepsOfEpoch } from "./accumulation.js";
import { beginEarly } from "./begin-early.js";
import { type Cursor, writeBest, writeCheckpoint, writeHistory } from "./checkpoint.js";
import type { TrainConfig } from "./config.js";
import type { StageConfig } from "./config-stages.js";
import { dropoutOf, epochOf, meanLosses, runEpoch, type StageRun } from "./epoch.js";
import { evaluateSplit, type Metrics, scoreOfMetrics } from "./evaluate-split.js";
import type { Batch } from "./inputs.js";
import { rateFactor } from "./schedule.js";
import { averagedNames, averagedParametersOf, stageArrays } from "./stage-arrays.js";
import { evaluationStep, modelInputShapes, type StepOptions, stepInputShapes, trainingStep } from "./step.js";
import { foundStuck, lossWeights, stuckHeads, untaughtHeads } from "./stuck-heads.js";
import { isLearning } from "./trainable.js";

/**
 * Runs a stage to its end.
 *
 * @returns the cursor after its last epoch.
 * @throws InterruptedError after saving, where the signal asks: in an epoch (`epoch.ts`) or in its validation.
 */
export async function runStage(run: StageRun): Promise<Cursor> {
  const { model, config, stage, engine, source, trainable } = run;
  const { input, validationInput } = source;
  const isAccumulated = epochOf(run).accumulate > 1;
  const isAveraged = stage.movingAverage > 0;
  const { batchNorm } = stage;
  const { constants, state: begun } = stageArrays(run.arrays, { trainable, batchNorm, isAccumulated, isAveraged });
  const state = await engine.createState(begun);
  const { labelSmoothing } = config.heads[model.classifier.spec.name] ?? {};
  const common = {
    ...{ input, batchSize: config.batchSize, trainable, batchNorm, labelSmoothing },
    ...{ dropout: dropoutOf(run), teacher: run.teacher, isBalanced: config.balance },
  };
  const compile = (name: string, options: StepOptions) =>
    engine.compile(trainingStep(model, options), { name, inputs: stepInputShapes(model, options), constants, state });
  const compileSteps = async ({ history }: Cursor) => {
    const weights = lossWeights(config, foundStuck(history, run.cursor.stage));
    const all = { ...common, weights, isAveraged };
    const step = await compile("training step", { ...all, accumulation: isAccumulated ? "last" : "only" });
    const add = isAccumulated ? await compile("gradients", { ...all, accumulation: "more" }) : step;
    return {
      take: (batch: NdArrays, isLast: boolean) => (isLast ? step : add).run(batch, { isHandedOver: true }),
      dispose: async () => {
        await step.dispose();
        await add.dispose();
      },
    };
  };
  let steps = await compileSteps(run.cursor);
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
  let { cursor } = run;
  let batches: AsyncIterableIterator<Batch> = source.train(cursor.epoch, cursor.batch);
  try {
    while (!isStageDone(cursor, { stage, config })) {
      cursor = await runEpoch(run, cursor, { batches, step: steps.take, save });
      if (cursor.epoch + 1 < stage.epochs) batches = beginEarly(source.train(cursor.epoch + 1, 0));
      const record = await savedOnAbort(validate(run, { cursor, run: (batch) => predict.run(batch) }), {
        signal: run.signal,
        save: () => save(cursor),
      });
      cursor = await keepBest(run, { cursor, record, state, constants });
      await save(cursor);
      await writeHistory(config.out, cursor.history);
      await run.onEpoch?.(record, cursor);
      if (record.stuck && !isStageDone(cursor, { stage, config })) {
        const weighted = await compileSteps(cursor);
        await steps.dispose();
        steps = weighted;
      }
    }
    return cursor;
  } finally {
    await batches.return?.();
    await steps.dispose();
    await predict.dispose();
    await state.dispose();
  }
}

/** A validation that is interrupted loses nothing of its epoch: resuming begins with it. */
async function savedOnAbort<Result>(
  work: Promise<Result>,
  { signal, save }: { signal?: AbortSignal; save: () => Promise<void> },
): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (!signal?.aborted || error !== signal.reason) throw error;
    await save();
    throw new InterruptedError("interrupted in a validation; saved.");
  }
}

async function validate(
  stageRun: StageRun,
  { cursor, run }: { cursor: Cursor; run: (inputs: NdArrays) => Promise<NdArrays> },
): Promise<EpochRecord> {
  const { model, config, stage, source, signal } = stageRun;
  const metrics = await evaluateSplit(model, source.validation(), { run, signal });
  const steps = stepsOfEpoch(epochOf(stageRun));
  const hasLabels = Object.values(metrics).some((result) => result.count > 0);
  const record: EpochRecord = {
    stage: cursor.stage,
    epoch: cursor.epoch + 1,
    seconds: cursor.seconds,
    learningRate: stage.learningRate * rateFactor((cursor.epoch + 1) * steps - 1, { stepCount: stage.epochs * steps }),
    losses: meanLosses(cursor),
    validation: hasLabels ? metrics : null,
    score: hasLabels ? scoreOfMetrics(metrics, config.score, { unscored: unscoredHeads(stageRun, metrics) }) : null,
  };
  const stuck = stuckHeads([...cursor.history, record], {
    config,
    fingerprint: stageRun.fingerprint,
    learning: model.heads.filter((head) => isLearning(head, stageRun.trainable)).map(({ spec }) => spec.name),
  });
  return stuck.length === 0 ? record : { ...record, stuck };
}

/**
 * Heads that the mean leaves out: those without training labels; where heads are added to a finished model, the others,
 * and added ones that few validation images judge. Two images that lack an aspect are best answered by an epoch that has
 * learned nothing yet.
 */
function unscoredHeads({ fingerprint, onlyHeads }: StageRun, metrics: Metrics): string[] {
  const untaught = untaughtHeads(fingerprint);
  if (!onlyHeads) return untaught;
  const isScored = (name: string) => onlyHeads.includes(name) && metrics[name].count >= FEW_JUDGES;
  return Object.keys(metrics).filter((name) => untaught.includes(name) || !isScored(name));
}

/**
 * Whether an epoch is the best so far. At equal scores the later one is: its learning rate has decayed further, and heads
 * that no score judges have learned longer. Without scores the latest is.
 */
export function isBestScore(score: number | null, best: Cursor["best"]): boolean {
  return best === null || score === null || best.score === null || score >= best.score;
}

/** Moves the cursor to the next epoch; keeps the (averaged) parameters where they are the best so far. */
async function keepBest(
  { config, cursor: { stage } }: StageRun,
  { cursor, record, state, constants }: { cursor: Cursor; record: EpochRecord; state: StateStore; constants: NdArrays },
): Promise<Cursor> {
  const { best } = cursor;
  const isBest = isBestScore(record.score, best);
  if (isBest) await writeBest(config.out, averagedParametersOf({ ...constants, ...(await state.read()) }));
  return {
    ...cursor,
    epoch: cursor.epoch + 1,
    batch: 0,
    lossSums: {},
    seconds: 0,
    history: [...cursor.history, record],
    best: isBest ? { score: record.score, stage, epoch: record.epoch } : best,
  };
}

/** So many epochs' scores are averaged before they are compared. */
const SMOOTHED = 3;

/** All epochs are done, or `patience` epochs passed without a better score, each averaged with those of two before it. */
export function isStageDone(cursor: Cursor, { stage, config }: { stage: StageConfig; config: TrainConfig }): boolean {
  const { epoch, history } = cursor;
  if (epoch >= stage.epochs) return true;
  const scores = history.flatMap((record) => (record.stage === cursor.stage ? [record.score] : []));
  if (config.patience === 0 || scores.length === 0 || scores.some((score) => score === null)) return false;
  const smooth = scores.map((_, index) => {
    const last = scores.slice(Math.max(0, index + 1 - SMOOTHED), index + 1);
    return last.reduce<number>((sum, score) => sum + (score ?? 0), 0) / last.length;
  });
  return scores.length - 1 - smooth.indexOf(Math.max(...smooth)) >= config.patience;
}
