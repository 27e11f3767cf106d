/** Counts an aspect in two reports: in the same images where they are about the same, else in those of each. */

import type { Pairs } from "../metrics/newcombe.js";
import type { AuditRule } from "./rules.js";
import { HERE, selection, THERE } from "./selection.js";
import { type Ask, byPart, MOST_NAMED, named, type Tally, tally } from "./tally.js";

/** Share of the smaller report's images that must be in both, as in the report's own comparison. */
const PAIRED_FROM = 0.9;

/** Of one value of a group, or of all images. */
export interface Compared extends Tally {
  readonly there: Pick<Tally, "count" | "total">;
  /** Where each image is compared with itself. */
  readonly pairs?: Pairs;
  readonly images: readonly string[];
}

/** Images that occur once in a report; needs the views of both. */
const onceIn = (images: string) =>
  `SELECT sha256 FROM ${images} WHERE error IS NULL GROUP BY sha256 HAVING count(*) = 1`;

/** Whether two reports are about the same images. */
export async function arePaired(ask: Ask): Promise<boolean> {
  const [{ common, here, there }] = await ask(
    `SELECT (SELECT count(*) FROM (${onceIn(HERE.images)}) JOIN (${onceIn(THERE.images)}) USING (sha256)) AS common,
       (SELECT count(*) FROM ${HERE.images}) AS here, (SELECT count(*) FROM ${THERE.images}) AS there`,
  );
  const smaller = Math.min(here as number, there as number);
  return smaller > 0 && (common as number) >= PAIRED_FROM * smaller;
}

/** @param isPaired the images answered alike in both reports are compared, each with itself. */
export function compared(ask: Ask, rule: AuditRule, isPaired: boolean): Promise<Compared[]> {
  const rows = { here: selection(rule), there: selection(rule, { views: THERE }) };
  return isPaired ? ofSame(ask, rows) : ofOthers(ask, rows);
}

interface Rows {
  readonly here: string;
  readonly there: string;
}

async function ofSame(ask: Ask, { here, there }: Rows): Promise<Compared[]> {
  const joined = `
    SELECT h.image, h.path, h.part, h.hit AS x, t.hit AS y, h.isSaid AND t.isSaid AS isSaid, h.weight
    FROM (${here}) AS h JOIN (${there}) AS t USING (sha256)
      JOIN (${onceIn(HERE.images)}) USING (sha256) JOIN (${onceIn(THERE.images)}) USING (sha256)`;
  const found = await ask(
    `SELECT part, count(*) FILTER (NOT isSaid) AS unsaid, count(*) FILTER (isSaid AND x AND y) AS both,
       count(*) FILTER (isSaid AND x AND NOT y) AS firstOnly, count(*) FILTER (isSaid AND y AND NOT x) AS secondOnly,
       count(*) FILTER (isSaid AND NOT x AND NOT y) AS neither
     FROM (${joined}) GROUP BY part ORDER BY part`,
  );
  const changed = byPart(
    await ask(
      `SELECT part, path FROM (
         SELECT *, row_number() OVER (PARTITION BY part ORDER BY weight DESC NULLS LAST, image) AS place
         FROM (${joined}) WHERE isSaid AND x <> y)
       WHERE place <= ${MOST_NAMED} ORDER BY part, place`,
    ),
  );
  const none = { part: null, unsaid: 0, both: 0, firstOnly: 0, secondOnly: 0, neither: 0 };
  return (found.length > 0 ? found : [none]).map((row) => {
    const { part, unsaid, ...pairs } = row as unknown as typeof none; // as selected
    const total = pairs.both + pairs.firstOnly + pairs.secondOnly + pairs.neither;
    return {
      ...{ part, unsaid, total, count: pairs.both + pairs.firstOnly, pairs },
      there: { count: pairs.both + pairs.secondOnly, total },
      images: changed.get(part) ?? [],
    };
  });
}

async function ofOthers(ask: Ask, { here, there }: Rows): Promise<Compared[]> {
  const [own, others] = [await tally(ask, here), await tally(ask, there)];
  const [having, lacking] = [await named(ask, here, true), await named(ask, here, false)];
  return own.map((one) => {
    const other = others.find(({ part }) => part === one.part) ?? { count: 0, total: 0 };
    const isMore = one.count * other.total >= other.count * one.total;
    return {
      ...one,
      there: { count: other.count, total: other.total },
      // Those that make the share another than before.
      images: (isMore ? having : lacking).get(one.part) ?? [],
    };
  });
}
