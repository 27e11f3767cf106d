/** The timeout of one request: aborts it if no data has come for some time, or the caller's signal aborts. */

import { TransientError } from "./failures.js";

/** The owner calls `stop` at the end. */
export class Watch {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #seconds: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(outer: AbortSignal | undefined, { seconds, host }: { seconds: number; host: string }) {
    this.#outer = outer;
    this.#seconds = seconds;
    this.#expire = () => this.#controller.abort(new TransientError(`nothing came from ${host} for ${seconds} s`));
    if (outer?.aborted) this.#forward();
    outer?.addEventListener("abort", this.#forward, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Waiting for the server: restarts the timer. */
  start(): void {
    this.pause();
    this.#timer = setTimeout(this.#expire, this.#seconds * 1000);
  }

  /** Stops the timer while we work: a slow disk is not the server's fault. */
  pause(): void {
    clearTimeout(this.#timer);
  }

  stop(): void {
    this.pause();
    this.#outer?.removeEventListener("abort", this.#forward);
  }

  readonly #expire: () => void;
  readonly #forward = () => this.#controller.abort(this.#outer?.reason);
}
