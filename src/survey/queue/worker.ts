/** A worker: does shards of whichever reports are on the queue, until it is told to stop. */

import { setTimeout as sleep } from "node:timers/promises";
import { type Explainer, openExplainer } from "../../bundle/explainer.js";
import { InputError } from "../../core/errors.js";
import type { RuntimeOptions } from "../../engine/devices.js";
import { bundleGuard } from "../bundle-guard.js";
import { bundleHash, readPlan } from "../plan.js";
import { planKey, runShard } from "../run-shard.js";
import { openShardWriter } from "../shard-writer.js";
import { openQueueServer } from "./open-queue.js";
import { queueAddress } from "./queue-address.js";
import type { ShardJob } from "./shard-job.js";
import { type SharedRoots, translated } from "./shared-roots.js";
import { workOnQueue } from "./work-on-queue.js";

/** How a worker works. */
export interface WorkerOptions extends RuntimeOptions {
  /** `redis://HOST` or `postgres://HOST/DATABASE`. */
  readonly url: string;
  /** Folders that it shares with the other machines, by the names that they have there too. */
  readonly roots: SharedRoots;
  /** Ends it; the shard that it does goes back at once. */
  readonly signal: AbortSignal;
  /** A worker that is silent for longer loses its shard to another, milliseconds. */
  readonly lockMs?: number;
  readonly onReady?: () => void;
  /** Called after each shard, with how many images it has. */
  readonly onShard?: (report: string, shard: number, images: number) => void;
}

/** A bundle that is open, since most shards are of one report. */
interface OpenBundle {
  readonly sha256: string;
  readonly explainer: Explainer;
  readonly check: () => Promise<void>;
}

/**
 * Ends when the signal is aborted.
 *
 * @throws InputError where nothing answers at the address, or a job lies below a root that is not named here.
 */
export async function runWorker(options: WorkerOptions): Promise<void> {
  const { url, roots, signal, lockMs, onReady, onShard, onNotice, ...runtime } = options;
  const server = await openQueueServer(queueAddress(url));
  const writer = await openShardWriter();
  let open: OpenBundle | undefined;
  const explainerOf = async (path: string, sha256: string): Promise<OpenBundle> => {
    if (open?.sha256 === sha256) return open;
    await open?.explainer.dispose();
    open = undefined;
    if ((await bundleHash(path)) !== sha256)
      throw new InputError(`${path}: is not the bundle that the report was begun with.`, {
        cure: "Put that one back, or begin another report.",
      });
    const explainer = await openExplainer(path, { ...runtime, onNotice });
    open = { sha256, explainer, check: bundleGuard(path, sha256) };
    return open;
  };
  const run = async (
    job: ShardJob,
    { signal, onProgress }: { signal: AbortSignal; onProgress: (n: number) => void },
  ) => {
    const at = { theirs: job.roots, ours: roots };
    const [folder, bundle, root] = [
      await translated(job.report, at),
      await translated(job.bundle, at),
      await translated(job.images, at),
    ];
    const plan = await readPlan(folder);
    if (planKey(plan) !== job.plan)
      throw new InputError(`${folder}: holds another report than the one that was queued.`, {
        cure: "Run its own command again.",
      });
    const { explainer, check } = await explainerOf(bundle, plan.bundle.sha256);
    let images = 0;
    const onImage = () => onProgress(++images);
    await runShard(folder, plan, job.shard, { explainer, writer, root, checkBundle: check, onImage, signal });
    if (images > 0) onShard?.(folder, job.shard, images);
  };
  try {
    await workOnQueue(server, {
      run,
      signal,
      ...(lockMs !== undefined && { lockMs }),
      ...(onNotice && { onNotice }),
      ...(onReady && { onReady }),
    });
  } finally {
    // What was stopped in the middle of a shard ends its image first.
    await sleep(0);
    await open?.explainer.dispose();
    writer.close();
  }
}
