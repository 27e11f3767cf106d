/** Which aspects are relevant in the same images. */

import type { Duck } from "../duck.js";
import type { PlannedBundle } from "../plan.js";
import type { ClassCount, PairCount } from "../summary.js";
import { sixDigits } from "./counted.js";

/** By predicted class, the most frequent first. */
export async function relevantPairs(
  duck: Duck,
  bundle: PlannedBundle,
  answers: readonly ClassCount[],
): Promise<PairCount[]> {
  const rows = await duck.rows(
    `WITH relevant AS (SELECT image, predicted, name FROM aspects WHERE isRelevant)
     SELECT a.predicted AS class, a.name AS first, b.name AS second, count(*) AS count
     FROM relevant a JOIN relevant b ON a.image = b.image AND a.name < b.name GROUP BY ALL`,
  );
  const order = bundle.aspects.map(({ name }) => name);
  const pairs = rows.flatMap((row) => {
    const count = answers.find((one) => one.class === row.class);
    const [first, second] = [row.first as string, row.second as string].sort(
      (a, b) => order.indexOf(a) - order.indexOf(b),
    );
    const [a, b] = [first, second].map(
      (name) => count?.aspects.find(({ aspect }) => aspect === name)?.relevant.count ?? 0,
    );
    if (!count) return [];
    return [
      { class: count.class, first, second, count: row.count as number, expected: sixDigits((a * b) / count.images) },
    ];
  });
  const place = (name: string | null) => bundle.classes.indexOf(name ?? "");
  return pairs.sort(
    (a, b) =>
      place(a.class) - place(b.class) ||
      b.count - a.count ||
      order.indexOf(a.first) - order.indexOf(b.first) ||
      order.indexOf(a.second) - order.indexOf(b.second),
  );
}
