/** How unusual the images of a report are, by the combinations of aspects in another report. */

import { countPairs, fitTree, without } from "../metrics/chow-liu.js";
import { quoted } from "../survey/duck.js";
import { LEAST_IMAGES, STATES } from "../survey/unusual.js";
import { HERE, THERE, type Views } from "./selection.js";
import type { Ask } from "./tally.js";

/** A digit for each aspect that both reports know: its place in `STATES`. */
function patterns({ images, aspects }: Views, names: readonly string[]): string {
  const list = `[${names.map(quoted).join(", ")}]`;
  return `SELECT i.image, coalesce(i.predicted, '') AS class,
      string_agg(CASE WHEN a.isRelevant THEN '2' WHEN a.isPresent THEN '1' ELSE '0' END, ''
        ORDER BY list_position(${list}, a.name)) AS pattern
    FROM ${images} AS i JOIN ${aspects} AS a ON a.image = i.image
    WHERE i.error IS NULL AND list_contains(${list}, a.name) GROUP BY ALL`;
}

interface Pattern {
  readonly class: string;
  readonly pattern: string;
  readonly count: number;
}

/**
 * Each class has a tree of dependences, fitted to the other report's images. The p-value of an image is the share of
 * those, and of itself, that are at least as unusual. Classes of fewer than 400 images there are not judged.
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

/**
 * The reference's images are each judged by the others alone, as the own images are, so that those of the same kind are
 * flagged no more often than `p` says (conformal p-values, Vovk et al. 2005).
 */
export function judgeBy(
  reference: readonly Pattern[],
  own: readonly Pattern[],
  variables: number,
): { readonly class: string; readonly pattern: string; readonly p: number }[] {
  const shape = { variables, states: STATES.length };
  const counted = reference.map(({ pattern, count }) => ({ states: Array.from(pattern, Number), count }));
  const all = countPairs(counted, shape);
  const known = counted
    .map(({ states, count }) => {
      const others = without(all, countPairs([{ states, count: 1 }], shape));
      return { count, logProbability: fitTree(others).logProbability(states) };
    })
    .sort((a, b) => a.logProbability - b.logProbability);
  const tree = fitTree(all);
  return own.map(({ class: name, pattern }) => {
    const line = tree.logProbability(Array.from(pattern, Number)) + 1e-9; // what differs by rounding alone is alike
    let below = 0;
    for (const { count, logProbability } of known) {
      if (logProbability > line) break;
      below += count;
    }
    return { class: name, pattern, p: (below + 1) / (all.total + 1) };
  });
}
