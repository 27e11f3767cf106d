/** Counts the images of a rule, by the value of its group, and names those that break it. */

import type { ReportRow } from "../survey/duck.js";
import type { AuditRule } from "./rules.js";
import { selection } from "./selection.js";

/** Asks the tables of a report. */
export type Ask = (sql: string) => Promise<readonly ReportRow[]>;

/** What was counted for a rule, in all images or in those of one value of a group. */
export interface Tally {
  /** `null` where the rule names no group. */
  readonly part: string | null;
  readonly count: number;
  readonly total: number;
  /** Images of which the explanation cannot tell; not in `total`. */
  readonly unsaid: number;
}

/** Paths that are named for each part of a rule. */
export const MOST_NAMED = 100;

/** In the order of the groups' values; one tally of nothing where there are no images. */
export async function tally(ask: Ask, rows: string): Promise<Tally[]> {
  const found = await ask(
    `SELECT part, count(*) FILTER (isAsked AND isSaid) AS total, count(*) FILTER (isAsked AND isSaid AND hit) AS count,
       count(*) FILTER (isAsked AND NOT isSaid) AS unsaid
     FROM (${rows}) GROUP BY part ORDER BY part`,
  );
  if (found.length === 0) return [{ part: null, count: 0, total: 0, unsaid: 0 }];
  return found as unknown as Tally[]; // as selected
}

/** @param hit whether the images that are counted are named, or the others. @returns by part. */
export async function named(ask: Ask, rows: string, hit: boolean): Promise<Map<string | null, string[]>> {
  return byPart(
    await ask(
      `SELECT part, path FROM (
         SELECT *, row_number() OVER (PARTITION BY part ORDER BY weight DESC NULLS LAST, image) AS place
         FROM (${rows}) WHERE isAsked AND isSaid AND hit = ${hit})
       WHERE place <= ${MOST_NAMED} ORDER BY part, place`,
    ),
  );
}

/** Rows of `part` and `path`. */
export function byPart(rows: readonly ReportRow[]): Map<string | null, string[]> {
  const paths = new Map<string | null, string[]>();
  for (const { part, path } of rows) {
    const list = paths.get(part as string | null) ?? [];
    list.push(path as string);
    paths.set(part as string | null, list);
  }
  return paths;
}

/** Of a rule about one report. */
export async function counted(
  ask: Ask,
  rule: AuditRule,
  options: Parameters<typeof selection>[1] = {},
): Promise<(Tally & { readonly images: readonly string[] })[]> {
  const rows = selection(rule, options);
  const breaking = await named(ask, rows, rule.side === "atMost");
  return (await tally(ask, rows)).map((one) => ({ ...one, images: breaking.get(one.part) ?? [] }));
}
