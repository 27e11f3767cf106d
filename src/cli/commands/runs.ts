/** `aspectlens runs`: lists training runs, and compares two of them. */

import type { Command } from "commander";
import { InputError } from "../../core/errors.js";
import { leafText } from "../../core/leaves.js";
import { metricText } from "../../core/metric-numbers.js";
import { formatTable } from "../../core/text-table.js";
import { compareRuns, type MetricDifference, type RunComparison } from "../../train/compare-runs.js";
import { findRuns, type RunRecord, readRun } from "../../train/read-run.js";
import { printJson, printLine, printNote } from "../output.js";
import { type CommonOptions, runCommand } from "../run-command.js";

export function addRuns(program: Command): void {
  const runs = program.command("runs").description("list training runs, or compare two of them");
  runs
    .command("list")
    .description("every run in a folder: its data, its state, its best score")
    .argument("[folder]", "folder that holds the runs, three folders deep", "runs")
    .option("--json", "print one JSON object")
    .option("--debug", "print the stack of an error")
    .addHelpText("after", "\nExamples:\n  aspectlens runs list\n  aspectlens runs list experiments --json")
    .action((folder: string, options: CommonOptions) => runCommand(options, () => runList(folder, options)));
  runs
    .command("compare")
    .description("what two runs differ in: configuration, and metrics of each head")
    .argument("<a>", "run folder")
    .argument("<b>", "run folder")
    .option("--json", "print one JSON object (aspectlens-comparison/1)")
    .option("--debug", "print the stack of an error")
    .addHelpText("after", "\nExample:\n  aspectlens runs compare runs/tissue runs/tissue-large")
    .action((a: string, b: string, options: CommonOptions) =>
      runCommand(options, async () => printComparison(compareRuns(await readRun(a), await readRun(b)), options)),
    );
}

async function runList(folder: string, { json }: CommonOptions): Promise<void> {
  const found: RunRecord[] = [];
  for (const path of await findRuns(folder)) {
    const run = await readRun(path).catch((error: unknown) => {
      if (!(error instanceof InputError)) throw error;
      printNote(`skipped: ${error.message}`);
    });
    if (run) found.push(run);
  }
  if (json) {
    printJson({ format: "aspectlens-runs/1", runs: found.map(toSummary) });
    return;
  }
  const rows = found
    .map(toSummary)
    .map(({ folder, dataset, state, epochs, score }) => [
      ...[folder, dataset.name, dataset.hash.slice(0, 8), state, String(epochs), metricText(score)],
    ]);
  for (const line of formatTable([["run", "dataset", "hash", "state", "epochs", "score"], ...rows])) printLine(line);
}

function toSummary({ folder, config, dataset, history, best, isFinished }: RunRecord) {
  const untrained = ["imported", "mapped"].find((key) => Object.hasOwn(config, key));
  const state = untrained ?? (isFinished ? "finished" : "not finished");
  return { folder, dataset, state, epochs: history.length, score: best?.score ?? null };
}

function printComparison(comparison: RunComparison, { json }: CommonOptions): void {
  if (json) {
    printJson(comparison);
    return;
  }
  const { a, b, isSameDataset, config, metrics } = comparison;
  printLine(`a: ${a}`);
  printLine(`b: ${b}`);
  if (!isSameDataset)
    printLine("note: trained on different data, or parts of them, so that the metrics may be of different images");
  printLine();
  if (config.length === 0) printLine("configuration: the same");
  else
    printTable(
      ["key", "a", "b"],
      config.map((one) => [one.key, leafText(one.a), leafText(one.b)]),
    );
  printLine();
  if (metrics.length === 0) printLine("metrics: no split was evaluated in both runs");
  const rows = metrics.map(({ split, head, metric, a, b, difference, intervalA, intervalB }) => [
    ...[split, head, metric, withInterval(a, metric, intervalA), withInterval(b, metric, intervalB)],
    difference === null ? "–" : signed(difference),
  ]);
  if (rows.length > 0) printTable(["split", "head", "metric", "a", "b", "b - a"], rows);
}

function printTable(header: readonly string[], rows: readonly (readonly string[])[]): void {
  for (const line of formatTable([header, ...rows])) printLine(line);
}

function withInterval(value: number | null, metric: string, interval: MetricDifference["intervalA"]): string {
  const ends = interval ? ` [${interval.map((end) => end.toFixed(3)).join(", ")}]` : "";
  return `${metricText(value, metric)}${ends}`;
}

/** Without a sign where it rounds to nothing. */
function signed(difference: number): string {
  const text = Math.abs(difference).toFixed(3);
  if (Number(text) === 0) return text;
  return difference < 0 ? `-${text}` : `+${text}`;
}
