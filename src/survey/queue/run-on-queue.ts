/** Has the shards of a report done by workers on other machines: puts them on the queue, and waits for their files. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Job } from "bullmq";
import { InterruptedError, QueueError } from "../../core/errors.js";
import type { QueueServer, ShardQueue } from "./open-queue.js";
import { jobId, type ShardJob } from "./shard-job.js";

/** How a shard fails for good, after all its attempts. */
export interface ShardFailure {
  readonly shard: number;
  readonly reason: string;
}

/** What is known while the workers work. */
export interface QueueProgress {
  /** Shards whose file is there. */
  readonly finished: number;
  /** Images of shards that are being done now. */
  readonly underway: number;
  /** Shards that workers are doing now. */
  readonly active: number;
}

export interface RunOnQueueOptions {
  /** Shards that are to be done. */
  readonly shards: readonly number[];
  readonly jobOf: (shard: number) => ShardJob;
  /** Shards whose file is there: files alone say what is done, whatever the queue says. */
  readonly finished: () => Promise<ReadonlySet<number>>;
  readonly onProgress?: (progress: QueueProgress) => void;
  /** Tells that the server is away, and that it is back. */
  readonly onNotice?: (text: string) => void;
  readonly signal?: AbortSignal;
  /** Between two looks at the files. */
  readonly pollMs?: number;
  /** Between two looks at the jobs of all shards that are missing. */
  readonly checkMs?: number;
}

const ATTEMPTS = 3;
const BACKOFF_MS = 1000;
/** Jobs that are asked about at a time. */
const AT_A_TIME = 64;
/** A server that is away for longer ends the wait. */
const PATIENCE_MS = 300_000;

/**
 * Ends when every shard has its file or has failed for good. A job that the server lost is put back, since its file is
 * missing. Stopped at any moment, the same call goes on.
 *
 * @returns the shards that failed, ascending.
 * @throws InterruptedError where the signal is aborted; QueueError where the server stays away for five minutes.
 */
export async function runOnQueue(server: QueueServer, options: RunOnQueueOptions): Promise<ShardFailure[]> {
  const { shards, finished, onProgress, onNotice, signal, pollMs = 500, checkMs = 15_000 } = options;
  const queue = await server.queue();
  const failures = new Map<number, string>();
  const asked = new Set<number>();
  let checked = Number.NEGATIVE_INFINITY;
  let awaySince: number | undefined;
  try {
    for (;;) {
      const done = await finished();
      const missing = shards.filter((shard) => !done.has(shard) && !failures.has(shard));
      if (signal?.aborted) throw new InterruptedError(interrupted(shards.length - missing.length, shards.length));
      if (missing.length === 0) break;
      try {
        if (performance.now() - checked >= checkMs) {
          await inParts(missing, (shard) => ensure(queue, options.jobOf(shard), { failures, asked }));
          checked = performance.now();
        }
        const active = await ours(queue, options.jobOf(missing[0]).plan);
        onProgress?.({ finished: done.size, ...active });
        if (awaySince !== undefined) onNotice?.("the queue's server is back");
        awaySince = undefined;
      } catch (cause) {
        const message = (cause as Error).message || String((cause as NodeJS.ErrnoException).code);
        if (awaySince === undefined) onNotice?.(`the queue's server is away (${message}): waiting for it`);
        awaySince ??= performance.now();
        if (performance.now() - awaySince > PATIENCE_MS)
          throw new QueueError(
            `the queue's server is away for five minutes: ${message}. Start it, and run the same command again: it goes on.`,
            { cause },
          );
      }
      await sleep(pollMs, undefined, { signal }).catch(() => {});
    }
    // What was put back although it was being done; a worker that finds the file does nothing.
    await inParts([...asked], async (shard) => {
      const job = await queue.getJob(jobId(options.jobOf(shard)));
      await job?.remove().catch(() => {}); // it is being done
    }).catch(() => {});
    return [...failures].map(([shard, reason]) => ({ shard, reason })).sort((a, b) => a.shard - b.shard);
  } finally {
    // A server that is away would keep it open.
    await Promise.race([queue.close().catch(() => {}), sleep(2000, undefined, { ref: false })]);
  }
}

/** Puts a shard on the queue unless it is there; what failed for good before this run is tried anew. */
async function ensure(
  queue: ShardQueue,
  data: ShardJob,
  { failures, asked }: { failures: Map<number, string>; asked: Set<number> },
): Promise<void> {
  const id = jobId(data);
  const found = await queue.getJob(id);
  const state = await found?.getState();
  if (found && state === "failed" && asked.has(data.shard)) {
    failures.set(data.shard, (found as Job).failedReason || "no reason is given");
    return;
  }
  const isThere = state !== undefined && !["failed", "completed", "unknown"].includes(state);
  if (!isThere) {
    await found?.remove();
    await queue.add("shard", data, {
      jobId: id,
      attempts: ATTEMPTS,
      backoff: { type: "exponential", delay: BACKOFF_MS },
      removeOnComplete: true,
      removeOnFail: false,
    });
  }
  asked.add(data.shard);
}

/** Jobs of this report that are being done, and how many images of them are explained. */
async function ours(queue: ShardQueue, plan: string): Promise<{ active: number; underway: number }> {
  const jobs = (await queue.getActive()).filter(({ data }) => data.plan === plan);
  const underway = jobs.map(({ progress }) => (typeof progress === "number" ? progress : 0));
  return { active: jobs.length, underway: underway.reduce((sum, count) => sum + count, 0) };
}

async function inParts(shards: readonly number[], work: (shard: number) => Promise<void>): Promise<void> {
  for (let start = 0; start < shards.length; start += AT_A_TIME)
    await Promise.all(shards.slice(start, start + AT_A_TIME).map(work));
}

function interrupted(done: number, count: number): string {
  return `interrupted after ${done} of ${count} shards; workers finish what is queued, and the same command goes on.`;
}
