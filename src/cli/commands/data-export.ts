/** `aspectlens data export`: from a dataset to the form of another tool. */

import { type Command, Option } from "commander";
import { formatTable } from "../../core/text-table.js";
import { EXPORT_TOOLS, type ExportReport, exportDataset } from "../../dataset/formats/export.js";
import { printJson, printLine } from "../output.js";
import { progressBar } from "../progress.js";
import { type CommonOptions, runCommand } from "../run-command.js";

interface ExportOptions extends CommonOptions {
  readonly to: string;
  readonly link?: boolean;
}

export function addDataExport(data: Command): void {
  data
    .command("export")
    .description("write a dataset in the form of another tool, with the mapping that leads back")
    .argument("<dir>", "folder with dataset.json")
    .argument("<out>", "folder to create; an earlier export there of the same dataset to the same tool is replaced")
    .addOption(new Option("--to <tool>", "the form").choices(EXPORT_TOOLS).makeOptionMandatory())
    .option("--link", "link to the images instead of copying them")
    .option("--json", "print one JSON object")
    .option("--debug", "print the stack of an error")
    .addHelpText(
      "after",
      `
Examples:
  aspectlens data export data/cells cells-coco --to coco
  aspectlens data export data/cells cells-tasks --to label-studio
  aspectlens data import cells-coco data/again --mapping cells-coco/mapping.yaml`,
    )
    .action((directory: string, out: string, options: ExportOptions) =>
      runCommand(options, (signal) => runExport(directory, out, options, signal)),
    );
}

async function runExport(directory: string, out: string, options: ExportOptions, signal: AbortSignal): Promise<void> {
  const bar = progressBar("exporting");
  const report = await exportDataset(directory, out, {
    to: options.to,
    link: options.link,
    onProgress: (share, text) => bar.update(share, text),
    signal,
  }).finally(() => bar.clear());
  if (options.json) printJson(report);
  else printReport(report);
}

function printReport({ directory, to, samples, categories, notes }: ExportReport): void {
  const { train, validation, test } = samples;
  printLine(`${directory} (${to}): ${train} training, ${validation} validation, ${test} test images`);
  const rows = Object.entries(categories).map(([name, { labelled, empty, unlabelled }]) => [
    ...[name, String(labelled), String(empty), String(unlabelled)],
  ]);
  for (const line of formatTable([["category", "labelled", "empty", "unlabelled"], ...rows])) printLine(`  ${line}`);
  for (const note of notes) printLine(`note: ${note}`);
}
