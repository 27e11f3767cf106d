/** Finds images whose combination of present and relevant aspects is unusual for their predicted class. */

import { type Combination, countPairs, fitTree, without } from "../metrics/chow-liu.js";
import type { Duck } from "./duck.js";
import type { PlannedBundle } from "./plan.js";

/** Classes of fewer images are not judged: 1 in 200 of them is not two images. */
export const LEAST_IMAGES = 400;
/** From which p-value down an image is called unusual. */
export const UNUSUAL = 1 / 200;
/** An image is judged by a tree that was fitted to the other nine tenths. */
const FOLDS = 10;

/** States of an aspect in an image, as the tree sees them. */
export const STATES = ["absent", "present", "relevant"] as const;

/** One combination of a class and a fold, and how unusual it is. */
export interface Judged extends Combination {
  readonly fold: number;
  readonly logProbability: number;
  /** Share of the other images of the class that are at least as unusual. */
  readonly p: number;
  /** Number of the aspect that makes it unusual, and the state that would be the most likely in its place. */
  readonly telling?: { readonly variable: number; readonly state: number };
}

/**
 * Judges the images of one class, each by a tree of dependences (`fitTree`) of the images in other folds.
 *
 * @param combinations of the class, each with its fold.
 */
export function judge(
  combinations: readonly (Combination & { readonly fold: number })[],
  { variables }: { variables: number },
): Judged[] {
  const shape = { variables, states: STATES.length };
  const all = countPairs(combinations, shape);
  const judged: Omit<Judged, "p">[] = [];
  for (let fold = 0; fold < FOLDS; fold++) {
    const own = combinations.filter((one) => one.fold === fold);
    const tree = fitTree(without(all, countPairs(own, shape)));
    for (const one of own) {
      const telling = tree.mostTelling(one.states);
      judged.push({ ...one, fold, logProbability: tree.logProbability(one.states), ...(telling && { telling }) });
    }
  }
  judged.sort((a, b) => a.logProbability - b.logProbability);
  const result: Judged[] = [];
  for (let from = 0, before = 0; from < judged.length; ) {
    // What differs by rounding alone is equally unusual.
    let to = from;
    let count = 0;
    while (to < judged.length && judged[to].logProbability <= judged[from].logProbability + 1e-9)
      count += judged[to++].count;
    const p = (before + count - 1) / Math.max(1, all.total - 1);
    for (; from < to; from++) result.push({ ...judged[from], p });
    before += count;
  }
  return result;
}

/** Images spread over the folds by their number, neighbours over different ones (Knuth's multiplicative hash). */
const FOLD = `((image * 2654435761) % 4294967296 * ${FOLDS}) // 4294967296`;

/** A digit for each aspect, in the order of the heads: its place in `STATES`. */
const PATTERN = `array_to_string(list_transform(aspects,
  lambda each: CASE WHEN each.isRelevant THEN 2 WHEN each.isPresent THEN 1 ELSE 0 END), '')`;

/** Judges all images of the view `shards`, and leaves `image`, `p` and `aspect` of each in the table `unusual`. */
export async function judgeImages(duck: Duck, { aspects }: PlannedBundle): Promise<void> {
  await duck.run("CREATE TABLE judged (class VARCHAR, pattern VARCHAR, fold INTEGER, p DOUBLE, aspect VARCHAR)");
  await duck.run(
    `CREATE TABLE patterns AS SELECT image, coalesce(predicted, '') AS class, ${PATTERN} AS pattern, ${FOLD} AS fold
     FROM shards WHERE error IS NULL`,
  );
  const classes = await duck.rows(
    `SELECT class FROM patterns GROUP BY class HAVING count(*) >= ${LEAST_IMAGES} ORDER BY class`,
  );
  for (const { class: name } of classes) {
    const rows = await duck.rows(
      `SELECT pattern, fold, count(*) AS count FROM patterns WHERE class = $1 GROUP BY ALL ORDER BY pattern, fold`,
      [name as string],
    );
    const combinations = rows.map(({ pattern, fold, count }) => ({
      states: Array.from(pattern as string, Number),
      fold: fold as number,
      count: count as number,
    }));
    const found = judge(combinations, { variables: aspects.length }).map(({ states, fold, p, telling }) => ({
      ...{ class: name, pattern: Array.from(states).join(""), fold, p: Math.round(p * 1e6) / 1e6 },
      aspect: telling && aspects[telling.variable].name,
    }));
    await duck.run(
      `INSERT INTO judged SELECT unnest(from_json($1::JSON,
         '[{"class":"VARCHAR","pattern":"VARCHAR","fold":"INTEGER","p":"DOUBLE","aspect":"VARCHAR"}]'), recursive := true)`,
      [JSON.stringify(found)],
    );
  }
  await duck.run(
    "CREATE TABLE unusual AS SELECT image, p, aspect FROM patterns JOIN judged USING (class, pattern, fold)",
  );
  await duck.run("DROP TABLE patterns");
}
