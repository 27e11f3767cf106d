/** A process that runs one command line after the other, as fast as it can: the parent sends arguments and gets what came of them. */

import { peakBytes } from "./peak-bytes.js";

/** The built one, as users run it. @type {typeof import("../../src/cli/command-line.js")} */
const { runCommandLine } = await import(new URL("../../dist/cli/command-line.js", import.meta.url).href);

/**
 * @typedef {{ args: readonly string[] }} Asked
 * @typedef {{ code: number, stdout: string, stderr: string, milliseconds: number, cpuMilliseconds: number, peakBytes: number }} Outcome
 */

/** @param {NodeJS.CpuUsage} usage */
const milliseconds = ({ user, system }) => (user + system) / 1000;

const written = { stdout: "", stderr: "" };
for (const name of /** @type {const} */ (["stdout", "stderr"])) {
  /** @type {typeof process.stdout.write} */
  const write = (chunk, ...rest) => {
    written[name] += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8");
    const done = rest.find((value) => typeof value === "function");
    if (typeof done === "function") done();
    return true;
  };
  process[name].write = write;
}

process.on("message", async (/** @type {Asked} */ { args }) => {
  written.stdout = "";
  written.stderr = "";
  process.exitCode = undefined;
  const begun = performance.now();
  const before = process.cpuUsage();
  /** @type {string | undefined} */
  let thrown;
  try {
    await runCommandLine(["node", "aspectlens", ...args]);
  } catch (error) {
    thrown = error instanceof Error ? error.stack : String(error);
  }
  /** @type {Outcome} */
  const outcome = {
    ...written,
    code: thrown === undefined ? Number(process.exitCode ?? 0) : 1,
    milliseconds: performance.now() - begun,
    cpuMilliseconds: milliseconds(process.cpuUsage(before)),
    peakBytes: peakBytes(),
  };
  if (thrown !== undefined) outcome.stderr += thrown;
  process.exitCode = undefined;
  process.send?.(outcome);
});
process.send?.("ready");
