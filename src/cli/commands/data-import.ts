/** `aspectlens data import`: from other annotation tools' exports to a dataset. */

import { dirname, resolve } from "node:path";
import type { Command } from "commander";
import { InputError } from "../../core/errors.js";
import { removeAbandoned } from "../../core/files.js";
import { formatTable } from "../../core/text-table.js";
import { type ImportReport, importAnnotations, MAPPING_FILE } from "../../dataset/formats/import.js";
import { readText } from "../../dataset/formats/read-text.js";
import { TOOLS } from "../../dataset/formats/tools.js";
import { printJson, printLine } from "../output.js";
import { progressBar } from "../progress.js";
import { type CommonOptions, runCommand } from "../run-command.js";

interface ImportOptions extends CommonOptions {
  readonly from?: string;
  readonly mapping?: string;
  readonly images?: string;
  readonly dryRun?: boolean;
  readonly link?: boolean;
  readonly skipBad?: boolean;
}

export function addDataImport(data: Command): void {
  data
    .command("import")
    .description(
      "make a dataset of other tools' exports; what becomes a class or an aspect is proposed, or read from a mapping",
    )
    .argument("<paths...>", "one or more exports, then the folder to create; an earlier import there is replaced")
    .option("--from <tool>", `where the exports come from: ${TOOLS.join(", ")}; guessed where it can be told`)
    .option(
      "--mapping <file>",
      `which categories are classes and aspects; proposed, and written to ${MAPPING_FILE}, without it`,
    )
    .option("--images <dir>", "where the images are, if the export does not tell")
    .option("--dry-run", "read everything, show the mapping and the counts, and write nothing")
    .option("--link", "link to the images instead of copying them")
    .option("--skip-bad", "leave out images that are absent or cannot be read")
    .option("--json", "print one JSON object")
    .option("--debug", "print the stack of an error")
    .addHelpText(
      "after",
      `
Examples:
  aspectlens data import coco/ data/cells --dry-run
  aspectlens data import --from voc VOC2012 data/voc
  aspectlens data import site-a.xml site-b/ data/both --mapping data/both/${MAPPING_FILE}`,
    )
    .action((paths: string[], options: ImportOptions) =>
      runCommand(options, (signal) => runImport(paths, options, signal)),
    );
}

async function runImport(paths: readonly string[], options: ImportOptions, signal: AbortSignal): Promise<void> {
  const directory = paths.at(-1);
  if (paths.length < 2 || directory === undefined)
    throw new InputError(`${paths.join(" ")}: one path alone.`, {
      cure: "Name the export, then the folder to create.",
    });
  const { mapping: file, from, images, dryRun, link, skipBad } = options;
  const target = resolve(directory);
  // The mapping may lie in a folder that a killed import had just taken away.
  if (!dryRun) await removeAbandoned(dirname(target), { of: target });
  const bar = progressBar("importing");
  const report = await importAnnotations(paths.slice(0, -1), directory, {
    ...{ from, images, dryRun, link, skipBad, signal },
    ...(file !== undefined && { mapping: { file, text: await readText(file) } }),
    onProgress: (share, text) => bar.update(share, text),
  }).finally(() => bar.clear());
  if (options.json) printJson(report);
  else printReport(report, { isProposed: file === undefined, isDry: dryRun ?? false });
}

function printReport(
  { directory, sources, samples, mapping, reasons, categories, heads, notes }: ImportReport,
  { isProposed, isDry }: { isProposed: boolean; isDry: boolean },
): void {
  for (const { name, tool, images, licence } of sources)
    printLine(`${name}: ${images} images from ${tool}${licence ? `, licence ${licence}` : ""}`);
  const counted = categories.map(({ name, ...counts }) => [name, ...Object.values(counts).map(String)]);
  printTable(["category", "images", "tags", "boxes", "areas", "ignored"], counted);
  if (isProposed) {
    printLine(isDry ? "proposed mapping:" : `proposed mapping, written to ${directory}/${MAPPING_FILE}:`);
    if (isDry) for (const line of mapping.trimEnd().split("\n")) printLine(`  ${line}`);
    else for (const reason of reasons) printLine(`  - ${reason}`);
  }
  const rows = Object.entries(heads).map(([name, counts]) => [name, ...Object.values(counts).map(String)]);
  printTable(["head", "labelled", "empty", "unlabelled"], rows);
  for (const note of notes) printLine(`note: ${note}`);
  const { train, validation, test } = samples;
  const counts = `${train} training, ${validation} validation, ${test} test images`;
  printLine(isDry ? `would write ${counts}; nothing was written` : `${directory}: ${counts}`);
  if (!isDry) printLine(`next: aspectlens data check ${directory}`);
}

function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  if (rows.length === 0) return;
  for (const line of formatTable([[...head], ...rows.map((row) => [...row])])) printLine(`  ${line}`);
}
