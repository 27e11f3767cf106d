/** The command line as a function: all commands and their exit codes. Only what a command needs is loaded. */

import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { ownValue } from "../core/own-value.js";
import { messageLine } from "../core/terminal.js";
import { endWith } from "./run-command.js";

const { version, description } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));

/** Commands by name; each file is loaded when its command is called, or for the help. */
const COMMANDS: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  demo: async () => (await import("./commands/demo.js")).addDemo,
  data: async () => (await import("./commands/data.js")).addData,
  weights: async () => (await import("./commands/weights.js")).addWeights,
  inspect: async () => (await import("./commands/inspect.js")).addInspect,
  import: async () => (await import("./commands/import.js")).addImport,
  map: async () => (await import("./commands/map.js")).addMap,
  train: async () => (await import("./commands/train.js")).addTrain,
  runs: async () => (await import("./commands/runs.js")).addRuns,
  evaluate: async () => (await import("./commands/evaluate.js")).addEvaluate,
  explain: async () => (await import("./commands/explain.js")).addExplain,
  annotate: async () => (await import("./commands/annotate.js")).addAnnotate,
  calibrate: async () => (await import("./commands/calibrate.js")).addCalibrate,
  report: async () => (await import("./commands/report.js")).addReport,
  audit: async () => (await import("./commands/audit.js")).addAudit,
  worker: async () => (await import("./commands/worker.js")).addWorker,
  faithfulness: async () => (await import("./commands/faithfulness.js")).addFaithfulness,
  export: async () => (await import("./commands/export.js")).addExport,
  verify: async () => (await import("./commands/verify.js")).addVerify,
  serve: async () => (await import("./commands/serve.js")).addServe,
};

const BAD_USAGE = 2;

/**
 * Runs one command; it prints its errors, and sets `process.exitCode`.
 *
 * @param argv as `process.argv` has it: two words before the command's name.
 */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  const program = new Command("aspectlens")
    .description(description)
    .version(version)
    .exitOverride()
    .configureOutput({
      outputError: (text, write) =>
        write(`aspectlens: ${messageLine(oneLine(text))} Add --help for the options and an example.\n`),
    })
    .addHelpText("after", "\nExample:\n  aspectlens demo\n  aspectlens train config.json --help");
  const called = ownValue(COMMANDS, argv[2] ?? "");
  try {
    for (const load of called ? [called] : Object.values(COMMANDS)) (await load())(program);
    await program.parseAsync([...argv]);
  } catch (error) {
    // Loading a command opens many files.
    if (!(error instanceof CommanderError)) return endWith(error);
    process.exitCode = error.exitCode === 0 ? 0 : BAD_USAGE;
  }
}

/** Turns Commander's errors ("error: unknown option '--x'", with "(Did you mean ...?)" after it) into one sentence. */
function oneLine(text: string): string {
  const line = text
    .replace(/^error: /, "")
    .trim()
    .replace(/\s*\n\s*/g, " ");
  return /[.?!)]$/.test(line) ? line : `${line}.`;
}
