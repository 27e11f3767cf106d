/** Metrics of all heads as lines for people. */

import { formatTable } from "./output.js";

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
