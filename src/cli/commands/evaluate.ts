/** `aspectlens evaluate`: all metrics of every head of a run or a bundle, on one split of a dataset. */

import { stat } from "node:fs/promises";
import { join } from "node:path";
import { type Command, Option } from "commander";
import { InputError } from "../../core/errors.js";
import { writeJson } from "../../core/files.js";
import { isOfFormat } from "../../core/own-json.js";
import { SPLITS, type Split } from "../../dataset/record.js";
import { selectEngine } from "../../engine/select-engine.js";
import { recordMetrics, type SplitMetrics } from "../../model/trained-model.js";
import { whileLocked } from "../../train/run-folder.js";
import { type Evaluation, evaluateModel } from "../../workflows/evaluate-model.js";
import { readModel } from "../../workflows/read-model.js";
import { type EngineOptions, engineOptions, showNotice } from "../engine-options.js";
import { evaluationLines } from "../evaluation-lines.js";
import { checkOutFile } from "../out-file.js";
import { printJson, printLine } from "../output.js";
import { progressBar } from "../progress.js";
import { type CommonOptions, runCommand } from "../run-command.js";

interface EvaluateOptions extends CommonOptions, EngineOptions {
  readonly split: Split;
  readonly out?: string;
}

const FORMAT = "aspectlens-metrics/1";

export function addEvaluate(program: Command): void {
  engineOptions(program.command("evaluate"))
    .description("measure every head on a split of a dataset")
    .argument("<model>", "run folder or bundle")
    .argument("<dataset>", "folder with dataset.json")
    .addOption(new Option("--split <name>", "split to measure").choices(SPLITS).default("test"))
    .option("--out <file>", "write the metrics to this file, as JSON")
    .option("--json", "print one JSON object (aspectlens-metrics/1)")
    .option("--debug", "print the stack of an error")
    .addHelpText(
      "after",
      "\nExamples:\n  aspectlens evaluate runs/tissue data/tissue\n" +
        "  aspectlens evaluate model.aspect data/tissue --split validation --out metrics.json",
    )
    .action((model: string, dataset: string, options: EvaluateOptions) =>
      runCommand(options, (signal) => runEvaluate(model, dataset, options, signal)),
    );
}

async function runEvaluate(
  path: string,
  directory: string,
  options: EvaluateOptions,
  signal: AbortSignal,
): Promise<void> {
  const { split, out } = options;
  if (out !== undefined) await checkOutFile(out, { isOurs: isOfFormat(FORMAT), what: "the result of an evaluation" });
  const trained = await readModel(path);
  const engine = await selectEngine({ ...options, onNotice: showNotice });
  try {
    const bar = progressBar("evaluating");
    const onProgress = (done: number, count: number) => bar.update(done / count, `image ${done} of ${count}`);
    const metrics = await evaluateModel(trained, directory, { engine, split, onProgress, signal });
    bar.clear();
    const { dataset } = metrics;
    if (out !== undefined) await writeJson(out, metrics);
    if (dataset.hash === trained.provenance.dataset.hash) await record(path, withoutGroups(metrics));
    if (options.json) printJson(metrics);
    else {
      printLine(`${dataset.name}, ${split}: ${dataset.count} images`);
      printLine();
      for (const line of evaluationLines(metrics)) printLine(line);
    }
  } finally {
    await engine.dispose();
  }
}

/** A bundle that is given away tells nothing of patients and sites. */
function withoutGroups({ groups: _, ...metrics }: Evaluation): SplitMetrics {
  return metrics;
}

/**
 * Recorded in the run folder, for the model card of its next bundle; a run that is read-only or being trained is left
 * unchanged.
 */
async function record(path: string, metrics: SplitMetrics): Promise<void> {
  if (!(await stat(path)).isDirectory()) return;
  await whileLocked(path, () => recordMetrics(join(path, "best"), metrics)).catch((error: unknown) => {
    if (!(error instanceof InputError)) throw error;
    showNotice(`not recorded for the model card: ${error.message}`);
  });
}
