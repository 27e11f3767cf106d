/** What a training shows on stderr: its plan, a bar within each epoch, a line after it, and what follows the last. */

import type { EpochRecord } from "../../core/epoch-record.js";
import { sizeKey } from "../../core/size.js";
import { splitSize } from "../../dataset/dataset.js";
import type { TrainProgress } from "../../train/epoch.js";
import { STUCK_WEIGHT } from "../../train/stuck-heads.js";
import type { TrainPlan } from "../../workflows/train-plan.js";
import type { RunOptions } from "../../workflows/train-run.js";
import { percent, printNote } from "../output.js";
import { duration, progressBar } from "../progress.js";

/** @returns what `runTraining` calls, and the bar of the moment. */
export function trainingProgress(): {
  readonly callbacks: Pick<RunOptions, "onStart" | "onCache" | "onProgress" | "onEpoch" | "onPhase">;
  readonly bar: () => ReturnType<typeof progressBar>;
} {
  let bar = progressBar("training");
  let stageCount = 1;
  const said = new Set<string>();
  return {
    callbacks: {
      onStart: (plan) => {
        stageCount = plan.config.stages.length;
        printPlan(plan, said);
      },
      onCache: (done, count) => {
        bar.say("computing the features of the frozen trunk");
        bar.update(done / count, `features of the frozen trunk, image ${done} of ${count}`);
      },
      onProgress: (progress) => bar.update(shareOf(progress), describe(progress)),
      onEpoch: (record) => {
        bar.clear();
        printNote(describeEpoch(record, stageCount));
        if (record.stuck) printNote(describeStuck(record.stuck));
        bar = progressBar("training");
      },
      onPhase: (phase) => {
        bar.say(`computing the ${phase}`);
        bar.update(1, `computing the ${phase}`);
      },
    },
    bar: () => bar,
  };
}

/** @param said notes of earlier plans, of other folds, which are not repeated; those of this one are added. */
function printPlan({ config, spec, dataset, notes }: TrainPlan, said: Set<string>): void {
  const { trunk } = config;
  const heads = spec.heads.map((head) => head.name).join(", ");
  const weights = trunk.weights === "random" ? "random weights" : `weights of ${trunk.weights}`;
  const lines = [
    `${dataset.manifest.name}: ${splitSize(dataset, "train")} training images, ` +
      `${splitSize(dataset, "validation")} validation images`,
    `${trunk.name} ${trunk.alpha} at ${sizeKey(trunk.inputSize)} px, ${weights}; source ${config.source}; heads ${heads}`,
    ...config.stages.map(
      (stage, index) =>
        `stage ${index + 1}: ${stage.train}, ${stage.epochs} ${stage.epochs === 1 ? "epoch" : "epochs"}, ` +
        `learning rate ${stage.learningRate}`,
    ),
    ...notes.filter((note) => !said.has(note)).map((note) => `note: ${note}`),
  ];
  for (const note of notes) said.add(note);
  for (const line of lines) printNote(line);
}

function shareOf({ epoch, epochCount, batch, batchCount }: TrainProgress): number {
  return (epoch + batch / batchCount) / epochCount;
}

function describe({ stage, stageCount, epoch, epochCount, losses }: TrainProgress): string {
  const parts = Object.entries(losses)
    .filter(([name]) => name !== "total")
    .map(([name, loss]) => `${name} ${loss.toFixed(2)}`);
  const where = stageCount > 1 ? `stage ${stage + 1}/${stageCount} ` : "";
  return `${where}epoch ${epoch + 1}/${epochCount}  loss ${losses.total.toFixed(3)} (${parts.join(", ")})`;
}

function describeEpoch(record: EpochRecord, stageCount: number): string {
  const where = stageCount > 1 ? `stage ${record.stage + 1} ` : "";
  const score = record.score === null ? "" : `  score ${percent(record.score)}`;
  const loss = record.losses.total.toFixed(3);
  return `${where}epoch ${record.epoch}  loss ${loss}${score}  ${duration(record.seconds * 1000)}`;
}

function describeStuck(names: readonly string[]): string {
  return (
    `note: no better yet than the same answer for every image: ${names.join(", ")}. ` +
    `From here on ${names.length === 1 ? "its loss counts" : "their losses count"} ${STUCK_WEIGHT} times as much.`
  );
}
