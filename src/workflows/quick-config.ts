/** A configuration that trains in about a minute on this machine: a few real steps are timed, once. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InputError } from "../core/errors.js";
import { splitSize } from "../dataset/dataset.js";
import { openPart } from "../dataset/open-part.js";
import type { Engine } from "../engine/engine.js";
import { holdsCheckpoint, runIsThere } from "../train/checkpoint.js";
import { partOf, type RawConfig } from "../train/config.js";
import { quickStages } from "../train/quick.js";
import { readConfig } from "../train/read-config.js";
import { readReasons, trainStages } from "../train/train-stages.js";
import { foldFolder } from "./folder-kind.js";
import { planOf, planTraining, type TrainPlan } from "./train-plan.js";

/** Of each stage, in each of two epochs; the second is timed. */
const STEPS = 4;

/** Written into the run, which is known by it when it is resumed. */
const REASON = "chosen by --quick, for about a minute";

/**
 * @param options.isResumed takes what was chosen when the run in `out` began.
 * @returns the configuration with `stages` and, where all are too many, `images`; why, by key; and seconds of a step of
 *   the last stage, where some were timed.
 * @throws InputError where a run is there that is not to be resumed, or was not quick.
 */
export async function quickConfig(
  raw: RawConfig,
  { engine, signal, isResumed }: { engine: Engine; signal?: AbortSignal; isResumed?: boolean },
): Promise<{ config: RawConfig; reasons: Record<string, string>; seconds?: number }> {
  for (const begun of [raw.out, join(raw.out, foldFolder(1))]) {
    if (!(await holdsCheckpoint(begun))) continue;
    if (!isResumed) throw runIsThere(begun);
    const reasons = await readReasons(begun);
    if (!Object.values(reasons).includes(REASON))
      throw new InputError(`${begun}: its training was not begun with --quick.`, {
        cure: "Go on with --resume, without --quick.",
        file: begun,
      });
    const { stages, images } = await readConfig(join(begun, "config.json"));
    return { config: { ...raw, stages, ...(images && { images }) }, reasons: reasonsOf({ stages, images }) };
  }
  const plan = await planTraining(raw);
  const { config, dataset } = plan;
  const measured = await measureSteps(plan, { engine, signal });
  const chosen = quickStages(config.stages, {
    ...measured,
    batchSize: config.batchSize,
    trainCount: splitSize(dataset, "train"),
    validationCount: splitSize(dataset, "validation"),
    drawsEach: plan.drawCount / splitSize(dataset, "train"),
  });
  return { config: { ...raw, ...chosen }, reasons: reasonsOf(chosen), seconds: measured.stepSeconds.at(-1) };
}

function reasonsOf({ stages = [], images = {} }: Pick<RawConfig, "stages" | "images">): Record<string, string> {
  const keys = [
    ...Object.keys(stages).map((place) => `stages.${place}.epochs`),
    ...Object.keys(images).map((split) => `images.${split}`),
  ];
  return Object.fromEntries(keys.map((key) => [key, REASON]));
}

/** Trains a few steps in a folder that is removed again. */
async function measureSteps(
  { config }: TrainPlan,
  { engine, signal }: { engine: Engine; signal?: AbortSignal },
): Promise<{ stepSeconds: number[]; featureSeconds: number }> {
  const out = await mkdtemp(join(tmpdir(), "aspectlens-quick-"));
  try {
    const { batchSize } = config;
    const tried: RawConfig = {
      ...config,
      ...{ out, patience: 0, images: { train: STEPS * batchSize, validation: batchSize } },
      stages: config.stages.map((stage) => ({ ...stage, epochs: 2 })),
    };
    const dataset = await openPart(tried.dataset, partOf(tried));
    const plan = await planOf(tried, { dataset });
    const stepCount = Math.ceil(plan.drawCount / batchSize);
    const features: { done: number; at: number }[] = [];
    const { history } = await trainStages({
      ...plan,
      ...{ engine, signal, inventory: { files: [], changed: [], contentHash: "" } },
      onCache: (done) => features.push({ done, at: performance.now() }),
    });
    const [first, last] = [features[0], features.at(-1)];
    return {
      stepSeconds: history.filter(({ epoch }) => epoch === 2).map(({ seconds }) => seconds / stepCount),
      featureSeconds:
        first && last && last.done > first.done ? (last.at - first.at) / 1000 / (last.done - first.done) : 0,
    };
  } catch (error) {
    signal?.throwIfAborted(); // nothing is saved here that could be resumed
    throw error;
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}
