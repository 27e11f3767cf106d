/** From all shards to the finished report: tables, summary, lists and page. */

import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Explainer } from "../bundle/explainer.js";
import { InputError } from "../core/errors.js";
import { removeAbandoned, temporaryName, writeFileAtomic, writeJson } from "../core/files.js";
import { writeLists } from "./csv-files.js";
import { type Duck, openDuck, quoted } from "./duck.js";
import { reportPage } from "./page/report-page.js";
import { type ReportPlan, shardCount } from "./plan.js";
import { REPORT_FILES, TABLES } from "./report-folder.js";
import { summarize } from "./summarize.js";
import type { ReportSummary } from "./summary.js";
import { missingShards, openShards, writeTables } from "./tables.js";
import { judgeImages } from "./unusual.js";

/** What else a finished report says, and who draws its pictures. */
export interface GatherOptions {
  /** Name of a group by which images are counted too; `split` goes for every dataset. */
  readonly group?: string;
  /** Folder of another report to compare with. */
  readonly against?: string;
  /** Draws the overlays of the page; without it they are left out. */
  readonly explainer?: Pick<Explainer, "explain">;
  /** Where the images' paths start; the plan's own root where it is absent. */
  readonly root?: string;
  readonly threads?: number;
  /** What is being done. */
  readonly onStep?: (text: string) => void;
}

/**
 * @throws InputError where a shard is missing or damaged, or something cannot be written; what was finished before stays
 *   as it was.
 */
export async function gather(
  folder: string,
  plan: ReportPlan,
  { group, against, explainer, root = plan.images.root, threads = 2, onStep }: GatherOptions = {},
): Promise<ReportSummary> {
  const missing = await missingShards(folder, plan);
  if (missing.length > 0)
    throw new InputError(
      `${folder}: ${missing.length} of ${shardCount(plan)} shards are missing, the first is number ${missing[0] + 1}.`,
      { cure: 'Do them with "aspectlens report", with --shard on other machines.' },
    );
  await removeAbandoned(folder);
  const scratch = temporaryName(join(folder, "scratch"));
  const duck = await openDuck({ threads, scratch });
  try {
    onStep?.("reading the shards");
    await openShards(duck, folder, plan);
    onStep?.("looking for unusual images");
    await judgeImages(duck, plan.bundle);
    onStep?.("writing the tables");
    await writeTables(duck, folder);
    await viewTables(duck, folder);
    onStep?.("counting");
    const summary = await summarize(duck, plan, { group, against });
    await writeLists(duck, folder, summary);
    onStep?.("drawing the page");
    await writeFileAtomic(join(folder, REPORT_FILES.page), await reportPage(duck, summary, { root, plan, explainer }));
    // Last, so that it vouches for the others.
    await writeJson(join(folder, REPORT_FILES.summary), summary);
    return summary;
  } finally {
    duck.close();
    await rm(scratch, { recursive: true, force: true }).catch(() => {});
  }
}

/** The tables as their files have them. */
async function viewTables(duck: Duck, folder: string): Promise<void> {
  for (const table of TABLES)
    await duck.run(
      `CREATE OR REPLACE VIEW ${table} AS SELECT * FROM read_parquet(${quoted(join(folder, REPORT_FILES[table]))})`,
    );
}
