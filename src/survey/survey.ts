/** Explains all images of a set with a bundle, shard by shard, and gathers them in a report. */

import { join, resolve } from "node:path";
import { type Explainer, openExplainer } from "../bundle/explainer.js";
import { readBundle } from "../bundle/read-bundle.js";
import { InputError, InterruptedError } from "../core/errors.js";
import { removeAbandoned } from "../core/files.js";
import { locked } from "../core/lock.js";
import type { RuntimeOptions } from "../engine/devices.js";
import { bundleGuard } from "./bundle-guard.js";
import { gather } from "./gather.js";
import { bundleHash, makePlan, type PlannedBundle, type ReportPlan, shardCount } from "./plan.js";
import { imageSet } from "./planned-images.js";
import { type QueueOptions, queuedShards } from "./queue/queued-shards.js";
import { isReport, REPORT_FILES } from "./report-folder.js";
import { runShard } from "./run-shard.js";
import { openShardWriter } from "./shard-writer.js";
import type { ReportSummary } from "./summary.js";
import { missingShards } from "./tables.js";

/** How a survey is made. */
export interface SurveyOptions extends RuntimeOptions {
  /** Folder of the report; a new one, or one of the same bundle and images, in which the survey goes on. */
  readonly out: string;
  /** Name of a group by which images are counted too; `split` goes for every dataset. */
  readonly group?: string;
  /** Folder of another report to compare with. */
  readonly against?: string;
  /** Only every `of`-th shard, from number `part` (1 to `of`) on, and nothing is gathered: for several machines. */
  readonly part?: { readonly part: number; readonly of: number };
  /** No image is explained: what other machines did is gathered. */
  readonly isGathered?: boolean;
  /** Puts the shards on a queue, for workers to do, instead of doing them here. */
  readonly queue?: QueueOptions;
  /** Images of a shard, 1 to 1,024; by their number 64 to 1,024 where it is absent. A report that goes on keeps its own. */
  readonly shardSize?: number;
  /** Called after each image with what is done, images of earlier calls included, and what there is to do. */
  readonly onProgress?: (done: number, count: number) => void;
  /** Called while the report is gathered. */
  readonly onStep?: (text: string) => void;
  /** Stops between images; the shards that are written stay. */
  readonly signal?: AbortSignal;
}

/** What became of a survey. */
export interface Surveyed {
  readonly plan: ReportPlan;
  /** Absent where only a part was done. */
  readonly summary?: ReportSummary;
}

const LARGEST_SHARD = 1024;

/**
 * Explains a set of images and writes a report of it: tables, counts, and a page. It may be stopped at any time; called
 * again, it goes on.
 *
 * @param bundle path of the bundle.
 * @param images a folder with `dataset.json`, another folder, a text file with one path a line, or the paths.
 * @throws InputError where the folder holds another report or anything else, images or group are not there, or files
 *   cannot be written; BundleError where the bundle is damaged, or is replaced meanwhile; InterruptedError where `signal`
 *   aborts.
 */
export async function survey(
  bundle: string,
  images: string | readonly string[],
  options: SurveyOptions,
): Promise<Surveyed> {
  checkOptions(options);
  const {
    out,
    part,
    group,
    against,
    isGathered = false,
    queue,
    onProgress,
    onStep,
    signal,
    shardSize,
    ...runtime
  } = options;
  await checkOther(against, out);
  const sha256 = await bundleHash(bundle).catch(() => ""); // what is wrong with it, opening it says
  const opened = await readBundle(bundle);
  const explainer = await openExplainer(opened, runtime);
  try {
    const about = aboutBundle(explainer, sha256);
    const set = await imageSet(images);
    const plan = await makePlan(out, { bundle: about, set, shardSize });
    const checkBundle = bundleGuard(bundle, plan.bundle.sha256);
    const work = { explainer, checkBundle, onProgress, signal };
    if (part) {
      await runShards(out, plan, { ...work, part });
      return { plan };
    }
    return await whileAlone(out, async () => {
      if (queue && !isGathered) await queuedShards(out, plan, { bundle, queue, onProgress, signal });
      else if (!isGathered) await runShards(out, plan, work);
      const summary = await gather(out, plan, { group, against, explainer, threads: runtime.threads, onStep });
      return { plan, summary };
    });
  } catch (error) {
    throw goneFrom(out, error) ?? error;
  } finally {
    await explainer.dispose();
  }
}

