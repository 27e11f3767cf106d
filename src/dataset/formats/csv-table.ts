/** A table as text: its delimiter and whether it has a header are guessed. */

import { CsvError, parse } from "csv-parse/sync";
import { DatasetError } from "../../core/errors.js";
import { IMAGE_ENDINGS } from "../image-format.js";
import { toCoordinate } from "./coordinate.js";
import { readText } from "./read-text.js";

const DELIMITERS = [",", ";", "\t", "|"];

export interface CsvTable {
  readonly file: string;
  readonly delimiter: string;
  /** Absent where the first row is data. */
  readonly header?: readonly string[];
  /** Trimmed cells, as many in each row; with the line on which the row ends. */
  readonly rows: readonly { readonly line: number; readonly cells: readonly string[] }[];
}

/** @throws DatasetError in one line that names the file and the line. */
export async function readCsv(file: string): Promise<CsvTable> {
  const text = await readText(file);
  const [first = ""] = text.split("\n", 1);
  const counts = DELIMITERS.map((delimiter) => ({ delimiter, count: first.split(delimiter).length - 1 }));
  const { delimiter, count } = counts.reduce((a, b) => (b.count > a.count ? b : a));
  if (count === 0)
    throw new DatasetError(`${file}:1: has one column alone.`, {
      cure: "Separate the columns by commas, semicolons, tabulators or bars.",
      file,
      line: 1,
    });
  const rows = parseRows(text, { delimiter, file });
  const width = rows[0].cells.length;
  for (const { cells, line } of rows) {
    if (cells.length === width) continue;
    throw new DatasetError(`${file}:${line}: has ${cells.length} cells, the first row has ${width}.`, {
      cure: 'Correct the line; put texts that hold the delimiter into "".',
      file,
      line,
    });
  }
  const isHeader = !rows[0].cells.some((cell) => isImageName(cell) || isNumeric(cell));
  if (!isHeader) return { file, delimiter, rows };
  const header = rows[0].cells;
  const repeated = header.find((name, at) => name !== "" && header.indexOf(name) !== at);
  if (repeated !== undefined)
    throw new DatasetError(`${file}:1: two columns are called "${repeated}".`, { cure: "Rename one.", file, line: 1 });
  if (rows.length === 1)
    throw new DatasetError(`${file}: has a header and no row.`, { cure: "Export it again.", file });
  return { file, delimiter, header, rows: rows.slice(1) };
}

function parseRows(text: string, { delimiter, file }: { delimiter: string; file: string }): CsvTable["rows"] {
  try {
    const parsed = parse(text, {
      ...{ delimiter, info: true, trim: true },
      ...{ skip_empty_lines: true, relax_column_count: true },
    }) as unknown as { record: string[]; info: { lines: number } }[];
    return parsed.map(({ record, info }) => ({ cells: record, line: info.lines }));
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    const line = typeof cause.lines === "number" ? cause.lines : undefined;
    throw new DatasetError(`${file}${line === undefined ? "" : `:${line}`}: ${cause.message.replace(/\.$/, "")}.`, {
      cure: "Correct the quotation marks.",
      ...{ file, line, cause },
    });
  }
}

export function isImageName(text: string): boolean {
  return IMAGE_ENDINGS.some((ending) => text.toLowerCase().endsWith(`.${ending}`));
}

export function isNumeric(text: string): boolean {
  return !Number.isNaN(toCoordinate(text));
}
