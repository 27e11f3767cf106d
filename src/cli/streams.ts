/** Failures of stdout and stderr (a reader that has ended, a full disk) do not stop the work. */

const BAD_INPUT = 2;

const REASONS: Readonly<Record<string, string>> = { ENOSPC: "the disk is full", EIO: "the terminal is gone" };

/**
 * A reader of stdout that ends early, such as `head`, is no failure: the files are still written. Any other failure of
 * stdout loses results, so it is reported once and the exit code is 2. Failures of stderr, which carries only messages,
 * are ignored.
 */
export function guardStreams({ stdout, stderr }: Pick<NodeJS.Process, "stdout" | "stderr"> = process): void {
  let isTold = false;
  stderr.on("error", () => {});
  stdout.on("error", ({ code = "", message }: NodeJS.ErrnoException) => {
    if (code === "EPIPE" || isTold) return;
    isTold = true;
    process.exitCode ??= BAD_INPUT;
    stderr.write(
      `aspectlens: stdout cannot be written: ${REASONS[code] ?? message}. Direct it elsewhere and run this again.\n`,
    );
  });
}
