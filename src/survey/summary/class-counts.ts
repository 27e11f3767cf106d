/** Counts of present and relevant aspects, class by class, of any part of the images. */

import type { HeadlineCase } from "../../explain/explanation.js";
import type { Duck } from "../duck.js";
import type { PlannedBundle } from "../plan.js";
import type { AspectCount, ClassCount } from "../summary.js";
import { counted, sixDigits } from "./counted.js";

/** Whether nothing known explains the answer, or whether that could not even be looked at. */
export const NOTHING_KNOWN: readonly HeadlineCase[] = ["elsewhere", "no-evidence", "nothing-seen"];
export const UNSAID: readonly HeadlineCase[] = ["unreadable", "blind", "target-absent"];

/** By predicted class. */
export const BY_ANSWER = "SELECT image, '' AS part, predicted AS class FROM images WHERE error IS NULL";

/** By true class: of an image with several labels each. */
export const BY_TRUTH = `SELECT image, '' AS part, unnest(coalesce(labels, [label])) AS class FROM images
  WHERE error IS NULL AND (label IS NOT NULL OR labels IS NOT NULL)`;

/** By the value of a group (or by the split), and predicted class. @param key a literal of SQL. */
export function byGroup(key: string): string {
  const value = key === "'split'" ? `coalesce(groups[${key}], split)` : `groups[${key}]`;
  return `SELECT image, ${value} AS part, predicted AS class FROM images WHERE error IS NULL AND ${value} IS NOT NULL`;
}

/**
 * Sums are of whole millionths, so that they do not depend on the order.
 *
 * @param cut a query that gives `image`, `part` and `class`.
 * @returns by part, its classes in the order of the bundle.
 */
export async function classCounts(duck: Duck, cut: string, bundle: PlannedBundle): Promise<Map<string, ClassCount[]>> {
  const images = await duck.rows(
    `SELECT part, class, count(*) AS images, count(isRight) AS labelled, count(*) FILTER (isRight) AS rights,
       sum(round(elsewhere * 1e6)::BIGINT)::DOUBLE AS elsewhere, count(elsewhere) AS mapped
     FROM (${cut}) JOIN images USING (image) GROUP BY ALL ORDER BY ALL`,
  );
  const cases = await duck.rows(
    `SELECT part, class, "case", count(*) AS count FROM (${cut}) JOIN images USING (image) GROUP BY ALL`,
  );
  const aspects = await duck.rows(
    `SELECT cut.part, cut.class, name, count(*) FILTER (isPresent) AS present, count(*) FILTER (isRelevant) AS relevant,
       sum(round(share * 1e6)::BIGINT)::DOUBLE AS share, count(share) AS mapped
     FROM (${cut}) AS cut JOIN aspects USING (image) GROUP BY ALL`,
  );
  const keyOf = ({ part, class: name }: Readonly<Record<string, unknown>>) => JSON.stringify([part, name]);
  const aspectRows = new Map(aspects.map((row) => [`${keyOf(row)} ${row.name}`, row]));
  const caseRows = new Map<string, Partial<Record<HeadlineCase, number>>>();
  for (const row of cases)
    caseRows.set(keyOf(row), { ...caseRows.get(keyOf(row)), [row.case as HeadlineCase]: row.count as number });
  const result = new Map<string, ClassCount[]>();
  for (const row of images) {
    const key = keyOf(row);
    const total = row.images as number;
    const own = caseRows.get(key) ?? {};
    const sumOf = (names: readonly HeadlineCase[]) => names.reduce((sum, name) => sum + (own[name] ?? 0), 0);
    const list = result.get(row.part as string) ?? [];
    list.push({
      class: row.class as string | null,
      images: total,
      right: (row.labelled as number) > 0 ? counted(row.rights as number, row.labelled as number) : null,
      cases: Object.fromEntries(Object.entries(own).sort(([a], [b]) => (a < b ? -1 : 1))),
      noKnownAspect: counted(sumOf(NOTHING_KNOWN), total),
      cannotBeSaid: counted(sumOf(UNSAID), total),
      elsewhere: mean(row.elsewhere, row.mapped),
      aspects: bundle.aspects.map(({ name }): AspectCount => {
        const found = aspectRows.get(`${key} ${name}`);
        return {
          aspect: name,
          present: counted((found?.present ?? 0) as number, total),
          relevant: counted((found?.relevant ?? 0) as number, total),
          meanShare: found ? mean(found.share, found.mapped) : null,
        };
      }),
    });
    result.set(row.part as string, list);
  }
  const place = (name: string | null) => bundle.classes.indexOf(name ?? "");
  for (const list of result.values()) list.sort((a, b) => place(a.class) - place(b.class));
  return result;
}

/** @param sum of whole millionths. */
function mean(sum: unknown, count: unknown): number | null {
  return (count as number) > 0 ? sixDigits((sum as number) / 1e6 / (count as number)) : null;
}
