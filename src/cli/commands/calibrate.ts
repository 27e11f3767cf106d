/** `aspectlens calibrate`: finds what a model's scores mean on a dataset, and writes a bundle that says so. */

import { realpath } from "node:fs/promises";
import { basename } from "node:path";
import { type Command, Option } from "commander";
import { exportBundle } from "../../bundle/export-bundle.js";
import { ConfigError, InterruptedError } from "../../core/errors.js";
import { exists } from "../../core/files.js";
import { scaleText } from "../../core/relevance-scale.js";
import { formatTable } from "../../core/text-table.js";
import { batches } from "../../dataset/batches.js";
import type { Split } from "../../dataset/record.js";
import { selectEngine } from "../../engine/select-engine.js";
import { checkOptions } from "../../explain/graph/options.js";
import { SALIENCY_NAMES, type SaliencyName } from "../../explain/methods.js";
import { FEW_IMAGES } from "../../explain/relevance-constants.js";
import { createModel } from "../../model/model.js";
import { imageSizes } from "../../model/model-spec.js";
import { calibrateModel, methodsOf, usualMethods } from "../../workflows/calibrate-model.js";
import { BUNDLE_ENDING, checkBundleName } from "../../workflows/export-run.js";
import { openSplit } from "../../workflows/open-split.js";
import { readModel } from "../../workflows/read-model.js";
import { type EngineOptions, engineOptions, showNotice } from "../engine-options.js";
import { printJson, printLine } from "../output.js";
import { progressBar } from "../progress.js";
import { type CommonOptions, runCommand } from "../run-command.js";
import { checkOutBundle } from "./export.js";
import { checkUnranked } from "./faithfulness.js";

interface CalibrateCommand extends CommonOptions, EngineOptions {
  readonly out: string;
  readonly split: Split;
  readonly saliency?: readonly (SaliencyName | "all")[];
  readonly unranked?: readonly string[];
}

const BATCH = 8;
/** Real images among the goldens of the new bundle. */
const GOLDEN_IMAGES = 2;

export function addCalibrate(program: Command): void {
  engineOptions(program.command("calibrate"))
    .description("find from which score on an aspect is relevant, on images of a dataset, and write it to a new bundle")
    .argument("<model>", "run folder or bundle")
    .argument("<dataset>", "folder with dataset.json; labels are not needed, known causes are used")
    .requiredOption("--out <bundle>", `bundle to write, NAME${BUNDLE_ENDING}`)
    .option("--split <name>", "images to use: train, validation or test", "validation")
    .addOption(
      new Option(
        "--saliency <methods...>",
        "methods beside the default; by default all but score-cam, which takes long; all: that too",
      ).choices([...SALIENCY_NAMES, "all"]),
    )
    .option("--unranked <aspects...>", "aspects that are neither causes nor distractors")
    .option("--json", "print one JSON object")
    .option("--debug", "print the stack of an error")
    .addHelpText(
      "after",
      `
Examples:
  aspectlens calibrate runs/tissue data/tissue --out tissue.aspect
  aspectlens calibrate tissue.aspect data/ward --out ward.aspect --saliency all`,
    )
    .action((model: string, dataset: string, options: CalibrateCommand) =>
      runCommand(options, (signal) => runCalibrate(model, dataset, options, signal)),
    );
}

function fewImages(count: number): string {
  return (
    `only ${count} ${count === 1 ? "image tells" : "images tell"} from which score on an aspect is relevant; ` +
    `from ${FEW_IMAGES} on that is reliable. Add images.`
  );
}

async function runCalibrate(
  path: string,
  directory: string,
  { out, split, saliency, unranked, json, ...options }: CalibrateCommand,
  signal: AbortSignal,
): Promise<void> {
  checkBundleName(out);
  await checkOutBundle(out);
  if ((await exists(out)) && (await realpath(out)) === (await realpath(path)))
    throw new ConfigError(`--out ${out}: is the bundle that is calibrated.`, {
      cure: "Give the new one another name.",
    });
  const trained = await readModel(path);
  checkUnranked(unranked ?? [], trained);
  const { spec, parameters, references } = trained;
  const model = createModel(spec);
  const named = saliency?.filter((name) => name !== "all");
  const others = saliency?.includes("all") ? methodsOf(model) : (named ?? usualMethods(model));
  for (const name of others) checkOptions(model, { saliency: name });
  const cure = "Scores are calibrated on those; name another with --split.";
  const { dataset, count } = await openSplit(directory, { split, spec, cure });
  const samples = async function* () {
    const wanted = { split, batchSize: BATCH, ...imageSizes(spec), seed: 1, shuffle: true };
    for await (const batch of batches(dataset, wanted)) {
      if (signal.aborted) throw new InterruptedError("interrupted; nothing was written.");
      yield batch;
    }
  };
  const engine = await selectEngine({ ...options, onNotice: showNotice });
  const bar = progressBar("calibrating");
  const onProgress = (share: number, what: string) => {
    bar.update(share, what);
    bar.say(`calibrating: ${what}`);
  };
  try {
    const { causes } = dataset.manifest;
    const given = { engine, parameters, references, samples, causes, unranked, others, onProgress };
    const { scales, absences, imageCount, ...found } = await calibrateModel(model, given);
    const warnings = [...(imageCount < FEW_IMAGES ? [fewImages(imageCount)] : []), ...found.warnings];
    bar.clear();
    const images: Uint8Array[] = [];
    for await (const batch of samples()) {
      images.push(...batch.slice(0, GOLDEN_IMAGES - images.length).map(({ image }) => image));
      if (images.length === GOLDEN_IMAGES) break;
    }
    // Those of methods that were not asked for mean what they meant.
    const all = { ...trained.scales, ...scales };
    const kept = Object.keys(all).filter((method) => !Object.hasOwn(scales, method));
    await exportBundle({ ...trained, scales: all, absences }, out, {
      signal,
      name: basename(out, BUNDLE_ENDING),
      samples: images,
    });
    if (json) {
      printJson({ bundle: out, imageCount, scales, absences, warnings });
      return;
    }
    printLine(`calibrated on ${imageCount} of ${count} ${split} images`);
    const rows = Object.entries(scales).flatMap(([method, byGroup]) =>
      Object.entries(byGroup ?? {}).map(([group, scale]) => [method, group, scaleText(scale)]),
    );
    for (const line of formatTable([["saliency", "target", "an aspect is relevant"], ...rows], { numbers: "left" }))
      printLine(line);
    if (kept.length > 0) printLine(`kept as they were: ${kept.join(", ")}`);
    for (const warning of warnings) printLine(`warning: ${warning}`);
    printLine(`next: aspectlens explain ${out} image.png`);
  } finally {
    bar.clear();
    await engine.dispose();
  }
}
