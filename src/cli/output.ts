/** What commands print: one JSON object, or lines of text in which control characters from files are escaped. */

import { metricNumbers, metricText } from "../core/metric-numbers.js";
import { messageLine, visibleLine } from "../core/terminal.js";
import { formatTable } from "../core/text-table.js";

/** Prints one object on one line of stdout. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Prints one line on stdout, with control characters in it escaped and very long quotations cut. */
export function printLine(line = ""): void {
  process.stdout.write(`${visibleLine(line)}\n`);
}

/** Prints lines with our colour codes on stdout; names in them must have passed through `visible`. */
export function printColoured(lines: string): void {
  process.stdout.write(`${lines}\n`);
}

/** Prints one line on stderr, escaped like `printLine`. */
export function printNote(line: string): void {
  process.stderr.write(`${messageLine(line)}\n`);
}

/** A share as `96.3 %`; `not evaluated` where there were no labels. */
export function percent(share: number | null | undefined): string {
  return typeof share === "number" ? `${(100 * share).toFixed(1)} %` : "not evaluated";
}

/** One row per head: name, kind, count of labelled samples, and metrics; "not evaluated (0 labels)" if nothing was labelled. */
export function metricsTable(metrics: Readonly<Record<string, object>>): string[] {
  const rows = Object.entries(metrics).map(([name, result]) => {
    const { kind, count, tooSmallCount = 0 } = result as { kind: string; count: number; tooSmallCount?: number };
    const { intervals } = result as { intervals?: object };
    const numbers = metricNumbers(result)
      .filter(([key, value]) => !intervals || (value !== null && Object.hasOwn(intervals, key)))
      .filter(([key]) => key !== "tooSmallCount")
      .map(([key, value]) => `${key} ${metricText(value, key)}`);
    if (tooSmallCount > 0) numbers.push(`in ${tooSmallCount} too small to be found at this input size`);
    return [name, kind, String(count), count === 0 ? "not evaluated (0 labels)" : numbers.join(", ")];
  });
  return formatTable([["head", "kind", "labelled", "metrics"], ...rows]);
}
