/** `aspectlens evaluate`: every metric of every head, of a run or a bundle, on a split of a dataset. */

import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Command, Option } from "commander";
import { InputError } from "../../core/errors.js";
import { writeJson } from "../../core/files.js";
import { batches } from "../../dataset/batches.js";
import { SPLITS, type Split } from "../../dataset/record.js";
import { selectEngine } from "../../engine/select-engine.js";
import { createModel } from "../../model/model.js";
import { recordMetrics, type SplitMetrics } from "../../model/trained-model.js";
import type { Batch } from "../../train/batch.js";
import { evaluate } from "../../train/evaluate-split.js";
import { imageInput } from "../../train/inputs.js";
import { whileLocked } from "../../train/run-folder.js";
import { evaluationStep, modelInputShapes } from "../../train/step.js";
import { openSplit } from "../../workflows/open-split.js";
import { readModel } from "../../workflows/read-model.js";
import { classifierLines } from "../classifier-lines.js";
import { type EngineOptions, engineOptions, showNotice } from "../engine-options.js";
import { metricsTable } from "../metrics-table.js";
import { checkOutFile } from "../out-file.js";
import { printJson, printLine } from "../output.js";
import { progressBar } from "../progress.js";
import { type CommonOptions, runCommand } from "../run-command.js";

interface EvaluateOptions extends CommonOptions, EngineOptions {
  readonly split: Split;
  readonly out?: string;
}

const FORMAT = "aspectlens-metrics/1";
const BATCH_SIZE = 8;

export function addEvaluate(program: Command): void {
  engineOptions(program.command("evaluate"))
    .description("measure every head on a split of a dataset")
    .argument("<model>", "run folder or bundle")
    .argument("<dataset>", "folder with dataset.json")
    .addOption(new Option("--split <name>", "which images").choices(SPLITS).default("test"))
    .option("--out <file>", "write the result there, as JSON")
    .option("--json", "print one JSON object (aspectlens-metrics/1)")
    .option("--debug", "print the stack of an error")
    .addHelpText("after", "\nExample:\n  aspectlens evaluate model.aspect data/tissue --out metrics.json")
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
  if (out !== undefined) await checkOutFile(out, { isOurs: isMetricsFile, what: "the result of an evaluation" });
  const { spec, parameters, provenance } = await readModel(path);
  const { dataset, count } = await openSplit(directory, { split, spec, cure: "Choose another with --split." });
  const model = createModel(spec);
  const engine = await selectEngine({ ...options, onNotice: showNotice });
  try {
    const compiled = await engine.compile(evaluationStep(model, { input: { kind: "image" } }), {
      name: "evaluation",
      inputs: modelInputShapes(model, { kind: "image" }, BATCH_SIZE),
      constants: parameters,
    });
    const bar = progressBar("evaluating");
    const side = spec.trunk.inputSize;
    async function* stream(): AsyncGenerator<Batch> {
      let done = 0;
      for await (const samples of batches(dataset, { split, batchSize: BATCH_SIZE, inputSize: side })) {
        yield { inputs: { image: imageInput(samples, { side, batchSize: BATCH_SIZE }) }, samples };
        done += samples.length;
        bar.update(done / count, `image ${done} of ${count}`);
      }
    }
    const heads = await evaluate(model, stream(), { run: (inputs) => compiled.run(inputs), signal });
    bar.clear();
    const { name } = dataset.manifest;
    const metrics = { format: FORMAT, split, dataset: { name, hash: dataset.hash, count }, heads } as const;
    if (out !== undefined) await writeJson(out, metrics);
    if (dataset.hash === provenance.dataset.hash) await record(path, metrics);
    if (options.json) printJson(metrics);
    else {
      printLine(`${name}, ${split}: ${count} images`);
      for (const line of metricsTable(heads)) printLine(`  ${line}`);
      const { [model.classifier.spec.name]: classifier } = heads;
      if (classifier.kind === "classifier") for (const line of classifierLines(classifier)) printLine(`  ${line}`);
    }
  } finally {
    await engine.dispose();
  }
}

/** In a run folder, where a bundle's model card shows it; a run that cannot be written to, or is being trained, stays as it is. */
async function record(path: string, metrics: SplitMetrics): Promise<void> {
  if (!(await stat(path)).isDirectory()) return;
  await whileLocked(path, () => recordMetrics(join(path, "best"), metrics)).catch((error: unknown) => {
    if (!(error instanceof InputError)) throw error;
    showNotice(`not recorded for the model card: ${error.message}`);
  });
}

/** True for what `--out` made earlier. */
async function isMetricsFile(path: string): Promise<boolean> {
  try {
    const value: unknown = JSON.parse(await readFile(path, "utf8"));
    return typeof value === "object" && value !== null && "format" in value && value.format === FORMAT;
  } catch {
    return false;
  }
}
