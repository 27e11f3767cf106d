/** What lies in the folder of a report, and which folder a report may be written to. */

import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../core/errors.js";

/** Names in the folder of a report. */
export const REPORT_FILES = {
  /** Marks the folder as ours. */
  plan: "plan.json",
  /** The images, one a line, in their order. */
  list: "images.jsonl",
  shards: "shards",
  lock: ".lock",
  images: "images.parquet",
  aspects: "aspects.parquet",
  instances: "instances.parquet",
  summary: "summary.json",
  page: "index.html",
} as const;

/** Names of tables that `openReport` offers. */
export const TABLES = ["images", "aspects", "instances"] as const;

/** Path of the file of one shard. */
export function shardFile(folder: string, number: number): string {
  return join(folder, REPORT_FILES.shards, `${String(number).padStart(6, "0")}.parquet`);
}

/** True where a plan lies in it. */
export function isReport(folder: string): Promise<boolean> {
  return stat(join(folder, REPORT_FILES.plan)).then(
    (found) => found.isFile(),
    () => false,
  );
}

/**
 * A report goes into a new or empty folder, or on in one of ours.
 *
 * @throws InputError where it is a file, or holds anything else.
 */
export async function checkReportFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (!found || (await isReport(folder))) return;
  if (!found.isDirectory()) throw new InputError(`${folder}: is a file.`, { cure: "Name a folder.", file: folder });
  // What a process left that was stopped before its plan was whole.
  const isOurs = (name: string) => name === REPORT_FILES.list || name.startsWith(".");
  const foreign = (await readdir(folder)).find((name) => !isOurs(name));
  if (foreign !== undefined)
    throw new InputError(`${folder}: holds files that are no report, such as ${JSON.stringify(foreign)}.`, {
      cure: "Name a new folder.",
      file: folder,
    });
}
