/** A finished report, opened for questions: its plan, its summary, and its tables through SQL. */

import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { InputError } from "../core/errors.js";
import { exists } from "../core/files.js";
import { type Duck, damaged, openDuck, quoted, type ReportRow } from "./duck.js";
import { type ReportPlan, readPlan } from "./plan.js";
import { REPORT_FILES, TABLES } from "./report-folder.js";
import { type SimilarImage, similarImages } from "./similar-images.js";
import type { ReportSummary } from "./summary.js";

/** An opened report. Whoever opened it closes it. */
export interface Report {
  readonly folder: string;
  readonly plan: ReportPlan;
  readonly summary: ReportSummary;
  /**
   * Asks the tables `images`, `aspects` and `instances` (docs/reports.md has their columns) in DuckDB's SQL. A query can
   * read nothing else, and write nothing; all the same, never make it of what a stranger sent.
   *
   * @param values of `$1`, `$2` in the query.
   * @throws InputError where it is no question, or DuckDB does not understand it.
   */
  query(sql: string, values?: readonly (string | number | boolean | null)[]): Promise<ReportRow[]>;
  /** Images of the same answer whose shares of the evidence are the nearest, the nearest first. @param image its number. */
  similar(image: number, options?: { count?: number }): Promise<SimilarImage[]>;
  /** Frees the tables. */
  close(): void;
}

/**
 * Opens the folder of a finished report.
 *
 * @param options `threads` of the queries, 2 by default.
 * @throws InputError where it is none, is not finished, or its tables are damaged.
 */
export async function openReport(folder: string, { threads = 2 }: { threads?: number } = {}): Promise<Report> {
  const plan = await readPlan(folder);
  const file = join(folder, REPORT_FILES.summary);
  if (!(await exists(file)))
    throw new InputError(`${folder}: is not finished.`, { cure: 'Run "aspectlens report" again; it goes on.' });
  const summary = JSON.parse(await readFile(file, "utf8")) as ReportSummary;
  const duck = await openDuck({ threads });
  try {
    await openTables(duck, folder);
  } catch (error) {
    duck.close();
    throw error;
  }
  return {
    ...{ folder, plan, summary },
    query: (sql, values) => ask(duck, sql, values),
    similar: (image, { count = 10 } = {}) => similarImages(duck, image, { count }),
    close: () => duck.close(),
  };
}

/** Offers the tables of a report as views, and shuts out everything else. */
export async function openTables(duck: Duck, folder: string): Promise<void> {
  const files = TABLES.map((table) => resolve(folder, REPORT_FILES[table]));
  await duck.shut(files);
  for (const [index, table] of TABLES.entries())
    await duck
      .run(`CREATE VIEW ${table} AS SELECT * FROM read_parquet(${quoted(files[index])})`)
      .catch((cause: unknown) => {
        throw damaged(files[index], cause);
      });
}

/** Kinds of statements that change nothing. */
const QUESTIONS = ["SELECT", "EXPLAIN"];

async function ask(
  duck: Duck,
  sql: string,
  values?: readonly (string | number | boolean | null)[],
): Promise<ReportRow[]> {
  try {
    const kinds = await duck.statements(sql);
    if (kinds.length === 1 && QUESTIONS.includes(kinds[0])) return await duck.rows(sql, values);
  } catch (cause) {
    throw new InputError(`query: ${(cause as Error).message.split("\n")[0]}.`, { cure: "Correct it.", cause });
  }
  throw new InputError("query: is not one question.", { cure: "Begin it with SELECT, and ask one at a time." });
}
