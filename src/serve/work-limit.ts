/** How much a server does at once: what is too much is sent away, what waits can be given up, what runs is finished. */

import { InterruptedError } from "../core/errors.js";

export interface WorkLimit {
  /** Requests that are here: being received, waiting or running. */
  readonly inFlight: number;
  /** Those of them whose work waits for a place. */
  readonly waiting: number;
  /** @returns what to call once when the request is over; `undefined` where it is one too many. */
  enter(): (() => void) | undefined;
  /**
   * Does the work when a place is free, in the order of the calls.
   *
   * @param signal gives up: work that waits is never begun.
   * @throws InterruptedError where it is given up before it began.
   */
  run<Value>(work: () => Promise<Value>, signal?: AbortSignal): Promise<Value>;
  /** Seconds after which a place is likely to be free. */
  readonly retryAfter: number;
}

/** How much a new duration counts in the mean. */
const SHARE = 0.1;
const FIRST_GUESS_MS = 200;

/** @param options.atOnce most that run; `inFlight` most that are here. */
export function workLimit({ atOnce, inFlight: most }: { atOnce: number; inFlight: number }): WorkLimit {
  const queue: (() => void)[] = [];
  let [here, running, meanMs] = [0, 0, FIRST_GUESS_MS];
  const next = () => {
    while (running < atOnce && queue.length > 0) {
      running++;
      queue.shift()?.();
    }
  };
  const place = (signal?: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const begin = () => {
        signal?.removeEventListener("abort", giveUp);
        resolve();
      };
      const giveUp = () => {
        queue.splice(queue.indexOf(begin), 1);
        reject(new InterruptedError("the request was given up."));
      };
      if (signal?.aborted) return reject(new InterruptedError("the request was given up."));
      signal?.addEventListener("abort", giveUp, { once: true });
      queue.push(begin);
      next();
    });
  return {
    get inFlight() {
      return here;
    },
    get waiting() {
      return queue.length;
    },
    get retryAfter() {
      return Math.max(1, Math.ceil(((queue.length + running) * meanMs) / atOnce / 1000));
    },
    enter() {
      if (here >= most) return undefined;
      here++;
      let isHere = true;
      return () => {
        if (isHere) here--;
        isHere = false;
      };
    },
    async run(work, signal) {
      await place(signal);
      const begun = performance.now();
      try {
        return await work();
      } finally {
        meanMs += SHARE * (performance.now() - begun - meanMs);
        running--;
        next();
      }
    },
  };
}