/** What to say where the folder, or a file in it, was taken away meanwhile. */
function goneFrom(folder: string, error: unknown): InputError | undefined {
  const { code, path } = (error ?? {}) as NodeJS.ErrnoException;
  if (code !== "ENOENT" || path === undefined || !resolve(path).startsWith(resolve(folder))) return undefined;
  return new InputError(`${folder}: was taken away while the report ran.`, {
    cure: "Run the same command again.",
    cause: error,
    file: folder,
  });
}

async function runShards(
  folder: string,
  plan: ReportPlan,
  {
    explainer,
    checkBundle,
    part: { part, of } = { part: 1, of: 1 },
    onProgress,
    signal,
  }: Pick<SurveyOptions, "part" | "onProgress" | "signal"> & {
    explainer: Explainer;
    checkBundle: () => Promise<void>;
  },
): Promise<void> {
  const sizeOf = (number: number) => Math.min(plan.shardSize, plan.images.count - number * plan.shardSize);
  const own = Array.from({ length: shardCount(plan) }, (_, number) => number).filter((n) => n % of === part - 1);
  const missing = new Set(await missingShards(folder, plan));
  const count = own.reduce((sum, number) => sum + sizeOf(number), 0);
  let done = own.filter((number) => !missing.has(number)).reduce((sum, number) => sum + sizeOf(number), 0);
  onProgress?.(done, count);
  await removeAbandoned(join(folder, REPORT_FILES.shards));
  const writer = await openShardWriter();
  const onImage = () => onProgress?.(++done, count);
  try {
    for (const number of own)
      if (missing.has(number))
        await runShard(folder, plan, number, { explainer, writer, checkBundle, onImage, signal });
  } catch (error) {
    if (!signal?.aborted) throw error;
    throw new InterruptedError(`interrupted; the same command goes on where ${folder} stands.`, { cause: error });
  } finally {
    writer.close();
  }
}

/** One process at a time gathers, and does all shards. */
function whileAlone<Result>(folder: string, work: () => Promise<Result>): Promise<Result> {
  const cure = "Wait for it, or name another folder; several machines share the work by --shard.";
  return locked(join(folder, REPORT_FILES.lock), { title: `${folder}: a report`, cure }, work);
}

/** What a plan says of a bundle. */
export function aboutBundle({ description, spec, classifier, scaleOf }: Explainer, sha256: string): PlannedBundle {
  return {
    ...{ name: description.name, sha256, task: classifier.task, classes: classifier.classes },
    aspects: spec.heads.flatMap((head) => (head.kind === "classifier" ? [] : [{ name: head.name, kind: head.kind }])),
    scale: scaleOf().kind,
  };
}

function checkOptions({ out, part, queue, shardSize, group, against, isGathered }: SurveyOptions): void {
  const isCount = (value: number) => Number.isSafeInteger(value) && value >= 1;
  if (typeof out !== "string" || out === "") throw new InputError("out: is empty.", { cure: "Name a folder." });
  if (part && !(isCount(part.part) && isCount(part.of) && part.part <= part.of))
    throw new InputError(`part: ${part.part} of ${part.of} is none.`, { cure: "Count from 1, as in 1 of 8." });
  if (part && (isGathered || group !== undefined || against !== undefined))
    throw new InputError("A part of the shards is not gathered.", { cure: "Gather when all parts are done." });
  if (queue && (part || isGathered))
    throw new InputError("A queue has all shards done.", { cure: "Leave out part and isGathered." });
  if (shardSize !== undefined && !(isCount(shardSize) && shardSize <= LARGEST_SHARD))
    throw new InputError(`shardSize: ${shardSize} is out of range.`, { cure: `Give 1 to ${LARGEST_SHARD}.` });
}

async function checkOther(against: string | undefined, out: string): Promise<void> {
  if (against === undefined) return;
  if (resolve(against) === resolve(out))
    throw new InputError(`${against}: is the report itself.`, { cure: "Name another report." });
  if (!(await isReport(against)))
    throw new InputError(`${against}: is no report.`, { cure: "Name the folder of a report that is finished." });
}
