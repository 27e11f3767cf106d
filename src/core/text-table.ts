/** Tables on a terminal: columns as wide as their widest cell. */

import { clip, visible } from "./terminal.js";

/**
 * @param raw rows of equally many cells; control characters in them are escaped, very long cells cut.
 * @param options.numbers on which side of their column numbers and percentages stand.
 * @returns a line for each row, without spaces at its end.
 */
export function formatTable(
  raw: readonly (readonly string[])[],
  { numbers = "right" }: { numbers?: "left" | "right" } = {},
): string[] {
  const rows = raw.map((row) => row.map((cell) => clip(visible(cell))));
  const lengthOf = (text: string) => [...text].length;
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => lengthOf(row[column])))) ?? [];
  const pad = (cell: string, column: number) => {
    const space = " ".repeat(widths[column] - lengthOf(cell));
    return numbers === "right" && /^[-\d.]+ ?%?$/.test(cell) ? space + cell : cell + space;
  };
  return rows.map((row) => row.map(pad).join("  ").trimEnd());
}
