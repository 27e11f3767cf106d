/** Runs the built command line as a user does. */

import { type ChildProcess, spawn } from "node:child_process";
import { resolve } from "node:path";

export const MAIN = resolve(import.meta.dirname, "../../dist/cli/main.js");

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * @param options.env beside the environment of the tests.
 * @param options.onStart gets the process.
 * @param options.onStderr sees all of stderr so far, and may signal the process.
 * @param options.descriptors how many files it may have open at once.
 */
export function aspectlens(
  args: readonly string[],
  {
    cwd,
    env = {},
    onStart,
    onStderr,
    descriptors,
  }: {
    cwd?: string;
    env?: Readonly<Record<string, string>>;
    onStart?: (child: ChildProcess) => void;
    onStderr?: (text: string, child: ChildProcess) => void;
    descriptors?: number;
  } = {},
): Promise<CommandResult> {
  return new Promise((done, fail) => {
    const command = [process.execPath, MAIN, ...args];
    const [file, ...rest] =
      descriptors === undefined ? command : ["sh", "-c", `ulimit -n ${descriptors}; exec "$@"`, "sh", ...command];
    const child = spawn(file, rest, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    onStart?.(child);
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
      onStderr?.(stderr, child);
    });
    child.on("error", fail);
    child.on("close", (code) => done({ code, stdout, stderr }));
  });
}
