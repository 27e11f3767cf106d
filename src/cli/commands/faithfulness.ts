/** `aspectlens faithfulness`: does a model's explanation name the aspect that caused the answer? */

import { join } from "node:path";
import { type Command, Option } from "commander";
import type { CenterCrop } from "../../core/center-crop.js";
import { ConfigError, InputError } from "../../core/errors.js";
import { openResultFolder, type ResultFolder } from "../../core/result-folder.js";
import { sidesOf } from "../../core/size.js";
import { formatTable } from "../../core/text-table.js";
import { type Dataset, records } from "../../dataset/dataset.js";
import { decodeImage } from "../../dataset/open-image.js";
import { locate } from "../../dataset/paths.js";
import { selectEngine } from "../../engine/select-engine.js";
import { allowsCam } from "../../explain/graph/explained-taps.js";
import { checkOptions } from "../../explain/graph/options.js";
import { SALIENCY_NAMES, type SaliencyName } from "../../explain/methods.js";
import { type Case, WORST } from "../../faithfulness/compare-methods.js";
import { type FaithfulnessOfModel, faithfulnessOf } from "../../faithfulness/measure-model.js";
import { comparePairedModels, type PairedModel, type PairedModels } from "../../faithfulness/paired-models.js";
import { createModel, type Model } from "../../model/model.js";
import { imageSizes } from "../../model/model-spec.js";
import type { TrainedModel } from "../../model/trained-model.js";
import { faithfulnessPage, type PictureOfCase } from "../../pages/faithfulness-page.js";
import {
  emptyReason,
  faithfulnessLines,
  METHOD_COLUMNS,
  methodRows,
  NOTHING_TO_MEASURE,
} from "../../pictures/faithfulness-table.js";
import { renderOverlay } from "../../pictures/overlay.js";
import { openSplit } from "../../workflows/open-split.js";
import { readModel } from "../../workflows/read-model.js";
import { countUpTo, type EngineOptions, engineOptions, showNotice } from "../engine-options.js";
import { checkFolder } from "../out-folder.js";
import { printJson, printLine } from "../output.js";
import { progressBar } from "../progress.js";
import { type CommonOptions, runCommand } from "../run-command.js";
import { chooseFonts } from "../text-fonts.js";

/** Side of the square to which the original is resized for its overlay, pixels. */
const PICTURE_SIZE = 512;

interface FaithfulnessCommand extends CommonOptions, EngineOptions {
  readonly out: string;
  readonly saliency: readonly (SaliencyName | "all")[];
  readonly unranked?: readonly string[];
  readonly draws: number;
  readonly twin?: readonly string[];
}

export function addFaithfulness(program: Command): void {
  engineOptions(program.command("faithfulness"))
    .description(
      "measure whether explanations name the aspect that caused the answer, by known causes and by painting aspects over",
    )
    .argument("<model>", "run folder or bundle")
    .argument("<dataset>", 'folder with dataset.json; it may name "causes"')
    .option("--out <folder>", "where the page, its overlays and the JSON go", "faithfulness")
    .addOption(
      new Option("--saliency <methods...>", "methods to measure besides the model's; all: every one")
        .choices([...SALIENCY_NAMES, "all"])
        .default([]),
    )
    .option("--unranked <aspects...>", "aspects that are neither causes nor distractors")
    .option(
      "--draws <count>",
      "times that heads and classifiers are randomized, as controls; classifiers also with negated answers",
      countUpTo(1000),
      20,
    )
    .option(
      "--twin <model-and-dataset...>",
      "model and dataset of a paired model: the same images, with labels that another aspect causes",
    )
    .option("--json", "print one JSON object (aspectlens-faithfulness/2)")
    .option("--debug", "print the stack of an error")
    .addHelpText(
      "after",
      `
Examples:
  aspectlens faithfulness tissue.aspect data/tissue
  aspectlens faithfulness runs/tissue data/tissue --saliency all --out why
  aspectlens faithfulness runs/cat data/cat --twin runs/cell data/cell`,
    )
    .action((model: string, dataset: string, options: FaithfulnessCommand) =>
      runCommand(options, (signal) => runFaithfulness(model, dataset, options, signal)),
    );
}

