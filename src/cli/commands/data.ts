/** `aspectlens data`: checks a dataset, or generates the synthetic tissue set. */

import { readFile } from "node:fs/promises";
import { type Command, InvalidArgumentError } from "commander";
import { DatasetError } from "../../core/errors.js";
import { writeFileAtomic } from "../../core/files.js";
import { formatTable } from "../../core/text-table.js";
import { checkDataset, type DatasetReport } from "../../dataset/check.js";
import { readManifest } from "../../dataset/manifest.js";
import type { Survey } from "../../dataset/survey/survey.js";
import { synthesize } from "../../dataset/synth/synthesize.js";
import { type Cause, POSSIBLE_CAUSES } from "../../dataset/synth/tissue.js";
import { DATASET_PAGE, datasetPage } from "../../pages/dataset-page.js";
import { BUILTIN_INPUT_SIZE } from "../../train/config.js";
import { defaultInputSize } from "../../workflows/default-input-size.js";
import { countUpTo, positiveInteger } from "../engine-options.js";
import { checkOutFile } from "../out-file.js";
import { printJson, printLine, printNote } from "../output.js";
import { progressBar } from "../progress.js";
import { type CommonOptions, runCommand } from "../run-command.js";
import { addDataExport } from "./data-export.js";
import { addDataImport } from "./data-import.js";

interface CheckOptions extends CommonOptions {
  readonly decode: boolean;
  readonly inputSize?: number;
  readonly html?: string;
}

interface SynthOptions extends CommonOptions {
  readonly count: number;
  readonly size: number;
  readonly scale: number;
  readonly seed: number;
  readonly noise: number;
  readonly causes: readonly Cause[];
  readonly tagCorrelation: number;
  readonly unlabelled: number;
  readonly outliers: number;
}

/** Faults shown to people; `--json` lists all. */
const SHOWN_FAULTS = 50;

export function addData(program: Command): void {
  const data = program
    .command("data")
    .description("check a dataset, import or export one in another tool's form, or generate one");
  data
    .command("check")
    .description("count labels by head, state and split, and list every fault with its file and line")
    .argument("<dir>", "folder with dataset.json")
    .option("--no-decode", "check only that images and masks exist, without decoding them")
    .option(
      "--input-size <pixels>",
      "side of a model's input; reports what is too small to be found at this size (default: what train would choose)",
      countUpTo(2048),
    )
    .option("--html <file>", "write what the data hold, with the images to look at, as one page to this file")
    .option("--json", "print one JSON object")
    .option("--debug", "print the stack of an error")
    .addHelpText(
      "after",
      "\nExamples:\n  aspectlens data check data/tissue\n  aspectlens data check data/tissue --html tissue.html",
    )
    .action((directory: string, options: CheckOptions) =>
      runCommand(options, (signal) => runCheck(directory, options, signal)),
    );
  addDataImport(data);
  addDataExport(data);
  data
    .command("synth")
    .description("generate images of synthetic tissue: seven aspects of four kinds, two of which cause the class")
    .argument("<dir>", "folder to create; an earlier generated set there is replaced")
    .option("--count <images>", "number of images, all splits together", positiveInteger, 1000)
    .option("--size <pixels>", "side of each image", positiveInteger, 128)
    .option("--scale <share>", "size of the things beside the usual one, 0.1 to 1", share, 1)
    .option("--seed <number>", "the same seed gives the same set", wholeNumber, 7)
    .option("--noise <share>", "standard deviation of the pixel noise, as a share of 255", share, 0.03)
    .option("--causes <aspects>", `aspects that make an image malignant, of ${POSSIBLE_CAUSES.join(", ")}`, causeList, [
      "mitosis",
      "necrosis",
    ])
    .option("--tag-correlation <share>", "how often the scanner tag agrees with the class; 0.5: by chance", share, 0.5)
    .option("--unlabelled <share>", "share of all labels that are left out", share, 0)
    .option(
      "--outliers <images>",
      "images with a combination that occurs in no other: a scanner tag beside a vessel and lymphocytes",
      wholeNumber,
      0,
    )
    .option("--json", "print one JSON object")
    .option("--debug", "print the stack of an error")
    .addHelpText(
      "after",
      `
Examples:
  aspectlens data synth data/tissue
  aspectlens data synth data/small-things --size 512 --scale 0.14
  aspectlens data synth data/biased --causes mitosis --tag-correlation 0.95 --seed 3`,
    )
    .action((directory: string, options: SynthOptions) =>
      runCommand(options, (signal) => runSynth(directory, options, signal)),
    );
}

