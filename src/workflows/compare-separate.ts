/**
 * What joint training costs or gives: the joint run, and for each head a run in which that head alone is trained, on
 * the same batches with the same stages and seed; then both on the same images.
 */

import { join } from "node:path";
import { writeJson } from "../core/files.js";
import { splitSize } from "../dataset/dataset.js";
import type { Split } from "../dataset/record.js";
import { type PairedEvaluation, pairedTally } from "../evaluation/paired-tally.js";
import type { TrainedModel } from "../model/trained-model.js";
import type { RawConfig, TrainConfig } from "../train/config.js";
import { answersOf } from "./answers-of.js";
import { checkFolderKind, SEPARATE_FILE, SEPARATE_FOLDER, SEPARATE_FORMAT } from "./folder-kind.js";
import { type EachOptions, trainEach } from "./train-each.js";
import { planTraining, type TrainPlan } from "./train-plan.js";

/** The content of `separate.json`; docs/trainings.md describes it. */
export interface SeparateComparison extends PairedEvaluation {
  readonly format: typeof SEPARATE_FORMAT;
  readonly dataset: { readonly name: string; readonly hash: string; readonly count: number };
  /** What both were measured on. */
  readonly split: Split;
}

/** How the runs are trained, and who is told. */
export interface SeparateOptions extends EachOptions {
  /** Before each training: `undefined` is the joint one. */
  readonly onRun?: (head: string | undefined) => void;
  /** While a run's model is measured. */
  readonly onMeasured?: (done: number, count: number) => void;
}

/**
 * Trains the joint run in `out`, each head alone in `out/separate/<head>`, and writes `separate.json`. Measured on the
 * test split, or on validation where there is none.
 *
 * @throws ConfigError where a folder is another's.
 * @throws InterruptedError as `runTraining` does; with `isResumed` runs that are done are read.
 */
export async function compareSeparate(raw: RawConfig, options: SeparateOptions): Promise<SeparateComparison> {
  await checkFolderKind(raw.out, "separate");
  const plan = await planTraining(raw);
  const names = plan.spec.heads.map(({ name }) => name);
  const runs = [
    { head: undefined, config: raw },
    ...names.map((head) => ({ head, config: aloneOf(plan.config, head) })),
  ];
  const configs = runs.map(({ config }) => config);
  const models = await trainEach(configs, options, (index) => options.onRun?.(runs[index].head));
  const result = await measure(plan, { models, options });
  await writeJson(join(raw.out, SEPARATE_FILE), result);
  return result;
}

/** The same training, in which only one head's loss counts and chooses the best epoch. */
function aloneOf(config: TrainConfig, head: string): TrainConfig {
  const heads = Object.entries(config.heads).map(([name, own]) => [name, name === head ? own : { ...own, weight: 0 }]);
  return { ...config, out: join(config.out, SEPARATE_FOLDER, head), heads: Object.fromEntries(heads), score: head };
}

async function measure(
  { dataset }: TrainPlan,
  { models: [joint, ...alone], options }: { models: readonly TrainedModel[]; options: SeparateOptions },
): Promise<SeparateComparison> {
  const { engine, signal, onMeasured: onProgress } = options;
  const split: Split = splitSize(dataset, "test") > 0 ? "test" : "validation";
  const { heads, trunk } = joint.spec;
  const tally = pairedTally(
    heads.map((spec, index) => ({ joint: spec, separate: alone[index].spec.heads[index] })),
    { size: trunk.inputSize },
  );
  const asked = { engine, split, signal, onProgress };
  for await (const image of answersOf(joint, dataset, asked)) tally.addJoint(image);
  for (const [index, { name }] of heads.entries())
    for await (const image of answersOf(alone[index], dataset, asked)) tally.addSeparate(name, image);
  const { manifest, hash } = dataset;
  return {
    format: SEPARATE_FORMAT,
    dataset: { name: manifest.name, hash, count: splitSize(dataset, split) },
    split,
    ...tally.result(),
  };
}
