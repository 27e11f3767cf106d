/** How a command ends: exit codes, one-line errors, interruption. */

import { InputError, InterruptedError } from "../core/errors.js";
import { refused } from "../core/files.js";
import { printNote } from "./output.js";

/** Exit codes of every command, besides 0. */
const FAILED = 1;
const BAD_INPUT = 2;
const INTERRUPTED = 130;

/** Far longer than saving takes; whatever still runs then would never end. */
const CLEAN_UP_MS = 30_000;

/** Options that every command has. */
export interface CommonOptions {
  readonly json?: boolean;
  readonly debug?: boolean;
}

/**
 * Runs a command's work; prints one line for an error (with the stack under `--debug`) and sets the exit code.
 * Ctrl-C aborts the signal, and the process has half a minute to save and clean up; a second one ends it at once.
 */
export async function runCommand(options: CommonOptions, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  const stopAtOnce = () => {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
    // As a signal ends any program (130 to a shell): process.exit would wait for, and abort in, a running engine.
    process.kill(process.pid, "SIGINT");
  };
  const interrupt = () => {
    if (controller.signal.aborted) return stopAtOnce();
    controller.abort(new InterruptedError("interrupted."));
    process.stderr.write("\ninterrupted: finishing the current step; press Ctrl-C again to stop at once\n");
    setTimeout(stopAtOnce, CLEAN_UP_MS).unref(); // not cleared: it also ends what is still open after the work
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  try {
    await work(controller.signal);
  } catch (error) {
    endWith(error, options);
  } finally {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
  }
}

/** Says in one line that the work is done, but not for all, and sets the exit code for it. */
export function failed(what: string): void {
  printNote(`aspectlens: ${what}`);
  process.exitCode = FAILED;
}

/** Prints what went wrong in one line, and sets the exit code. */
export function endWith(error: unknown, options: CommonOptions = {}): void {
  const told = ofSystem(error) ?? error;
  process.exitCode = exitCodeOf(told);
  printError(told, options);
}

/** A full disk or too many open files, wherever it occurred: for the user to correct. */
function ofSystem(error: unknown): InputError | undefined {
  if (!(error instanceof Error) || error instanceof InputError || error instanceof InterruptedError) return undefined;
  const { code, path } = error as NodeJS.ErrnoException;
  // Errors of a worker come as text.
  const [met] = /\b(?:EMFILE|ENFILE|ENOSPC|EDQUOT)\b/.exec(code ?? error.message) ?? [];
  if (met === undefined) return undefined;
  return refused(
    path ?? "a file",
    Object.assign(new Error(error.message, { cause: error }), { code: met }),
  ) as InputError;
}

function exitCodeOf(error: unknown): number {
  if (error instanceof InterruptedError) return INTERRUPTED;
  return error instanceof InputError ? BAD_INPUT : FAILED;
}

function printError(error: unknown, { debug = false }: CommonOptions): void {
  const message = error instanceof Error ? error.message : String(error);
  printNote(`aspectlens: ${message}`);
  if (debug && error instanceof Error && error.stack) for (const line of error.stack.split("\n")) printNote(line);
}
