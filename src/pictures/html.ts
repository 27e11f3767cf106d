/** Text in pages of our own. */

import { visible } from "../core/terminal.js";

/** Safe between tags and in quoted attributes; control characters are shown escaped. */
export function escapeHtml(value: string): string {
  return value
    .split("\n")
    .map(visible)
    .join("\n")
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/"/g, "&quot;");
}
