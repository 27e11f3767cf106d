/** The patience of one request: ends it where nothing has come for some time, or where the caller's signal aborts. */

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

  /** The server's turn: time runs, anew. */
  start(): void {
    this.pause();
    this.#timer = setTimeout(this.#expire, this.#seconds * 1000);
  }

  /** Our turn: a slow disk is not the server's fault. */
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
