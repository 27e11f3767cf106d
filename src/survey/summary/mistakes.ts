/** What wrong answers relied on, beside right ones of the same class. */

import { adjustedForMany } from "../../metrics/benjamini-hochberg.js";
import { fisherExact } from "../../metrics/exact-tests.js";
import type { Duck } from "../duck.js";
import type { PlannedBundle } from "../plan.js";
import type { Difference, Mistake } from "../summary.js";
import { counted, sixSignificant } from "./counted.js";

/** The most frequent mistakes first. Classes that are not in the bundle count as mistakes too. */
export async function mistakesOf(duck: Duck, { aspects }: PlannedBundle): Promise<Mistake[]> {
  const images = await duck.rows(
    `SELECT label AS truth, predicted AS answer, isRight, count(*) AS count FROM images
     WHERE isRight IS NOT NULL GROUP BY ALL`,
  );
  const relevant = await duck.rows(
    `SELECT label AS truth, predicted AS answer, isRight, name, count(*) AS count FROM aspects
     WHERE isRight IS NOT NULL AND isRelevant GROUP BY ALL`,
  );
  const sum = (rows: typeof images, answer: unknown, { isRight, truth, name }: Readonly<Record<string, unknown>>) =>
    rows
      .filter((row) => row.answer === answer && row.isRight === isRight)
      .filter((row) => (isRight || row.truth === truth) && (name === undefined || row.name === name))
      .reduce((total, { count }) => total + (count as number), 0);
  const mistakes = images
    .filter(({ isRight }) => !isRight)
    .map(({ truth, answer, count }) => {
      const wrong = count as number;
      const right = sum(images, answer, { isRight: true });
      return {
        ...{ truth: truth as string | null, answer: answer as string, images: wrong, rightImages: right },
        aspects: aspects.map(({ name }) => {
          const here = counted(sum(relevant, answer, { isRight: false, truth, name }), wrong);
          const there = counted(sum(relevant, answer, { isRight: true, name }), right);
          const p = fisherExact({ count: here.count, total: wrong }, { count: there.count, total: right });
          return { class: answer as string, aspect: name, here, there, p, q: p } satisfies Difference;
        }),
      };
    })
    .sort((a, b) => b.images - a.images || (`${a.truth} ${a.answer}` < `${b.truth} ${b.answer}` ? -1 : 1));
  const adjusted = adjustedForMany(mistakes.flatMap((mistake) => mistake.aspects.map(({ p }) => p)));
  let at = 0;
  return mistakes.map((mistake) => ({
    ...mistake,
    aspects: mistake.aspects.map((one) => ({ ...one, p: sixSignificant(one.p), q: sixSignificant(adjusted[at++]) })),
  }));
}
