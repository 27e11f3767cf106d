/** How unusual the images of a report are, by the combinations of aspects in another report. */

import { countPairs, fitTree } from "../metrics/chow-liu.js";
import { quoted } from "../survey/duck.js";
import { LEAST_IMAGES, STATES } from "../survey/unusual.js";
import { HERE, THERE, type Views } from "./selection.js";
import type { Ask } from "./tally.js";

/** A digit for each aspect that both reports know: its place in `STATES`. */
function patterns({ images, aspects }: Views, names: readonly string[]): string {
  const list = `[${names.map(quoted).join(", ")}]`;
  return `SELECT image, coalesce(predicted, '') AS class,
      string_agg(CASE WHEN isRelevant THEN '2' WHEN isPresent THEN '1' ELSE '0' END, '' ORDER BY list_position(${list}, name))
        AS pattern
    FROM (SELECT image, predicted FROM ${images} WHERE error IS NULL) JOIN ${aspects} USING (image)
    WHERE list_contains(${list}, name) GROUP BY image, class`;
}

interface Pattern {
  readonly class: string;
  readonly pattern: string;
  readonly count: number;
}

/**
 * Each class has a tree of dependences, fitted to the other report's images. The p-value of an image is the share of
 * those that are at least as unusual. Classes of fewer than 400 images there are not judged.
 *
 * @param names the aspects that both know.
 * @returns a query that gives `image` and `p`.
 */
export async function unlikeOther(ask: Ask, names: readonly string[]): Promise<string> {
  const counts = async (views: Views) =>
    (await ask(
      `SELECT class, pattern, count(*) AS count FROM (${patterns(views, names)}) GROUP BY ALL ORDER BY ALL`,
    )) as unknown as Pattern[]; // as selected
  const [here, there] = [await counts(HERE), await counts(THERE)];
  const judged = [...new Set(here.map((one) => one.class))].flatMap((name) => {
    const own = here.filter((one) => one.class === name);
    const reference = there.filter((one) => one.class === name);
    if (reference.reduce((sum, { count }) => sum + count, 0) < LEAST_IMAGES) return [];
    return judgeBy(reference, own, names.length);
  });
  const json = quoted(JSON.stringify(judged));
  const rows = `SELECT unnest(from_json(${json}::JSON, '[{"class":"VARCHAR","pattern":"VARCHAR","p":"DOUBLE"}]'),
    recursive := true)`;
  return `SELECT image, p FROM (${patterns(HERE, names)}) JOIN (${rows}) USING (class, pattern)`;
}

/** @returns of each own pattern the share of the reference's images that are at least as unlikely. */
export function judgeBy(
  reference: readonly Pattern[],
  own: readonly Pattern[],
  variables: number,
): { readonly class: string; readonly pattern: string; readonly p: number }[] {
  const statesOf = (pattern: string) => Array.from(pattern, Number);
  const tree = fitTree(
    countPairs(
      reference.map(({ pattern, count }) => ({ states: statesOf(pattern), count })),
      { variables, states: STATES.length },
    ),
  );
  const known = reference
    .map(({ pattern, count }) => ({ count, logProbability: tree.logProbability(statesOf(pattern)) }))
    .sort((a, b) => a.logProbability - b.logProbability);
  const total = known.reduce((sum, { count }) => sum + count, 0);
  return own.map(({ class: name, pattern }) => {
    const line = tree.logProbability(statesOf(pattern)) + 1e-9; // what differs by rounding alone is equally unusual
    let below = 0;
    for (const { count, logProbability } of known) {
      if (logProbability > line) break;
      below += count;
    }
    return { class: name, pattern, p: below / total };
  });
}
