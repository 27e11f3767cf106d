/** The lists of a report as CSV: every count, and the names behind every bar of the page. */

import { join } from "node:path";
import { writeFileAtomic } from "../core/files.js";
import type { Duck } from "./duck.js";
import { CHANGES } from "./summary/drift.js";
import type { ClassCount, Counted, ReportSummary } from "./summary.js";
import { UNUSUAL } from "./unusual.js";
import { writeQuery } from "./write-query.js";

const PERCENT = ["count", "share", "low", "high"];

/** Names of images by what is said of them. */
const LISTS = {
  /** Behind every bar of a class and an aspect. */
  "reasons.csv": `SELECT path, images.predicted, images.label, name AS aspect, share, relevance, strength
    FROM aspects JOIN images USING (image) WHERE isRelevant ORDER BY image, share DESC, aspect`,
  "unexplained.csv": `SELECT path, predicted, label, "case", headline FROM images
    WHERE error IS NULL AND "case" NOT IN ('named', 'partly-elsewhere', 'ranked') ORDER BY image`,
  "mistakes.csv": "SELECT path, label, predicted, score, headline FROM images WHERE NOT isRight ORDER BY image",
  "unusual.csv": `SELECT path, predicted, label, unusualP AS p, unusualAspect AS aspect, headline FROM images
    WHERE unusualP <= ${UNUSUAL} ORDER BY p, image`,
  "unreadable.csv": "SELECT path, error FROM images WHERE error IS NOT NULL ORDER BY image",
} as const;

export async function writeLists(duck: Duck, folder: string, summary: ReportSummary): Promise<void> {
  for (const [name, sql] of Object.entries(LISTS)) await writeQuery(duck, sql, join(folder, name), "csv");
  if (summary.against?.isPaired) await writeQuery(duck, CHANGES, join(folder, "changes.csv"), "csv");
  await writeFileAtomic(join(folder, "counts.csv"), toCsv(countRows(summary)));
  await writeFileAtomic(join(folder, "pairs.csv"), toCsv(pairRows(summary)));
  if (summary.groups) await writeFileAtomic(join(folder, "groups.csv"), toCsv(groupRows(summary)));
}

type Cell = string | number | null;

function countRows({ answers, truths }: ReportSummary): Cell[][] {
  const head = ["by", "class", "images", "aspect", ...named("present"), ...named("relevant"), "meanShare"];
  return [head, ...rowsOf("answer", answers), ...rowsOf("truth", truths)];
}

function groupRows({ groups }: ReportSummary): Cell[][] {
  const head = ["value", "class", "images", "aspect", ...named("present"), ...named("relevant"), "meanShare"];
  return [head, ...(groups?.values ?? []).flatMap(({ value, answers }) => rowsOf(value, answers))];
}

function rowsOf(by: string, counts: readonly ClassCount[]): Cell[][] {
  return counts.flatMap(({ class: name, images, aspects }) =>
    aspects.map(({ aspect, present, relevant, meanShare }) => [
      ...[by, name, images, aspect],
      ...[...cells(present), ...cells(relevant), meanShare],
    ]),
  );
}

function pairRows({ pairs }: ReportSummary): Cell[][] {
  const rows = pairs.map((pair) => [pair.class, pair.first, pair.second, pair.count, pair.expected]);
  return [["class", "first", "second", "count", "expected"], ...rows];
}

function named(what: string): string[] {
  return PERCENT.map((part) => `${what}${part[0].toUpperCase()}${part.slice(1)}`);
}

function cells({ count, share, interval }: Counted): Cell[] {
  return [count, share, ...interval];
}

/** After RFC 4180. */
function toCsv(rows: readonly (readonly Cell[])[]): string {
  const text = (cell: Cell) => {
    const plain = cell === null ? "" : String(cell);
    return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
  };
  return rows.map((row) => `${row.map(text).join(",")}\n`).join("");
}