async function runFaithfulness(
  path: string,
  directory: string,
  options: FaithfulnessCommand,
  signal: AbortSignal,
): Promise<void> {
  const { unranked = [] } = options;
  await checkFolder(options.out);
  const results = await openResultFolder(options.out, { inputs: [path] });
  await results.check([...Array.from({ length: WORST }, (_, index) => worstFile(index)), PAGE, NUMBERS]);
  const trained = await readModel(path);
  checkUnranked(unranked, trained);
  chooseFonts(trained.spec);
  const model = createModel(trained.spec);
  const methods = others(options.saliency, model);
  for (const saliency of methods) checkOptions(model, { saliency });
  const cure = "Faithfulness is measured on those.";
  const { dataset } = await openSplit(directory, { split: "test", spec: trained.spec, cure });
  if (!(await canBeMeasured(dataset))) throw new ConfigError(`${directory}: ${NOTHING_TO_MEASURE}`);
  const paired = await pairedModelOf(options.twin, dataset);
  const engine = await selectEngine({ ...options, onNotice: showNotice });
  const bar = progressBar("measuring");
  let found: FaithfulnessOfModel;
  let pairedModels: PairedModels | null = null;
  try {
    found = await faithfulnessOf(trained, {
      engine,
      dataset,
      others: methods,
      unranked,
      draws: options.draws,
      onProgress: (share, what) => bar.update(share, what),
      signal,
    });
    if (paired) {
      bar.update(1, "the paired model");
      pairedModels = await comparePairedModels({ trained, dataset }, paired, { engine, signal });
    }
  } finally {
    bar.clear();
    await engine.dispose();
  }
  const { worst } = found;
  const faithfulness = { ...found.faithfulness, twins: pairedModels };
  const reason = emptyReason(faithfulness);
  if (reason) throw new ConfigError(`${directory}: ${reason}`);
  await writePage(
    results,
    { faithfulness, worst },
    {
      ...{ model: trained.provenance.dataset.name, dataset, centerCrop: imageSizes(trained.spec).centerCrop },
    },
  );
  if (options.json) return printJson(faithfulness);
  for (const line of faithfulnessLines(faithfulness)) printLine(line);
  printLine();
  const rows = methodRows(faithfulness).map(({ cells }) => [...cells]);
  for (const line of formatTable([[...METHOD_COLUMNS], ...rows])) printLine(line);
  printLine();
  printLine(
    `${worst.length} worst ${worst.length === 1 ? "case" : "cases"} and all numbers: ${join(options.out, PAGE)}`,
  );
}

/** @throws ConfigError where one of them is no aspect of the model. */
export function checkUnranked(unranked: readonly string[], { spec }: TrainedModel): void {
  const aspects = spec.heads.filter((head) => head.kind !== "classifier").map(({ name }) => name);
  const unknown = unranked.find((name) => !aspects.includes(name));
  if (unknown === undefined) return;
  throw new ConfigError(`--unranked: the model has no aspect "${unknown}".`, {
    cure: `It has: ${aspects.join(", ") || "none"}.`,
  });
}

/** Whether causes are known, or a test image has an aspect that can be painted over. */
async function canBeMeasured(dataset: Dataset): Promise<boolean> {
  if (Object.keys(dataset.manifest.causes ?? {}).length > 0) return true;
  for await (const { causes, aspects = {} } of records(dataset, { split: "test" })) {
    if (causes !== undefined) return true;
    if (Object.values(aspects).some(({ mask, boxes }) => mask || boxes?.length)) return true;
  }
  return false;
}

/** @throws ConfigError if it is not a model and a dataset that fits it. */
async function pairedModelOf(words: FaithfulnessCommand["twin"], mine: Dataset): Promise<PairedModel | undefined> {
  if (words === undefined) return undefined;
  const [path, directory] = words;
  if (words.length !== 2)
    throw new ConfigError(`--twin: expected a model and a dataset, got ${words.join(" ")}.`, {
      cure: "Give both: --twin runs/cell data/cell.",
    });
  const trained = await readModel(path);
  const cure = "The paired model is measured on those.";
  const { dataset } = await openSplit(directory, { split: "test", spec: trained.spec, cure });
  const own = new Set<string>();
  for await (const { image } of records(mine, { split: "test" })) own.add(image);
  for await (const { image } of records(dataset, { split: "test" })) if (own.has(image)) return { trained, dataset };
  throw new ConfigError(`--twin ${directory}: none of its test images is one of ${mine.manifest.name}'s.`, {
    cure: "A paired model answers the same images, compared by file name.",
  });
}

/** All valid methods for "all"; CAM only for models with the layers that it needs. */
function others(asked: FaithfulnessCommand["saliency"], model: Model): SaliencyName[] {
  if (!asked.includes("all")) return asked.filter((name) => name !== "all");
  return SALIENCY_NAMES.filter((name) => name !== "cam" || allowsCam(model));
}

const PAGE = "index.html";
const NUMBERS = "faithfulness.json";

function worstFile(index: number): string {
  return `worst-${String(index + 1).padStart(2, "0")}.jpg`;
}

async function writePage(
  results: ResultFolder,
  { faithfulness, worst }: FaithfulnessOfModel,
  { model, dataset, centerCrop }: { model: string; dataset: Dataset; centerCrop?: CenterCrop },
): Promise<void> {
  const pictures: PictureOfCase[] = [];
  const files: Record<string, string | Uint8Array> = {};
  for (const [index, one] of worst.entries()) {
    const file = worstFile(index);
    files[file] = await pictureOf(one, { dataset, centerCrop });
    const { causes, distractors, explanation } = one.comparison;
    const isCauseRelevant = explanation.aspects.some(({ name, isRelevant }) => isRelevant && causes.includes(name));
    pictures.push({ file, image: explanation.image, causes, distractors, error: one.error, isCauseRelevant });
  }
  files[PAGE] = faithfulnessPage(faithfulness, { model, dataset: dataset.manifest.name, worst: pictures });
  files[NUMBERS] = `${JSON.stringify(faithfulness, null, 2)}\n`;
  await results.write("faithfulness", files);
}

/** In the file's aspect ratio; as the model saw it, if the file has been removed since. */
async function pictureOf(
  { explained, pixels }: Case,
  { dataset, centerCrop }: { readonly dataset: Dataset; readonly centerCrop?: CenterCrop },
): Promise<Uint8Array> {
  const { size } = explained.maps;
  try {
    const file = locate(dataset, explained.explanation.image);
    return renderOverlay(explained, await decodeImage(file, { size: PICTURE_SIZE, centerCrop }));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return renderOverlay(explained, { ...sidesOf(size), pixels });
  }
}
