/** Whether a table gives its boxes in pixels or in shares of the image, told from all of them. */

import { DatasetError } from "../../core/errors.js";
import type { CsvColumns } from "./csv-columns.js";
import { type CsvTable, isNumeric } from "./csv-table.js";

/** Boxes may reach out of their image a little. */
const LARGEST_SHARE = 1.5;

/** @throws DatasetError where it cannot be told. */
export function areShares({ file, rows }: CsvTable, box: NonNullable<CsvColumns["box"]>): boolean {
  const boxes = rows.flatMap(({ cells, line }) => {
    const edges = box.map((column) => cells[column]);
    if (!edges.every(isNumeric)) return []; // empty or malformed, which is said where it is read
    const numbers = edges.map(Number);
    const isSmall = numbers.every((edge) => Math.abs(edge) <= LARGEST_SHARE);
    return [{ line, isSmall, isWhole: numbers.every(Number.isInteger) }];
  });
  const small = boxes.filter(({ isSmall }) => isSmall);
  const [first] = small;
  if (!first) return false;
  const refuse = (line: number, what: string, cure: string) =>
    new DatasetError(`${file}:${line}: ${what}.`, { cure, file, line });
  const fraction = small.find(({ isWhole }) => !isWhole);
  if (small.length === boxes.length) {
    if (fraction) return true;
    throw refuse(
      first.line,
      "no box has a number but 0 and 1, which may be pixels or shares of the image",
      "Write all boxes in pixels, up to the image's width and height.",
    );
  }
  const large = boxes.find(({ isSmall }) => !isSmall);
  if (fraction && large)
    throw refuse(
      fraction.line,
      `has a box in shares of the image, but line ${large.line} one in pixels`,
      "Write all boxes in pixels, or all in shares (0 to 1).",
    );
  return false;
}
