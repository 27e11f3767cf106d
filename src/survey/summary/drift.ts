/** One report beside another: which aspects are relevant more or less often, and the images whose reasons changed. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../../core/errors.js";
import { adjustedForMany } from "../../metrics/benjamini-hochberg.js";
import { fisherExact, mcNemarExact } from "../../metrics/exact-tests.js";
import { type Duck, quoted } from "../duck.js";
import { type ReportPlan, readPlan } from "../plan.js";
import { REPORT_FILES } from "../report-folder.js";
import type { ChangedImage, ClassCount, Difference, Drift, ReportSummary } from "../summary.js";
import { counted, sixSignificant } from "./counted.js";
import { FALSE_SHARE } from "./group-survey.js";

const LISTED = 100;
/** Share of the smaller report's images that must be in both, so that images are compared with themselves. */
const PAIRED_FROM = 0.9;

/** Beside `images` and `aspects` of this report, the views of the other one. */
const VIEWS = ["images", "aspects"] as const;

/** By image in both, the part of the evidence that moved; needs the table `paired`. */
export const CHANGES = `
  WITH sides AS (
    SELECT here AS image, name, round(share * 1e6)::BIGINT AS share FROM paired JOIN aspects ON image = here
    UNION ALL SELECT here, name, -round(share * 1e6)::BIGINT FROM paired JOIN otherAspects ON image = there
    UNION ALL SELECT here, '', round(elsewhere * 1e6)::BIGINT FROM paired JOIN images ON image = here
    UNION ALL SELECT here, '', -round(elsewhere * 1e6)::BIGINT FROM paired JOIN otherImages ON image = there
  ), moves AS (SELECT image, name, abs(sum(share)) AS move FROM sides GROUP BY ALL)
  SELECT image, path, (sum(move) / 2e6)::DOUBLE AS moved, any_value(hereClass) AS here, any_value(thereClass) AS there
  FROM moves JOIN paired ON here = image JOIN images USING (image)
  GROUP BY image, path ORDER BY moved DESC, image`;

/**
 * @param other folder of the report to compare with.
 * @throws InputError where it is none, or is not finished.
 */
export async function driftFrom(
  duck: Duck,
  other: string,
  { plan, answers }: { plan: ReportPlan; answers: readonly ClassCount[] },
): Promise<Drift> {
  const there = await readPlan(other);
  const summary = await readFile(join(other, REPORT_FILES.summary), "utf8").then(
    (text) => JSON.parse(text) as ReportSummary,
    (cause: unknown) => {
      throw new InputError(`${other}: is not finished.`, { cure: 'Run "aspectlens report" there first.', cause });
    },
  );
  for (const view of VIEWS)
    await duck.run(
      `CREATE OR REPLACE VIEW other${view} AS SELECT * FROM read_parquet(${quoted(join(other, REPORT_FILES[view]))})`,
    );
  await duck.run(
    `CREATE OR REPLACE TABLE paired AS
     WITH here AS (SELECT sha256, any_value(image) AS image FROM images WHERE error IS NULL GROUP BY sha256 HAVING count(*) = 1),
       there AS (SELECT sha256, any_value(image) AS image FROM otherImages WHERE error IS NULL GROUP BY sha256 HAVING count(*) = 1)
     SELECT here.image AS here, there.image AS there, a.predicted AS hereClass, b.predicted AS thereClass
     FROM here JOIN there USING (sha256) JOIN images a ON a.image = here.image JOIN otherImages b ON b.image = there.image`,
  );
  const [{ count }] = await duck.rows("SELECT count(*) AS count FROM paired");
  const smaller = Math.min(plan.images.count, there.images.count);
  const isPaired = (count as number) >= PAIRED_FROM * smaller;
  const known = new Set(there.bundle.aspects.map(({ name }) => name));
  const names = plan.bundle.aspects.map(({ name }) => name).filter((name) => known.has(name));
  const tested = isPaired ? await pairedTests(duck, names) : unpairedTests(answers, summary.answers, names);
  const adjusted = adjustedForMany(tested.map(({ p }) => p));
  const differences = tested
    .map((one, index): Difference => ({ ...one, p: sixSignificant(one.p), q: sixSignificant(adjusted[index]) }))
    .filter(({ q }) => q <= FALSE_SHARE)
    .sort((a, b) => a.q - b.q || a.p - b.p);
  const [changed] = await duck.rows("SELECT count(*) AS count FROM paired WHERE hereClass IS DISTINCT FROM thereClass");
  const changes = isPaired ? await duck.rows(`${CHANGES} LIMIT ${LISTED}`) : [];
  return {
    bundle: { name: there.bundle.name, sha256: there.bundle.sha256 },
    imageSet: there.images.name,
    isPaired,
    images: isPaired ? (count as number) : summary.images.explained,
    changedAnswers: isPaired ? counted(changed.count as number, count as number) : null,
    tests: tested.length,
    differences,
    changes: changes as unknown as ChangedImage[], // as selected
  };
}

type Tested = Omit<Difference, "q">;

/** Of all images, and of those that both answer with the same class. */
async function pairedTests(duck: Duck, names: readonly string[]): Promise<Tested[]> {
  const rows = await duck.rows(
    `WITH each AS (
       SELECT paired.*, a.name, coalesce(a.isRelevant, false) AS x, coalesce(b.isRelevant, false) AS y
       FROM paired JOIN aspects a ON a.image = here JOIN otherAspects b ON b.image = there AND b.name = a.name)
     SELECT name, NULL AS class, count(*) AS count, count(*) FILTER (x) AS here, count(*) FILTER (y) AS there,
       count(*) FILTER (x AND NOT y) AS gained, count(*) FILTER (y AND NOT x) AS lost FROM each GROUP BY name
     UNION ALL
     SELECT name, hereClass, count(*), count(*) FILTER (x), count(*) FILTER (y), count(*) FILTER (x AND NOT y),
       count(*) FILTER (y AND NOT x) FROM each WHERE hereClass = thereClass GROUP BY name, hereClass
     ORDER BY class NULLS FIRST, name`,
  );
  return rows
    .filter(({ name }) => names.includes(name as string))
    .map((row) => ({
      ...{ class: row.class as string | null, aspect: row.name as string },
      here: counted(row.here as number, row.count as number),
      there: counted(row.there as number, row.count as number),
      p: mcNemarExact(row.gained as number, row.lost as number),
    }));
}

/** Of all images, and of each class as it was answered. */
function unpairedTests(here: readonly ClassCount[], there: readonly ClassCount[], names: readonly string[]): Tested[] {
  const sumOf = (counts: readonly ClassCount[], aspect: string) => ({
    count: counts.reduce(
      (sum, one) => sum + (one.aspects.find((each) => each.aspect === aspect)?.relevant.count ?? 0),
      0,
    ),
    total: counts.reduce((sum, { images }) => sum + images, 0),
  });
  const classes = here.map((one) => one.class).filter((name) => name !== null);
  const parts = [null, ...classes.filter((name) => there.some((one) => one.class === name))];
  return parts.flatMap((name) =>
    names.map((aspect) => {
      const of = (counts: readonly ClassCount[]) =>
        sumOf(name === null ? counts : counts.filter((one) => one.class === name), aspect);
      const [own, other] = [of(here), of(there)];
      return {
        ...{ class: name, aspect, here: counted(own.count, own.total), there: counted(other.count, other.total) },
        p: fisherExact(own, other),
      };
    }),
  );
}
