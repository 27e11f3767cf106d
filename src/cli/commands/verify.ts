/** `aspectlens verify`: checks that a bundle is complete and gives the same outputs as when it was written. */

import type { Command } from "commander";
import { verifyBundle } from "../../bundle/verify-bundle.js";
import { printJson, printLine } from "../output.js";
import { type CommonOptions, runCommand } from "../run-command.js";

export function addVerify(program: Command): void {
  program
    .command("verify")
    .description("check a bundle's files, and compare the outputs of both graphs with its goldens")
    .argument("<bundle>", "the .aspect file")
    .option("--json", "print one JSON object")
    .option("--debug", "print the stack of an error")
    .addHelpText("after", "\nExample:\n  aspectlens verify tissue.aspect")
    .action((bundle: string, options: CommonOptions) =>
      runCommand(options, (signal) => runVerify(bundle, options, signal)),
    );
}

async function runVerify(path: string, options: CommonOptions, signal: AbortSignal): Promise<void> {
  const verification = await verifyBundle(path, { signal });
  if (options.json) {
    printJson({ bundle: path, isWhole: true, ...verification });
    return;
  }
  const { fileCount, goldenCount, outputCount, worst } = verification;
  printLine(`${path}: complete; ${fileCount} files, ${goldenCount} goldens, ${outputCount} outputs agree`);
  if (worst)
    printLine(
      `worst output: ${worst.output}, off by ${worst.error === 0 ? 0 : worst.error.toExponential(1)} ` +
        `of ${worst.tolerance.toExponential(1)} allowed`,
    );
}
