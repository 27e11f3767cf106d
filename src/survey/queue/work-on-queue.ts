/** A worker: takes shards from the queue, one at a time, until it is told to stop. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Job } from "bullmq";
import type { QueueServer, ShardWorker } from "./open-queue.js";
import type { ShardJob } from "./shard-job.js";
import { UnknownRootError } from "./shared-roots.js";

export interface WorkOnQueueOptions {
  /**
   * Does one shard, or finds its file. It ends early, throwing, where the signal is aborted.
   *
   * @param onProgress told the number of images that are explained.
   */
  readonly run: (job: ShardJob, how: { signal: AbortSignal; onProgress: (images: number) => void }) => Promise<void>;
  /** Stops the worker: the shard that it does is put back at once. */
  readonly signal: AbortSignal;
  /** A worker that is silent for longer loses its shard to another, milliseconds. */
  readonly lockMs?: number;
  readonly onNotice?: (text: string) => void;
  /** Called when it waits for its first shard. */
  readonly onReady?: () => void;
}

/** A shard whose worker is gone is given to another this often: machines of a cluster come and go. */
const MOST_STALLS = 100;
const PROGRESS_MS = 1000;
/** For the server to take a shard back, when the worker stops. */
const GOODBYE_MS = 5000;

/**
 * Ends when the signal is aborted. A server that is away is waited for.
 *
 * @throws UnknownRootError where a job lies below a root that this worker does not know; the job goes to another one.
 */
export async function workOnQueue(
  server: QueueServer,
  { run, signal, lockMs = 30_000, onNotice, onReady }: WorkOnQueueOptions,
): Promise<void> {
  const { WaitingError } = await import("bullmq");
  let misplaced: UnknownRootError | undefined;
  const stop = new AbortController();
  const stopping = AbortSignal.any([signal, stop.signal]);
  const process = async (job: Job<ShardJob>, token?: string) => {
    let told = 0;
    const onProgress = (images: number) => {
      if (performance.now() - told < PROGRESS_MS) return;
      told = performance.now();
      job.updateProgress(images).catch(() => {}); // only a bar is behind
    };
    try {
      await run(job.data, { signal: stopping, onProgress });
    } catch (error) {
      if (error instanceof UnknownRootError) {
        misplaced = error;
        stop.abort();
      }
      if (!stopping.aborted) throw error;
      // Put back as it was, and no attempt of it is used up.
      await job.moveToWait(token);
      throw new WaitingError();
    }
  };
  const worker: ShardWorker = await server.worker(process, {
    concurrency: 1,
    lockDuration: lockMs,
    stalledInterval: lockMs,
    maxStalledCount: MOST_STALLS,
  });
  onReady?.();
  let isAway = false;
  worker.on("error", (error) => {
    if (!isAway) onNotice?.(`the queue's server: ${error.message || (error as NodeJS.ErrnoException).code}`);
    isAway = true;
  });
  worker.on("active", () => {
    isAway = false;
  });
  const stopped = new Promise<void>((resolve) => {
    if (stopping.aborted) resolve();
    else stopping.addEventListener("abort", () => resolve(), { once: true });
  });
  const running = worker.run().catch((error: unknown) => {
    if (!stopping.aborted) throw error;
  });
  await Promise.race([running, stopped]);
  await Promise.race([worker.close().catch(() => {}), sleep(GOODBYE_MS, undefined, { ref: false })]);
  if (misplaced) throw misplaced;
}
