/** Values from files and command lines, and causes of errors, as they may stand in a message. */

import { clip } from "./terminal.js";

/** As JSON on one line, cut at 200 characters; what is nested too deep for that is only named. */
export function shown(value: unknown): string {
  let text: string;
  try {
    text = JSON.stringify(value) ?? String(value);
  } catch {
    return Array.isArray(value) ? "a deep list" : "a deep object"; // RangeError: the stack is used up
  }
  return clip(text);
}

/** What a library says in the first line of its error. */
export function firstLine(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).split("\n")[0].trim();
}
