/** The flat tables of a report, made of its shards: images, aspects and instances, as Parquet files. */

import { join } from "node:path";
import { InputError } from "../core/errors.js";
import { exists } from "../core/files.js";
import { type Duck, damaged, quoted } from "./duck.js";
import { type ReportPlan, shardCount } from "./plan.js";
import { REPORT_FILES, shardFile } from "./report-folder.js";
import { planKey } from "./run-shard.js";
import { writeQuery } from "./write-query.js";

/** Shards whose files are not there yet. */
export async function missingShards(folder: string, plan: ReportPlan): Promise<number[]> {
  const missing: number[] = [];
  for (let number = 0; number < shardCount(plan); number++)
    if (!(await exists(shardFile(folder, number)))) missing.push(number);
  return missing;
}

/**
 * Checks that each shard is whole and of this plan, and opens all as the view `shards`, in their order.
 *
 * @throws InputError naming the file that is not.
 */
export async function openShards(duck: Duck, folder: string, plan: ReportPlan): Promise<void> {
  const files: string[] = [];
  const key = planKey(plan);
  for (let number = 0; number < shardCount(plan); number++) {
    const file = shardFile(folder, number);
    files.push(file);
    const wanted = Math.min(plan.shardSize, plan.images.count - number * plan.shardSize);
    const about = await aboutShard(duck, file).catch((cause: unknown) => {
      throw damaged(file, cause);
    });
    if (about.plan === key && about.shard === String(number) && about.rows === wanted) continue;
    throw new InputError(`${file}: is no shard of this report.`, {
      cure: "Remove it, and run the report again.",
      file,
    });
  }
  await duck.run(`CREATE VIEW shards AS SELECT * FROM read_parquet([${files.map(quoted).join(", ")}])`);
}

async function aboutShard(duck: Duck, file: string) {
  const entries = await duck.rows(
    `SELECT decode(key) AS key, decode(value) AS value FROM parquet_kv_metadata(${quoted(file)})`,
  );
  const [count] = await duck.rows(`SELECT num_rows AS rows FROM parquet_file_metadata(${quoted(file)})`);
  const facts = new Map(entries.map(({ key, value }) => [key, value]));
  return { plan: facts.get("plan"), shard: facts.get("shard"), rows: count.rows };
}

/** What a query reads of an image's aspects, and of the image beside them. */
const ASPECTS = `
  SELECT image, predicted, label, isRight, aspect.* EXCLUDE (instances)
  FROM (SELECT image, predicted, label, isRight, unnest(aspects) AS aspect FROM shards)`;

const INSTANCES = `
  SELECT image, name, box[1] AS yMin, box[2] AS xMin, box[3] AS yMax, box[4] AS xMax,
    presence, score, survival, area
  FROM (
    SELECT image, aspect.name AS name, unnest(aspect.instances, max_depth := 2)
    FROM (SELECT image, unnest(aspects) AS aspect FROM shards)
  )`;

/** Unusual images are joined by their number; `profile` has the shares in the order of the heads, `elsewhere` last. */
const IMAGES = `
  SELECT shards.* EXCLUDE (aspects), unusual.p AS unusualP, unusual.aspect AS unusualAspect,
    list_append(list_transform(aspects, lambda each: coalesce(each.share, 0)), coalesce(elsewhere, 0)) AS profile
  FROM shards LEFT JOIN unusual USING (image) ORDER BY image`;

/** Writes the three tables. The views `shards` and `unusual` must be there. */
export async function writeTables(duck: Duck, folder: string): Promise<void> {
  const tables = [
    [REPORT_FILES.aspects, ASPECTS],
    [REPORT_FILES.instances, INSTANCES],
    [REPORT_FILES.images, IMAGES],
  ] as const;
  for (const [name, sql] of tables) await writeQuery(duck, sql, join(folder, name), "parquet");
}
