/** Groups side by side: patients, sites, scanners or splits whose answers rely on other aspects. */

import { InputError } from "../../core/errors.js";
import { adjustedForMany } from "../../metrics/benjamini-hochberg.js";
import { fisherExact } from "../../metrics/exact-tests.js";
import { type Duck, quoted } from "../duck.js";
import type { PlannedBundle } from "../plan.js";
import type { Counted, GroupSurvey } from "../summary.js";
import { byGroup, classCounts } from "./class-counts.js";
import { counted, sixSignificant } from "./counted.js";

/** Values of the most images that are shown and tested. */
const MOST_VALUES = 100;
/** Expected share of false differences among those that are listed. */
export const FALSE_SHARE = 0.05;

/** @throws InputError where no image names the group, with the names that there are. */
export async function groupSurvey(duck: Duck, key: string, bundle: PlannedBundle): Promise<GroupSurvey> {
  const byValue = await classCounts(duck, byGroup(quoted(key)), bundle);
  if (byValue.size === 0) {
    const names = await duck.rows("SELECT DISTINCT unnest(map_keys(groups)) AS name FROM images ORDER BY name");
    const known = [...names.map(({ name }) => String(name)), "split"];
    throw new InputError(`--group ${key}: no image names such a group.`, { cure: `Known: ${known.join(", ")}.` });
  }
  const all = [...byValue].map(([value, answers]) => ({
    ...{ value, answers, images: answers.reduce((sum, { images }) => sum + images, 0) },
  }));
  all.sort((a, b) => b.images - a.images || (a.value < b.value ? -1 : 1));
  const values = all.slice(0, MOST_VALUES);
  const totals = new Map<string, { relevant: number; images: number }>();
  const keyOf = (name: string | null, aspect: string) => JSON.stringify([name, aspect]);
  for (const { answers } of all)
    for (const { class: name, images, aspects } of answers)
      for (const { aspect, relevant } of aspects) {
        const sum = totals.get(keyOf(name, aspect)) ?? { relevant: 0, images: 0 };
        totals.set(keyOf(name, aspect), { relevant: sum.relevant + relevant.count, images: sum.images + images });
      }
  const tested = values.flatMap(({ value, answers }) =>
    answers.flatMap(({ class: name, images, aspects }) =>
      aspects.flatMap(({ aspect, relevant }) => {
        const sum = totals.get(keyOf(name, aspect)) ?? { relevant: 0, images: 0 };
        const others = { count: sum.relevant - relevant.count, total: sum.images - images };
        if (others.total === 0 || sum.relevant === 0) return []; // nothing to compare
        const p = fisherExact({ count: relevant.count, total: images }, others);
        const there: Counted = counted(others.count, others.total);
        return [{ value, class: name, aspect, here: relevant, there, p }];
      }),
    ),
  );
  const adjusted = adjustedForMany(tested.map(({ p }) => p));
  const differences = tested
    .map((one, index) => ({ ...one, p: sixSignificant(one.p), q: sixSignificant(adjusted[index]) }))
    .filter(({ q }) => q <= FALSE_SHARE)
    .sort((a, b) => a.q - b.q || a.p - b.p);
  return { key, values, leftOut: all.length - values.length, tests: tested.length, differences };
}
