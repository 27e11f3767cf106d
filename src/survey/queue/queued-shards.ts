/** The shards of a report, done by workers on other machines that see the same files. */

import { realpath } from "node:fs/promises";
import { InputError } from "../../core/errors.js";
import { type ReportPlan, shardCount } from "../plan.js";
import { planKey } from "../run-shard.js";
import { missingShards } from "../tables.js";
import { openQueueServer } from "./open-queue.js";
import { queueAddress } from "./queue-address.js";
import { runOnQueue } from "./run-on-queue.js";
import type { ShardJob } from "./shard-job.js";
import { rootOf, type SharedRoots } from "./shared-roots.js";

/** A queue on which shards are put instead of being done here. */
export interface QueueOptions {
  /** `redis://HOST` or `postgres://HOST/DATABASE`. */
  readonly url: string;
  /** Folders that all machines share, by name; the bundle, the images and the report lie below them. */
  readonly roots: SharedRoots;
  /** Told that no worker is there yet, or that the server is away and back. */
  readonly onNotice?: (text: string) => void;
}

/** After so long without any worker, somebody is told to start one, milliseconds. */
const LONELY_MS = 10_000;

/**
 * Ends when every shard has its file.
 *
 * @throws InputError where a path lies below no root, or a shard failed for good, which names the first such shard; the
 *   others are done then. InterruptedError where `signal` aborts.
 */
export async function queuedShards(
  folder: string,
  plan: ReportPlan,
  {
    bundle,
    queue: { url, roots, onNotice },
    onProgress,
    signal,
  }: {
    bundle: string;
    queue: QueueOptions;
    onProgress?: (done: number, count: number) => void;
    signal?: AbortSignal;
  },
): Promise<void> {
  const places = await sharedPlaces({ report: folder, bundle, images: plan.images.root }, roots);
  const all = Array.from({ length: shardCount(plan) }, (_, shard) => shard);
  const sizeOf = (shard: number) => Math.min(plan.shardSize, plan.images.count - shard * plan.shardSize);
  const key = planKey(plan);
  let doneImages = 0;
  let lonelySince = performance.now();
  let isTold = false;
  const finished = async () => {
    const missing = new Set(await missingShards(folder, plan));
    const done = all.filter((shard) => !missing.has(shard));
    doneImages = done.reduce((sum, shard) => sum + sizeOf(shard), 0);
    return new Set(done);
  };
  const server = await openQueueServer(queueAddress(url));
  const failures = await runOnQueue(server, {
    shards: all,
    jobOf: (shard): ShardJob => ({ ...places, plan: key, shard, roots }),
    finished,
    ...(signal && { signal }),
    ...(onNotice && { onNotice }),
    onProgress: ({ underway, active }) => {
      onProgress?.(doneImages + underway, plan.images.count);
      if (active > 0) lonelySince = performance.now();
      if (isTold || performance.now() - lonelySince < LONELY_MS) return;
      isTold = true;
      onNotice?.("no worker is there yet: start some with aspectlens worker --queue URL --root NAME=FOLDER");
    },
  });
  onProgress?.(doneImages, plan.images.count);
  if (failures.length === 0) return;
  const [{ shard, reason }] = failures;
  throw new InputError(
    `${folder}: ${failures.length} of ${all.length} shards failed, number ${shard + 1} with: ${reason}`,
    { cure: "The others are done; the same command tries these again." },
  );
}

/** Links resolved, since the other machines resolve theirs. @throws InputError where one lies below no root. */
async function sharedPlaces<Name extends string>(
  paths: Readonly<Record<Name, string>>,
  roots: SharedRoots,
): Promise<Record<Name, string>> {
  const places = {} as Record<Name, string>;
  for (const [name, path] of Object.entries(paths) as [Name, string][]) {
    places[name] = await realpath(path);
    if (rootOf(places[name], roots) === undefined)
      throw new InputError(`${path}: lies below no folder that the machines share.`, {
        cure: "Name its folder: --root NAME=FOLDER.",
        file: path,
      });
  }
  return places;
}
