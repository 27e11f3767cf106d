/** Options of every command that computes: which engine, how many threads. */

import { type Command, InvalidArgumentError, Option } from "commander";

export interface EngineOptions {
  readonly engine: "auto" | "onnx" | "tfjs";
  readonly threads?: number;
}

/** Adds `--engine` and `--threads`. */
export function engineOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--engine <name>", "onnx: compiled; tfjs: TensorFlow.js on an installed tfjs-node(-gpu)")
        .choices(["auto", "onnx", "tfjs"])
        .default("auto"),
    )
    .option("--threads <count>", "threads to compute with", positiveInteger);
}

/** Parses a count; commander shows the message behind the option's name. */
export function positiveInteger(value: string): number {
  const count = Number(value);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError("Give a whole number from 1 on.");
  return count;
}
