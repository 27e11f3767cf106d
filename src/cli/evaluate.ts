/** `aspectlens evaluate`: every metric of every head, of a run or a bundle, on a split of a dataset. */

import type { Command } from "commander";
import { Option } from "commander";
import { batches } from "../dataset/batches.js";
import { SPLITS, type Split } from "../dataset/record.js";
import { selectEngine } from "../engine/select-engine.js";
import { createModel } from "../model.js";
import type { Batch } from "../train/batch.js";
import { evaluate } from "../train/evaluate.js";
import { imageInput } from "../train/inputs.js";
import { evaluationStep, modelInputShapes } from "../train/step.js";
import { type EngineOptions, engineOptions, showNotice } from "./engine-options.js";
import { metricsTable } from "./metrics-table.js";
import { openSplit } from "./open-split.js";
import { type CommonOptions, runCommand } from "./outcome.js";
import { printJson, printLine } from "./output.js";
import { progressBar } from "./progress.js";
import { readModel } from "./read-model.js";

interface EvaluateOptions extends CommonOptions, EngineOptions {
  readonly split: Split;
}

const BATCH_SIZE = 8;

export function addEvaluate(program: Command): void {
  engineOptions(program.command("evaluate"))
    .description("measure every head on a split of a dataset")
    .argument("<model>", "run folder or bundle")
    .argument("<dataset>", "folder with dataset.json")
    .addOption(new Option("--split <name>", "which images").choices(SPLITS).default("test"))
    .option("--json", "print one JSON object (aspectlens-metrics/1)")
    .option("--debug", "print the stack of an error")
    .addHelpText("after", "\nExample:\n  aspectlens evaluate model.aspect data/tissue --json > metrics.json")
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
  const { spec, parameters } = await readModel(path);
  const { split } = options;
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
    const metrics = await evaluate(model, stream(), { run: (inputs) => compiled.run(inputs), signal });
    bar.clear();
    if (options.json) printJson({ format: "aspectlens-metrics/1", split, heads: metrics });
    else {
      printLine(`${dataset.manifest.name}, ${split}: ${count} images`);
      for (const line of metricsTable(metrics)) printLine(`  ${line}`);
    }
  } finally {
    await engine.dispose();
  }
}
