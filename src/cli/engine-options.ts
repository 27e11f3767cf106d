/** Options of every command that computes: which engine, how many threads, on which device. */

import { type Command, InvalidArgumentError, Option } from "commander";
import { type Device, devices, MOST_THREADS } from "../engine/devices.js";
import { type EngineChoice, engineChoices } from "../engine/select-engine.js";
import { printNote } from "./output.js";

export interface DeviceOptions {
  readonly threads?: number;
  readonly device: Device;
}

export interface EngineOptions extends DeviceOptions {
  readonly engine: EngineChoice;
}

/** Adds `--engine`, `--threads` and `--device`. */
export function engineOptions(command: Command): Command {
  const chosen = command.addOption(
    new Option(
      "--engine <name>",
      "onnx: compiled for ONNX Runtime; tfjs: TensorFlow.js with @tensorflow/tfjs-node or -gpu, if installed",
    )
      .choices(engineChoices)
      .default("auto"),
  );
  return deviceOptions(chosen);
}

/** Adds `--threads` and `--device`. */
export function deviceOptions(command: Command): Command {
  return command
    .option("--threads <count>", "threads to compute with", countUpTo(MOST_THREADS))
    .addOption(
      new Option(
        "--device <name>",
        "where to compute; its results are compared with the cpu's, which is used if they differ",
      )
        .choices(devices)
        .default("cpu"),
    );
}

/** Shows a note of the engine that is not an error. */
export function showNotice(line: string): void {
  printNote(`note: ${line}`);
}

/** Like `positiveInteger`, with an upper limit. */
export function countUpTo(most: number): (value: string) => number {
  return (value) => {
    const count = positiveInteger(value);
    if (count > most) throw new InvalidArgumentError(`Give at most ${most}.`);
    return count;
  };
}

/** Parses a count; Commander shows the message after the option's name. */
export function positiveInteger(value: string): number {
  const count = Number(value);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError("Give a whole number of 1 or more.");
  return count;
}
