/** Several trainings one after the other, each in a run folder of its own; those that are done are read. */

import type { TrainedModel } from "../model/trained-model.js";
import { holdsCheckpoint, runIsThere } from "../train/checkpoint.js";
import type { RawConfig } from "../train/config.js";
import { checkRunFolder } from "../train/run-folder.js";
import { type RunOptions, trainRun } from "./train-run.js";

/** How they are trained; with `isResumed` runs that were begun go on, and those that are done are read. */
export type EachOptions = Omit<RunOptions, "isFinishing" | "addHeadsTo" | "isKept">;

/**
 * @param onRun called before each with its place, from 0.
 * @returns the models, in the order of the configurations.
 * @throws ConfigError where a folder is another's, before anything is trained; else as `runTraining` does.
 */
export async function trainEach(
  configs: readonly RawConfig[],
  options: EachOptions,
  onRun: (index: number) => void,
): Promise<TrainedModel[]> {
  for (const { out } of configs) {
    await checkRunFolder(out);
    if (!options.isResumed && (await holdsCheckpoint(out))) throw runIsThere(out);
  }
  const models: TrainedModel[] = [];
  for (const [index, config] of configs.entries()) {
    onRun(index);
    const isResumed = await holdsCheckpoint(config.out);
    models.push(await trainRun(config, { ...options, isResumed, isKept: true }));
  }
  return models;
}
