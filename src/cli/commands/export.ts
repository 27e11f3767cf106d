/** `aspectlens export`: a run's best model as one bundle file. */

import { readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Command } from "commander";
import { FILES } from "../../bundle/description.js";
import { exportBundle } from "../../bundle/export-bundle.js";
import { readZipDirectory } from "../../bundle/zip.js";
import { ConfigError, InputError } from "../../core/errors.js";
import { parseJson } from "../../core/json.js";
import { readWhole } from "../../core/read-whole.js";
import { batches } from "../../dataset/batches.js";
import { openDataset, splitSize } from "../../dataset/dataset.js";
import { RESIZE_KERNEL } from "../../dataset/image.js";
import { SPLITS } from "../../dataset/record.js";
import { openRuntime } from "../../engine/session.js";
import { readTrainedModel, type TrainedModel } from "../../model/trained-model.js";
import { showNotice } from "../engine-options.js";
import { checkOutFile } from "../out-file.js";
import { printJson, printLine } from "../output.js";
import { type CommonOptions, runCommand } from "../run-command.js";

interface ExportOptions extends CommonOptions {
  readonly licence?: string;
}

/** Real images among the goldens, beside a drawn one and noise. */
const GOLDEN_IMAGES = 2;
const MOST_LICENCE_BYTES = 1_000_000;
const ENDING = ".aspect";

export function addExport(program: Command): void {
  program
    .command("export")
    .description("write a run's best model as one bundle file")
    .argument("<run>", "run folder")
    .argument("<out>", `bundle to write, name${ENDING}`)
    .option("--licence <file>", "text of the model's licence")
    .option("--json", "print one JSON object")
    .option("--debug", "print the stack of an error")
    .addHelpText("after", "\nExample:\n  aspectlens export runs/tissue tissue.aspect")
    .action((run: string, out: string, options: ExportOptions) =>
      runCommand(options, (signal) => runExport(run, out, options, signal)),
    );
}

async function runExport(run: string, out: string, options: ExportOptions, signal: AbortSignal): Promise<void> {
  if (!out.endsWith(ENDING))
    throw new InputError(`${out}: a bundle's name ends in ${ENDING}. Call it ${out}${ENDING}.`);
  await checkOutBundle(out);
  const bytes = await writeRunBundle(run, out, { ...options, signal });
  if (options.json) printJson({ bundle: out, bytes });
  else {
    printLine(`${out}: ${(bytes / 1e6).toFixed(1)} MB`);
    printLine(`next: aspectlens explain ${out} image.png`);
  }
}

/** @throws InputError where there is another file than a bundle. */
export async function checkOutBundle(out: string): Promise<void> {
  const isOurs = (path: string) =>
    readZipDirectory(path).then(
      (directory) => directory.has(FILES.description),
      () => false,
    );
  await checkOutFile(out, { isOurs, what: "a bundle" });
}

/** Exports a run. @returns the size of the bundle in bytes. */
export async function writeRunBundle(
  run: string,
  out: string,
  { licence, signal }: { licence?: string; signal?: AbortSignal } = {},
): Promise<number> {
  const trained = await readTrainedModel(join(run, "best"));
  const runtime = openRuntime();
  try {
    await exportBundle(trained, out, {
      runtime,
      signal,
      kernel: RESIZE_KERNEL,
      name: basename(out, ENDING),
      samples: await goldenSamples(run, trained),
      ...(licence === undefined ? {} : { licence: await readLicence(licence) }),
    });
  } finally {
    await runtime.dispose();
  }
  return (await stat(out)).size;
}

/** Images of the run's own dataset, tests first; none where it has gone. */
async function goldenSamples(run: string, { spec }: TrainedModel): Promise<Uint8Array[]> {
  try {
    const file = join(run, "config.json");
    const config = parseJson(await readFile(file), { where: file, error: ConfigError }) as { dataset: string };
    const dataset = await openDataset(config.dataset);
    const split = [...SPLITS].reverse().find((name) => splitSize(dataset, name) > 0);
    if (!split) return [];
    for await (const samples of batches(dataset, {
      split,
      batchSize: GOLDEN_IMAGES,
      inputSize: spec.trunk.inputSize,
    })) {
      return samples.map((sample) => sample.image);
    }
  } catch (error) {
    showNotice(`goldens without images of the dataset (${(error as Error).message})`);
  }
  return [];
}

async function readLicence(path: string): Promise<string> {
  const bytes = await readWhole(path, { label: `${path} (the licence)`, limit: MOST_LICENCE_BYTES });
  return Buffer.from(bytes).toString("utf8");
}
