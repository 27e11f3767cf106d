/** The plan of a report: its bundle, its images and how they are cut in shards; written once, before any work. */

import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { AspectKind, Task } from "../core/annotation.js";
import { InputError } from "../core/errors.js";
import { makeFolder, refused, temporaryName } from "../core/files.js";
import { parseJson } from "../core/json.js";
import { isRecord } from "../core/json-values.js";
import { linkOnce } from "../core/link-once.js";
import { readWhole } from "../core/read-whole.js";
import type { ScoreScale } from "../core/relevance-scale.js";
import type { ImageSet, PlannedImage } from "./planned-images.js";
import { checkReportFolder, isReport, REPORT_FILES } from "./report-folder.js";

/** `plan.json`: all that a machine must know, beside the bundle and the images themselves, to do a shard. */
export interface ReportPlan {
  readonly format: "aspectlens-report/1";
  readonly bundle: PlannedBundle;
  readonly images: {
    readonly kind: "dataset" | "folder" | "list";
    readonly name: string;
    readonly hash?: string;
    readonly root: string;
    readonly allowLinks: boolean;
    readonly count: number;
    /** Of `images.jsonl`. */
    readonly sha256: string;
  };
  /** Images of each shard but the last. */
  readonly shardSize: number;
  /** Where in `images.jsonl` each shard begins, bytes, and the file's end. */
  readonly offsets: readonly number[];
}

/** What a report says of its bundle. */
export interface PlannedBundle {
  readonly name: string;
  /** Of the whole file. */
  readonly sha256: string;
  readonly task: Task;
  /** Empty for a regression. */
  readonly classes: readonly string[];
  /** In the order of the heads. */
  readonly aspects: readonly { readonly name: string; readonly kind: AspectKind }[];
  /** What the scores mean; of `uncalibrated` nothing says which aspects are relevant. */
  readonly scale: ScoreScale["kind"];
}

const FORMAT = "aspectlens-report/1";
const MOST_PLAN_BYTES = 2 ** 24;
const SMALLEST_SHARD = 64;
const LARGEST_SHARD = 1024;
/** So many shards keep many machines busy, and lose little where one is stopped. */
const WANTED_SHARDS = 200;

/** Number of shards. */
export function shardCount({ offsets }: ReportPlan): number {
  return offsets.length - 1;
}

/** SHA-256 of a bundle's file, in hexadecimal digits. */
export async function bundleHash(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

/**
 * Writes the plan, or finds the same plan there already; processes that do so at the same time agree.
 *
 * @param options.shardSize images of a shard, 1 to 1,024; by their number between 64 and 1,024 where it is absent.
 * @throws InputError where the folder holds another plan, or anything else, or cannot be written to.
 */
export async function makePlan(
  folder: string,
  { bundle, set, shardSize }: { bundle: PlannedBundle; set: ImageSet; shardSize?: number },
): Promise<ReportPlan> {
  await checkReportFolder(folder);
  const found = (await isReport(folder)) ? await readPlan(folder) : undefined;
  await makeFolder(join(folder, REPORT_FILES.shards));
  const temporary = temporaryName(join(folder, REPORT_FILES.list));
  try {
    const lines = await writeList(temporary, set.images());
    const size = shardSize ?? sizeOfShards(lines.offsets.length);
    const { kind, name, hash, root, allowLinks } = set;
    const plan: ReportPlan = {
      format: FORMAT,
      bundle,
      images: {
        ...{ kind, name, ...(hash !== undefined && { hash }), root, allowLinks },
        ...{ count: lines.offsets.length, sha256: lines.sha256 },
      },
      shardSize: size,
      offsets: [...lines.offsets.filter((_, index) => index % size === 0), lines.bytes],
    };
    if (found) return same(folder, { found, wanted: plan });
    await linkOnce(temporary, join(folder, REPORT_FILES.list));
    if ((await bundleHash(join(folder, REPORT_FILES.list))) !== lines.sha256)
      throw new InputError(`${folder}: another report was begun there.`, {
        cure: "Name another folder, or remove this one.",
      });
    await writeOnce(join(folder, REPORT_FILES.plan), `${JSON.stringify(plan, null, 1)}\n`);
    return same(folder, { found: await readPlan(folder), wanted: plan });
  } catch (cause) {
    throw refused(folder, cause);
  } finally {
    await rm(temporary, { force: true }).catch(() => {});
  }
}

/** @throws InputError where no plan lies there, or one that we cannot read. */
export async function readPlan(folder: string): Promise<ReportPlan> {
  const file = join(folder, REPORT_FILES.plan);
  const bytes = await readWhole(file, {
    limit: MOST_PLAN_BYTES,
    absenceCure: 'Name the folder of a report; "aspectlens report" makes one.',
  });
  const plan = parseJson(bytes, { where: file, file, error: InputError });
  if (isRecord(plan) && plan.format === FORMAT) return plan as unknown as ReportPlan; // written by us
  throw new InputError(`${file}: is no plan of a report (${FORMAT}).`, { cure: "Name the folder of a report.", file });
}

/** The images of one shard, with the number of the first. @param number from 0. */
export async function readShardImages(
  folder: string,
  { offsets, shardSize }: ReportPlan,
  number: number,
): Promise<{ first: number; images: PlannedImage[] }> {
  const file = await open(join(folder, REPORT_FILES.list));
  try {
    const bytes = Buffer.alloc(offsets[number + 1] - offsets[number]);
    await file.read(bytes, 0, bytes.length, offsets[number]);
    const lines = bytes.toString("utf8").split("\n").slice(0, -1);
    return { first: number * shardSize, images: lines.map((line) => JSON.parse(line) as PlannedImage) };
  } finally {
    await file.close();
  }
}

function sizeOfShards(count: number): number {
  return Math.min(LARGEST_SHARD, Math.max(SMALLEST_SHARD, Math.ceil(count / WANTED_SHARDS)));
}

async function writeList(file: string, images: AsyncGenerator<PlannedImage>) {
  const hash = createHash("sha256");
  const offsets: number[] = [];
  let bytes = 0;
  const lines = async function* () {
    for await (const image of images) {
      const line = Buffer.from(`${JSON.stringify(image)}\n`);
      offsets.push(bytes);
      bytes += line.length;
      hash.update(line);
      yield line;
    }
  };
  await pipeline(lines, createWriteStream(file));
  return { offsets, bytes, sha256: hash.digest("hex") };
}

/** In one step, so that nobody reads half of it; what is there already stays. */
async function writeOnce(path: string, text: string): Promise<void> {
  const temporary = temporaryName(path);
  try {
    const file = await open(temporary, "w");
    await file.writeFile(text).finally(() => file.close());
    await linkOnce(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}

function same(folder: string, { found, wanted }: { found: ReportPlan; wanted: ReportPlan }): ReportPlan {
  const refuse = (what: string) =>
    new InputError(`${folder}: holds a report of ${what}.`, { cure: "Name another folder, or remove this one." });
  if (found.bundle.sha256 !== wanted.bundle.sha256)
    throw refuse(`another bundle, ${found.bundle.name} ${found.bundle.sha256.slice(0, 12)}`);
  const [before, now] = [found.images, wanted.images];
  if (before.sha256 !== now.sha256 || before.hash !== now.hash || before.root !== now.root)
    throw refuse(`other images, ${before.count} of ${before.name} in ${before.root}`);
  return found;
}
