/** Finds the running line of the user's code: the first stack frame outside the tracer and TensorFlow.js. */

import { relative } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = new URL(".", import.meta.url).href;

/**
 * `file:line` of the innermost frame that is the user's, `file` relative to the working directory.
 *
 * @param stack stack of an error created in the traced function; `Error.stackTraceLimit` must be large enough.
 */
export function callerLine(stack: string | undefined): string {
  for (const line of (stack ?? "").split("\n").slice(1)) {
    const place = /((?:file:\/\/)?\/[^()]*):(\d+):\d+\)?$/.exec(line);
    if (!place) continue;
    const [, file, row] = place;
    const path = file.startsWith("file:") ? fileURLToPath(file) : file;
    if (path.startsWith(fileURLToPath(HERE)) || path.includes("/node_modules/@tensorflow/")) continue;
    return `${relative(process.cwd(), path)}:${row}`;
  }
  return "an unknown line";
}
