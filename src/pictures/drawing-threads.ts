/** Draws the files of many images in several threads, so that the main one is free to read and to write. */

import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Explained } from "../explain/explanation.js";
import { type DrawingOptions, drawFiles, type ExplanationFiles } from "./explanation-files.js";

export interface DrawingOrder {
  readonly id: number;
  readonly explained: Explained;
  readonly options: DrawingOptions;
}

export interface DrawingAnswer {
  readonly id: number;
  /** `null` where drawing failed. */
  readonly files: ExplanationFiles | null;
}

/** Draws as `drawFiles` does. Whoever opened it disposes it. */
export interface Drawer {
  draw(explained: Explained, options: DrawingOptions): Promise<ExplanationFiles>;
  dispose(): Promise<void>;
}

/** To start threads and to fill their caches of letters takes about as long as to draw this many images. */
const MANY = 24;
const MOST_THREADS = 8;

/**
 * The first images are drawn in this thread, since most calls draw a few.
 *
 * @param options.threads at most; by default as many as the process may use, up to 8.
 */
export function openDrawer({ threads = Math.min(MOST_THREADS, availableParallelism()) } = {}): Drawer {
  const open: DrawingThread[] = [];
  let count = 0;
  return {
    async draw(explained, options) {
      if (++count === MANY) for (let i = 0; i < threads; i++) open.push(openThread());
      const [idlest] = open.filter((thread) => !thread.isEnded).sort((a, b) => a.waiting - b.waiting);
      // What a thread could not draw is drawn here, so that an error is as clear as without threads.
      return (await idlest?.draw(explained, options)) ?? drawFiles(explained, options);
    },
    async dispose() {
      await Promise.all(open.map((thread) => thread.dispose()));
    },
  };
}

interface DrawingThread {
  /** Images that it has to draw. */
  readonly waiting: number;
  readonly isEnded: boolean;
  /** @returns `null` where drawing failed, or the thread has ended. */
  draw(explained: Explained, options: DrawingOptions): Promise<ExplanationFiles | null>;
  dispose(): Promise<void>;
}

function openThread(): DrawingThread {
  const worker = new Worker(new URL("./draw-worker.js", import.meta.url), { name: "aspectlens-drawing", execArgv: [] });
  const waiting = new Map<number, (files: ExplanationFiles | null) => void>();
  let count = 0;
  let isEnded = false;
  const settle = ({ id, files }: DrawingAnswer) => {
    waiting.get(id)?.(files);
    waiting.delete(id);
  };
  const exited = new Promise<void>((resolve) => {
    worker.once("exit", () => {
      isEnded = true;
      for (const id of waiting.keys()) settle({ id, files: null });
      resolve();
    });
  });
  worker.on("error", () => {}); // it ends, and what it had to draw is drawn elsewhere
  worker.on("messageerror", () => worker.terminate());
  worker.on("message", settle);
  return {
    get waiting() {
      return waiting.size;
    },
    get isEnded() {
      return isEnded;
    },
    draw: (explained, options) =>
      new Promise((resolve) => {
        waiting.set(++count, resolve);
        const { explanation, maps } = explained;
        worker.postMessage({ id: count, explained: { explanation, maps }, options } satisfies DrawingOrder);
      }),
    async dispose() {
      if (!isEnded) worker.postMessage(null);
      await exited;
    },
  };
}
