/** Pages of the documentation as tests read them: sections, tables, and the names in them. */

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const ROOT = resolve(import.meta.dirname, "../..");

export function readPage(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** The text under a heading, up to the next heading of any level. @throws where there is no such heading. */
export function section(page: string, heading: string): string {
  const lines = page.split("\n");
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, "") === heading);
  if (start < 0) throw new Error(`the page has no section "${heading}"`);
  const end = lines.findIndex((line, index) => index > start && /^#+ /.test(line));
  return lines.slice(start + 1, end < 0 ? undefined : end).join("\n");
}

/** Cells of all rows of a text's tables, heads left out. */
export function tableRows(text: string): string[][] {
  const lines = text.split("\n");
  return lines
    .filter((line, index) => line.startsWith("|") && !line.startsWith("|---") && !lines[index + 1]?.startsWith("|---"))
    .map((line) =>
      line
        .slice(1, line.lastIndexOf("|"))
        .split(" | ")
        .map((cell) => cell.replace(/^\||\|$/g, "").trim()),
    );
}

/** What stands in backticks. */
export function codes(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map((match) => match[1]);
}

/** Names in the first column of a section's tables. */
export function firstColumn(page: string, heading: string): string[] {
  return tableRows(section(page, heading)).flatMap(([first]) => codes(first));
}
