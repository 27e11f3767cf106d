/** Standard output and error that nobody reads, or that lie on a full disk: the work goes on. */

const BAD_INPUT = 2;

const REASONS: Readonly<Record<string, string>> = { ENOSPC: "the disk is full", EIO: "the terminal is gone" };

/**
 * A reader of stdout that goes away early, such as `head`, is no failure: files are written all the same. Any other
 * failure of stdout loses what was asked for, so it is told once, and the exit code is 2. What stderr cannot take is
 * lost: it is only for people.
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
