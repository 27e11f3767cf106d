/** Writes what a query gives as a file, beside its place first. */

import { rename, rm } from "node:fs/promises";
import { refused, temporaryName } from "../core/files.js";
import { type Duck, quoted } from "./duck.js";

/** What comes after `FORMAT` in DuckDB's `COPY`. */
const FORMATS = { parquet: "parquet, COMPRESSION zstd", csv: "csv, HEADER true" } as const;

/** @throws InputError naming the file where it cannot be written. */
export async function writeQuery(duck: Duck, sql: string, file: string, format: keyof typeof FORMATS): Promise<void> {
  const temporary = temporaryName(file);
  try {
    await duck.run(`COPY (${sql}) TO ${quoted(temporary)} (FORMAT ${FORMATS[format]})`, undefined, file);
    await rename(temporary, file);
  } catch (cause) {
    throw refused(file, cause);
  } finally {
    await rm(temporary, { force: true }).catch(() => {});
  }
}