/** True for a page that `--html` wrote earlier. */
async function isDatasetPage(path: string): Promise<boolean> {
  const beginning = (await readFile(path, "utf8").catch(() => "")).slice(0, 1000);
  return beginning.includes(`<meta name="generator" content="${DATASET_PAGE}">`);
}

async function runCheck(directory: string, options: CheckOptions, signal: AbortSignal): Promise<void> {
  const { html } = options;
  if (html !== undefined) await checkOutFile(html, { isOurs: isDatasetPage, what: "a page of data check" });
  const bar = progressBar("checking");
  const inputSize = options.inputSize ?? (options.decode ? await defaultInputSize(directory) : BUILTIN_INPUT_SIZE);
  let survey: Survey | undefined;
  const report = await checkDataset(directory, {
    decode: options.decode,
    inputSize,
    onProgress: (lines) => {
      signal.throwIfAborted();
      bar.update(0, `${lines} samples`);
    },
    onSurvey: (found) => {
      survey = found;
    },
  });
  bar.clear();
  if (html !== undefined && survey) {
    const { manifest } = await readManifest(directory);
    await writeFileAtomic(html, await datasetPage({ report, survey }, { directory, manifest }));
    printNote(`${html}: what the data hold`);
  }
  if (options.json) printJson(report);
  else printReport(report);
  if (!report.isUsable) {
    throw new DatasetError(`${directory}: ${report.errorCount} ${report.errorCount === 1 ? "fault" : "faults"}.`, {
      cure: "Correct the lines named above.",
    });
  }
}

function printReport({
  name,
  task,
  hash,
  heads,
  classes,
  groups,
  faults,
  errorCount,
  warningCount,
}: DatasetReport): void {
  printLine(`${name} (${task}), hash ${hash.slice(0, 12)}`);
  const rows = Object.entries(heads).flatMap(([head, { kind, states }]) =>
    Object.entries(states).map(([split, { labelled, empty, unlabelled }]) => [
      head,
      kind,
      split,
      String(labelled),
      String(empty),
      String(unlabelled),
    ]),
  );
  for (const line of formatTable([["head", "kind", "split", "labelled", "empty", "unlabelled"], ...rows]))
    printLine(`  ${line}`);
  for (const [className, splits] of Object.entries(classes)) {
    const counts = Object.entries(splits).map(([split, count]) => `${split} ${count}`);
    printLine(`  class ${className}: ${counts.join(", ")}`);
  }
  for (const [group, { count, sampleCount }] of Object.entries(groups))
    printLine(`  group ${group}: ${count} in ${sampleCount} samples`);
  for (const { severity, message } of faults.slice(0, SHOWN_FAULTS)) printLine(`${severity}: ${message}`);
  if (faults.length > SHOWN_FAULTS) printLine(`... and ${faults.length - SHOWN_FAULTS} more; --json lists all`);
  if (errorCount + warningCount === 0) printLine("no faults");
  else if (errorCount === 0) printLine(`no errors; ${warningCount} ${warningCount === 1 ? "warning" : "warnings"}`);
}

async function runSynth(directory: string, options: SynthOptions, signal: AbortSignal): Promise<void> {
  const { count, size, scale, seed, noise, causes, tagCorrelation, unlabelled, outliers } = options;
  const bar = progressBar("drawing");
  const made = await synthesize(directory, {
    count,
    size,
    scale,
    seed,
    noise,
    causes,
    tagCorrelation,
    unlabelled,
    outliers,
    signal,
    onProgress: (done, all) => bar.update(done / all, `image ${done} of ${all}`),
  });
  bar.clear();
  if (options.json) printJson(made);
  else {
    const { train, validation, test } = made.samples;
    printLine(`${directory}: ${train} training, ${validation} validation, ${test} test images`);
  }
}

function wholeNumber(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0) throw new InvalidArgumentError("Give a whole number of 0 or more.");
  return number;
}

function share(value: string): number {
  const number = Number(value);
  if (value === "" || !(number >= 0 && number <= 1)) throw new InvalidArgumentError("Give a number from 0 to 1.");
  return number;
}

function causeList(value: string): Cause[] {
  const names = value.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !POSSIBLE_CAUSES.includes(name as Cause));
  if (unknown !== undefined)
    throw new InvalidArgumentError(
      `"${unknown}" cannot be a cause. Choose of ${POSSIBLE_CAUSES.join(", ")}, separated by commas.`,
    );
  return names as Cause[];
}
