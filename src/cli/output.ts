/** What commands print: one JSON object for machines, or lines for people, in which text from files cannot act on the terminal. */

import { clip, messageLine, visible, visibleLine } from "../core/terminal.js";

/** Prints one object on one line of stdout. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Prints one line on stdout, with control characters in it escaped and very long quotations cut. */
export function printLine(line = ""): void {
  process.stdout.write(`${visibleLine(line)}\n`);
}

/** Prints lines on stdout that hold colours of ours; names in them must be `visible` already. */
export function printColoured(lines: string): void {
  process.stdout.write(`${lines}\n`);
}

/** The same on stderr. */
export function printNote(line: string): void {
  process.stderr.write(`${messageLine(line)}\n`);
}

/** Columns padded to their widest cell; numbers stand to the right. */
export function formatTable(raw: readonly (readonly string[])[]): string[] {
  const rows = raw.map((row) => row.map((cell) => clip(visible(cell))));
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => [...row[column]].length))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => (/^[-\d.]+ ?%?$/.test(cell) ? cell.padStart(widths[column]) : cell.padEnd(widths[column])))
      .join("  ")
      .trimEnd(),
  );
}

/** A share as `96.3 %`; `not evaluated` where there were no labels. */
export function percent(share: number | null | undefined): string {
  return typeof share === "number" ? `${(100 * share).toFixed(1)} %` : "not evaluated";
}

/** Everything but these is a number worth a column of its own. */
const HIDDEN = ["kind", "count", "tooSmallCount"];

/** One row a head: name, kind, labelled count, and its numbers; "not evaluated" where nothing was labelled. */
export function metricsTable(metrics: Readonly<Record<string, object>>): string[] {
  const rows = Object.entries(metrics).map(([name, result]) => {
    const { kind, count, tooSmallCount = 0 } = result as { kind: string; count: number; tooSmallCount?: number };
    const numbers = Object.entries(result)
      .filter(([key, value]) => !HIDDEN.includes(key) && (typeof value === "number" || value === null))
      .map(([key, value]) => `${key} ${value === null ? "not evaluated" : (value as number).toFixed(3)}`);
    if (tooSmallCount > 0) numbers.push(`in ${tooSmallCount} too small to be found at this input size`);
    return [name, kind, String(count), count === 0 ? "not evaluated" : numbers.join(", ")];
  });
  return formatTable([["head", "kind", "labelled", "metrics"], ...rows]);
}
