/** A pool of sessions for many images: one single-threaded session per core, instead of all cores on one image. */

import type { NdArrays } from "../core/nd-array.js";
import type { RuntimeOptions } from "./devices.js";
import { openRuntime, type Runtime, type Session } from "./session.js";
import { defaultThreads } from "./threads.js";

/** Runs the inputs of one image, which are handed over to the engine. */
export type RunGraph = (inputs: NdArrays) => Promise<NdArrays>;

export interface SessionPool {
  /** A session on all cores, the fastest for a single image. */
  readonly run: RunGraph;
  /**
   * The next free session for one of many images. After some dozen calls, the pool has a single-threaded session in a
   * separate worker for each core. That explains a fifth more images per second (the small nodes of a graph do not use
   * two cores well) and leaves cores to decoding when needed.
   */
  next(): RunGraph;
  dispose(): Promise<void>;
}

/** Opening further sessions takes about as long as this many images. */
const MANY = 24;

/**
 * @param createSession opens a session of the graph on a runtime; called once for each session of the pool.
 * @throws what `createSession` throws, of the first session.
 */
export async function openSessionPool(
  createSession: (runtime: Runtime) => Promise<Session>,
  options: RuntimeOptions = {},
): Promise<SessionPool> {
  const { threads = defaultThreads(), device = "cpu" } = options;
  const main = await openWorker(createSession, { ...options, threads });
  let narrow: Worker[] = [];
  let opening: Promise<void> | undefined;
  let count = 0;
  let isDisposed = false;
  const widen = async () => {
    // Opened in addition to the main session; if that fails (memory), the main session is used alone.
    const opened = await Promise.allSettled(
      Array.from({ length: threads }, () => openWorker(createSession, { ...options, threads: 1, onNotice: undefined })),
    );
    const workers = opened.flatMap((worker) => (worker.status === "fulfilled" ? worker.value : []));
    if (workers.length === threads) narrow = workers;
    else await Promise.all(workers.map((worker) => worker.dispose()));
  };
  return {
    run: (inputs) => main.session.run(inputs, { isHandedOver: true }),
    next() {
      count++;
      if (count === MANY && threads > 1 && device === "cpu" && !isDisposed) opening = widen();
      const worker = narrow[count % narrow.length] ?? main;
      return (inputs) => worker.session.run(inputs, { isHandedOver: true });
    },
    async dispose() {
      isDisposed = true;
      await opening;
      await Promise.all([main, ...narrow].map((worker) => worker.dispose()));
    },
  };
}

interface Worker {
  readonly session: Session;
  dispose(): Promise<void>;
}

async function openWorker(
  createSession: (runtime: Runtime) => Promise<Session>,
  options: RuntimeOptions = {},
): Promise<Worker> {
  const runtime = openRuntime(options);
  try {
    const session = await createSession(runtime);
    return { session, dispose: () => runtime.dispose() };
  } catch (error) {
    await runtime.dispose();
    throw error;
  }
}
