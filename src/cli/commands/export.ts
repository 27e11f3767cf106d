/** `aspectlens export`: a run's best model as one bundle file. */

import type { Command } from "commander";
import { FILES } from "../../bundle/description.js";
import { readZipDirectory } from "../../bundle/zip.js";
import { BUNDLE_ENDING, checkBundleName, exportRun } from "../../workflows/export-run.js";
import { showNotice } from "../engine-options.js";
import { checkOutFile } from "../out-file.js";
import { printJson, printLine } from "../output.js";
import { type CommonOptions, runCommand } from "../run-command.js";

interface ExportOptions extends CommonOptions {
  readonly licence?: string;
}

export function addExport(program: Command): void {
  program
    .command("export")
    .description("write a run's best model as one bundle file")
    .argument("<run>", "run folder")
    .argument("<out>", `bundle to write, NAME${BUNDLE_ENDING}`)
    .option("--licence <file>", "file with the text of the model's licence")
    .option("--json", "print one JSON object")
    .option("--debug", "print the stack of an error")
    .addHelpText("after", "\nExample:\n  aspectlens export runs/tissue tissue.aspect")
    .action((run: string, out: string, options: ExportOptions) =>
      runCommand(options, (signal) => runExport(run, out, options, signal)),
    );
}

async function runExport(run: string, out: string, options: ExportOptions, signal: AbortSignal): Promise<void> {
  checkBundleName(out);
  await checkOutBundle(out);
  const bytes = await exportRun(run, out, { licence: options.licence, onNotice: showNotice, signal });
  if (options.json) printJson({ bundle: out, bytes });
  else {
    printLine(`${out}: ${(bytes / 1e6).toFixed(1)} MB`);
    printLine(`next: aspectlens explain ${out} image.png`);
  }
}

/** @throws InputError if the file exists and is not a bundle. */
export async function checkOutBundle(out: string): Promise<void> {
  const isOurs = (path: string) =>
    readZipDirectory(path).then(
      (directory) => directory.has(FILES.description),
      () => false,
    );
  await checkOutFile(out, { isOurs, what: "a bundle" });
}
