/** Opens a job queue on a server of the user: BullMQ, which speaks to Redis and to PostgreSQL. */

import type { Processor, Queue, QueueOptions, Worker, WorkerOptions } from "bullmq";
import { InputError } from "../../core/errors.js";
import { checkListening, type QueueAddress } from "./queue-address.js";
import { QUEUE_NAME, type ShardJob } from "./shard-job.js";

export type ShardQueue = Queue<ShardJob>;
export type ShardWorker = Worker<ShardJob>;

/** A server that is reached; both ends of the queue are made by it. */
export interface QueueServer {
  /** The caller closes it. */
  queue(): Promise<ShardQueue>;
  /** Begins when `run` is called; the caller closes it. */
  worker(process: Processor<ShardJob>, options: Omit<WorkerOptions, "connection">): Promise<ShardWorker>;
}

const DRIVERS = { redis: "ioredis", postgres: "pg" } as const;
const PATIENCE_MS = 15_000;

/**
 * @throws InputError where nothing answers there, it refuses, or the optional packages are not installed.
 */
export async function openQueueServer(address: QueueAddress): Promise<QueueServer> {
  await checkListening(address);
  const bullmq = await loaded(address.kind);
  // With `maxRetriesPerRequest: null` a call waits for a server that is away instead of failing.
  const options = (address.kind === "redis"
    ? { connection: { url: address.url, maxRetriesPerRequest: null } }
    : { connection: { connectionString: address.url, migrate: true } }) as unknown as Pick<QueueOptions, "connection">;
  const backend = (address.kind === "redis" ? undefined : bullmq.createPostgresBackend) as undefined;
  const ready = async <End extends ShardQueue | ShardWorker>(end: End): Promise<End> => {
    let isReady = false;
    const failed = new Promise<never>((_, reject) => {
      // Afterwards it tries again by itself; without a listener the process would end.
      (end as ShardQueue).on("error", (error) => {
        if (!isReady) reject(error);
      });
      setTimeout(() => reject(new Error("it does not answer")), PATIENCE_MS).unref();
    });
    try {
      await Promise.race([end.waitUntilReady(), failed]);
    } catch (cause) {
      await Promise.race([end.close().catch(() => {}), new Promise((resolve) => setTimeout(resolve, 1000).unref())]);
      const why = (cause as Error).message || (cause as NodeJS.ErrnoException).code;
      throw new InputError(`--queue: ${address.shown}: ${why}.`, {
        cure: "Check user, password and database of the address.",
        cause,
      });
    }
    isReady = true;
    failed.catch(() => {});
    return end;
  };
  return {
    queue: () => ready(new bullmq.Queue<ShardJob>(QUEUE_NAME, options, backend) as ShardQueue),
    worker: (process, how) =>
      ready(
        new bullmq.Worker<ShardJob>(
          QUEUE_NAME,
          process,
          { ...options, ...how, autorun: false },
          backend,
        ) as ShardWorker,
      ),
  };
}

async function loaded(kind: QueueAddress["kind"]): Promise<typeof import("bullmq")> {
  try {
    // By a variable, since pg has no types, and none are needed.
    const driver: string = DRIVERS[kind];
    const [bullmq] = await Promise.all([import("bullmq"), import(driver)]);
    return bullmq;
  } catch (cause) {
    throw new InputError("--queue: the packages that speak to queues are not installed.", {
      cure: `Run: npm install bullmq ${DRIVERS[kind]}.`,
      cause,
    });
  }
}
