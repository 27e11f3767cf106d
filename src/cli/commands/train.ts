/**
 * `aspectlens train`: joint training from a configuration, with a progress bar, resumable. On Ctrl-C the training saves
 * itself, in `../../train/epoch.ts`.
 */

import { join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { ConfigError, InterruptedError } from "../../core/errors.js";
import { scaleIn, scaleText } from "../../core/relevance-scale.js";
import { openResultFolder } from "../../core/result-folder.js";
import { selectEngine } from "../../engine/select-engine.js";
import { DEFAULT_SALIENCY } from "../../explain/methods.js";
import { metricsOf, type TrainedModel } from "../../model/trained-model.js";
import { augmentationSheet } from "../../pictures/augmentation-sheet.js";
import { holdsCheckpoint } from "../../train/checkpoint.js";
import { inConfig, type RawConfig } from "../../train/config.js";
import { readConfig } from "../../train/read-config.js";
import { previewAugmentation } from "../../workflows/preview-augmentation.js";
import { quickConfig } from "../../workflows/quick-config.js";
import { planTraining } from "../../workflows/train-plan.js";
import { type RunOptions, runTraining } from "../../workflows/train-run.js";
import { countUpTo, type EngineOptions, engineOptions, showNotice } from "../engine-options.js";
import { checkFolder } from "../out-folder.js";
import { metricsTable, printJson, printLine, printNote } from "../output.js";
import { duration } from "../progress.js";
import { quoted } from "../quoted-path.js";
import { type CommonOptions, runCommand } from "../run-command.js";
import { explainConfig } from "./explain-config.js";
import { trainFolds } from "./train-folds.js";
import { trainingProgress } from "./train-progress.js";
import { trainSeparate } from "./train-separate.js";

interface TrainCommandOptions extends CommonOptions, EngineOptions {
  readonly set?: readonly string[];
  readonly reasons?: RunOptions["reasons"];
  readonly resume?: boolean;
  readonly finish?: boolean;
  readonly addHeads?: string;
  readonly folds?: number;
  readonly compareSeparate?: boolean;
  readonly quick?: boolean;
  readonly explainConfig?: boolean;
  readonly preview?: string;
}

export function addTrain(program: Command): void {
  engineOptions(program.command("train"))
    .description("train a classifier and aspect heads jointly on one trunk")
    .argument(
      "[config]",
      "configuration, a JSON file; with --resume or --finish also the config.json of the run folder",
    )
    .option("--set <key=value>", "override a key of the configuration; may be repeated", collect)
    .option("--resume", "continue exactly where the run stopped")
    .addOption(
      new Option("--finish", "end an interrupted run now, with its best epoch so far as the model").conflicts("resume"),
    )
    .option("--add-heads <run>", "add heads to a finished run; its trunk and heads stay unchanged")
    .addOption(
      new Option("--folds <count>", "cross-validation: train so many models, each without one part of the images")
        .argParser(foldCount)
        .conflicts(["finish", "addHeads", "explainConfig", "preview"]),
    )
    .addOption(
      new Option(
        "--compare-separate",
        "also train each head alone, and show what training together costs or gives",
      ).conflicts(["finish", "addHeads", "explainConfig", "preview", "folds"]),
    )
    .addOption(
      new Option(
        "--quick",
        "a first model in about a minute: measure a step, and take so many epochs and images; with --resume, as before",
      ).conflicts(["finish", "addHeads", "explainConfig", "preview"]),
    )
    .addOption(
      new Option(
        "--explain-config",
        "print each setting of a new training and why the data make it so, and train nothing",
      ).conflicts(["resume", "finish", "preview"]),
    )
    .addOption(
      new Option(
        "--preview <folder>",
        "draw what augmentation makes of some training images, and train nothing",
      ).conflicts(["resume", "finish"]),
    )
    .option("--json", "print one JSON object at the end")
    .option("--debug", "print the stack of an error")
    .addHelpText(
      "after",
      `
The smallest configuration: { "dataset": "data/tissue", "out": "runs/tissue" }

Examples:
  aspectlens train config.json
  aspectlens train config.json --set trunk.inputSize=160 --set "stages.0.epochs=5"
  aspectlens train config.json --explain-config
  aspectlens train config.json --preview views
  aspectlens train config.json --resume
  aspectlens train runs/tissue/config.json --finish
  aspectlens train config.json --quick
  aspectlens train config.json --folds 5
  aspectlens train config.json --compare-separate
  aspectlens train more-aspects.json --add-heads runs/tissue

--explain-config and --preview are about a new training: without --resume and --finish. --quick --resume goes on with
what --quick chose. docs/configuration.md lists every key with its default and range.`,
    )
    .action((config: string | undefined, options: TrainCommandOptions) =>
      runCommand(options, (signal) => runTrain(config, options, signal)),
    );
}

function collect(value: string, former: readonly string[] = []): string[] {
  return [...former, value];
}

function foldCount(value: string): number {
  const count = countUpTo(100)(value);
  if (count < 2) throw new InvalidArgumentError("Give at least 2.");
  return count;
}

async function runTrain(config: string | undefined, options: TrainCommandOptions, signal: AbortSignal): Promise<void> {
  if (config === undefined) throw new ConfigError("train: name a configuration, as in: aspectlens train config.json.");
  await inConfig(config, async () => {
    const given = await readConfig(config, { assignments: options.set });
    if (!options.quick) return trainAs(given, options, signal);
    const { config: raw, reasons } = await shortened(given, options, signal);
    return trainAs(raw, { ...options, reasons }, signal);
  });
}

async function trainAs(raw: RawConfig, options: TrainCommandOptions, signal: AbortSignal): Promise<void> {
  const again = (error: unknown) => {
    throw toldToGoOn(error, "the same command and --resume.");
  };
  if (options.folds !== undefined) return trainFolds(raw, { ...options, folds: options.folds }, signal).catch(again);
  if (options.compareSeparate) return trainSeparate(raw, options, signal).catch(again);
  if (options.explainConfig) return explainConfig(raw, options);
  if (options.preview !== undefined) return preview(raw, options.preview, options);
  const { trained, seconds, wasFinished } = await trainWithProgress(raw, options, signal);
  const best = join(raw.out, "best");
  if (options.json) {
    const { scales, provenance } = trained;
    printJson({
      run: raw.out,
      best,
      seconds,
      scales,
      metrics: metricsOf(provenance)[0] ?? {},
      warnings: provenance.warnings,
    });
    return;
  }
  printTrained(trained);
  printLine();
  const done = wasFinished ? "was finished already" : `trained in ${duration(seconds * 1000)}`;
  printLine(`${done}; the best model is in ${best}`);
  printLine(`next: aspectlens export ${raw.out} model.aspect`);
}

/** The configuration with stages and images that take about a minute here, and why they are so. */
async function shortened(raw: RawConfig, options: TrainCommandOptions, signal: AbortSignal) {
  const engine = await selectEngine(options);
  try {
    const quick = await quickConfig(raw, { engine, signal, isResumed: options.resume });
    if (quick.seconds !== undefined) printNote(`quick: ${quickLine(quick.config, quick.seconds)}`);
    return quick;
  } finally {
    await engine.dispose();
  }
}

function quickLine({ stages = [], images }: RawConfig, seconds: number): string {
  const epochs = Object.values(stages).map((stage) => stage.epochs);
  const some = images?.train === undefined ? "all training images" : `${images.train} training images`;
  return `epochs ${epochs.join(" and ")} over ${some}; a step takes ${seconds.toPrecision(2)} s`;
}

/** Draws augmented training images: `augmentation.png` in a folder, which replaces an earlier one. */
async function preview(raw: RawConfig, out: string, { addHeads, json }: TrainCommandOptions): Promise<void> {
  await checkFolder(out, "--preview");
  const { config, dataset } = await planTraining(raw, { addHeadsTo: addHeads });
  const folder = await openResultFolder(out);
  const rows = await previewAugmentation(dataset, config);
  const aspects = dataset.manifest.aspects.map(({ name }) => name);
  const sheet = await augmentationSheet(rows, { aspects, size: config.trunk.inputSize });
  const [path] = await folder.write("augmentation", { "augmentation.png": sheet });
  if (json) printJson({ preview: path });
  else printLine(`training images as they are augmented: ${path}`);
}

/** Trains and shows the progress on stderr; also used by `demo`. */
export async function trainWithProgress(
  raw: Parameters<typeof runTraining>[0],
  options: Pick<TrainCommandOptions, "engine" | "threads" | "device" | "resume" | "finish" | "addHeads" | "reasons">,
  signal: AbortSignal,
): Promise<{ trained: TrainedModel; seconds: number; wasFinished: boolean }> {
  const begun = performance.now();
  const engine = await selectEngine({ ...options, onNotice: showNotice });
  const { callbacks, bar } = trainingProgress();
  let wasFinished = true;
  try {
    const trained = await runTraining(raw, {
      ...callbacks,
      onStart: (plan) => {
        wasFinished = false;
        callbacks.onStart?.(plan);
      },
      isKept: options.resume,
      reasons: options.reasons,
      engine,
      signal,
      isResumed: options.resume,
      isFinishing: options.finish,
      addHeadsTo: options.addHeads,
    });
    bar().clear();
    return { trained, seconds: Math.round((performance.now() - begun) / 1000), wasFinished };
  } catch (error) {
    // Not the command that was given: its --set would be missed, and what was chosen by the data is in this file.
    const more = options.addHeads === undefined ? "" : ` --add-heads ${quoted(options.addHeads)}`;
    const command = `aspectlens train ${quoted(join(raw.out, "config.json"))} --resume${more}`;
    throw (await holdsCheckpoint(raw.out)) ? toldToGoOn(error, command) : error;
  } finally {
    await engine.dispose();
  }
}

/** An interruption with how to go on; any other error as it is. */
function toldToGoOn(error: unknown, how: string): unknown {
  return error instanceof InterruptedError
    ? new InterruptedError(`${error.message} Go on with: ${how}`, { cause: error })
    : error;
}

/** Metrics, scale of relevance and warnings of a trained model. */
export function printTrained({ scales, provenance }: TrainedModel): void {
  const [validation] = metricsOf(provenance);
  printLine();
  if (validation) {
    printLine("validation, of the best epoch:");
    for (const line of metricsTable(validation.heads)) printLine(`  ${line}`);
  } else printLine("validation: not evaluated (no labelled sample has that split)");
  printLine(`relevance: ${scaleText(scaleIn(scales, DEFAULT_SALIENCY, "class"))}`);
  for (const warning of provenance.warnings) printLine(`warning: ${warning}`);
}
