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
    new Option("--engine <name>", "onnx: compiled; tfjs: TensorFlow.js on an installed tfjs-node(-gpu)")
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
      new Option("--device <name>", "where to compute; checked against the cpu, which is used where it fails")
        .choices(devices)
        .default("cpu"),
    );
}

/** Shows a line of the engine that is no error. */
export function showNotice(line: string): void {
  printNote(`note: ${line}`);
}

/** A parser of counts, as `positiveInteger`, with an upper end. */
export function countUpTo(most: number): (value: string) => number {
  return (value) => {
    const count = positiveInteger(value);
    if (count > most) throw new InvalidArgumentError(`Give at most ${most}.`);
    return count;
  };
}

/** Parses a count; commander shows the message behind the option's name. */
export function positiveInteger(value: string): number {
  const count = Number(value);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError("Give a whole number from 1 on.");
  return count;
}
