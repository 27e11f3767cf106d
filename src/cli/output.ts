/** What commands print: one JSON object for machines, or lines for people. */

/** Prints one object on one line of stdout. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Prints a line on stdout. */
export function printLine(line = ""): void {
  process.stdout.write(`${line}\n`);
}

/** Columns padded to their widest cell; numbers stand to the right. */
export function formatTable(rows: readonly (readonly string[])[]): string[] {
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
