/** Where the runs of many images go: one to a core, instead of every core to one image after another. */

import { openGraph } from "../bundle/graph-session.js";
import type { NdArrays } from "../core/nd-array.js";
import type { RuntimeOptions } from "./devices.js";
import { openRuntime, type Session } from "./session.js";
import { defaultThreads } from "./threads.js";

/** Runs one image's inputs, which are the engine's from then on. */
export type Run = (inputs: NdArrays) => Promise<NdArrays>;

export interface Lanes {
  /** On every core: the fastest for a single image. */
  readonly run: Run;
  /**
   * A place for the next of many images; after some dozen calls it is a session of one thread, in a worker of its own for
   * each core, which explains a fifth more images a second (a graph's small nodes do not fill two cores) and leaves them
   * to decoding where that waits.
   */
  next(): Run;
  dispose(): Promise<void>;
}

/** Opening further sessions takes about as long as this many images. */
const MANY = 24;

/**
 * @param readModel the graph's bytes, read anew for each session.
 * @throws BundleError where ONNX Runtime cannot build the graph.
 */
export async function openLanes(
  readModel: () => Promise<Uint8Array>,
  { name, ...options }: RuntimeOptions & { name: string },
): Promise<Lanes> {
  const { threads = defaultThreads(), device = "cpu" } = options;
  const main = await openLane(readModel, { ...options, threads, name });
  let narrow: Lane[] = [];
  let opening: Promise<void> | undefined;
  let count = 0;
  let isDisposed = false;
  const widen = async () => {
    // Opened beside the main one; should that fail (memory), the main one goes on alone.
    const opened = await Promise.allSettled(
      Array.from({ length: threads }, () => openLane(readModel, { ...options, threads: 1, onNotice: undefined, name })),
    );
    const lanes = opened.flatMap((lane) => (lane.status === "fulfilled" ? lane.value : []));
    if (lanes.length === threads) narrow = lanes;
    else await Promise.all(lanes.map((lane) => lane.dispose()));
  };
  return {
    run: (inputs) => main.session.run(inputs, { isHandedOver: true }),
    next() {
      count++;
      if (count === MANY && threads > 1 && device === "cpu" && !isDisposed) opening = widen();
      const lane = narrow[count % narrow.length] ?? main;
      return (inputs) => lane.session.run(inputs, { isHandedOver: true });
    },
    async dispose() {
      isDisposed = true;
      await opening;
      await Promise.all([main, ...narrow].map((lane) => lane.dispose()));
    },
  };
}

interface Lane {
  readonly session: Session;
  dispose(): Promise<void>;
}

async function openLane(
  readModel: () => Promise<Uint8Array>,
  { name, ...options }: RuntimeOptions & { name: string },
): Promise<Lane> {
  const runtime = openRuntime(options);
  try {
    const session = await openGraph(runtime, await readModel(), { source: name });
    return { session, dispose: () => runtime.dispose() };
  } catch (error) {
    await runtime.dispose();
    throw error;
  }
}
