/** The devices that a compiled graph may run on, and the options of a runtime. */

import { InputError } from "../core/errors.js";
import { shown } from "../core/message-text.js";

/**
 * Execution providers of ONNX Runtime: `cpu` everywhere; `webgpu` comes with it; `cuda` where its libraries are
 * installed.
 */
export const devices = ["cpu", "webgpu", "cuda"] as const;
/** Limit on threads, since each thread of ONNX Runtime allocates a stack. */
export const MOST_THREADS = 256;
/** Where ONNX Runtime computes. */
export type Device = (typeof devices)[number];

/**
 * Callers of the library need not write TypeScript.
 *
 * @param where how the message begins.
 * @throws InputError where an option is out of range.
 */
export function checkRuntimeOptions(
  { threads, device }: { readonly threads?: unknown; readonly device?: unknown },
  where: string,
): void {
  const isCount = Number.isSafeInteger(threads) && Number(threads) >= 1 && Number(threads) <= MOST_THREADS;
  if (threads !== undefined && !isCount)
    throw new InputError(`${where}: threads: expected a whole number of 1..${MOST_THREADS}, got ${shown(threads)}.`);
  if (device !== undefined && !devices.some((name) => name === device))
    throw new InputError(`${where}: device ${shown(device)}: expected one of ${devices.join(", ")}.`);
}

/** Threads and device of ONNX Runtime. */
export interface RuntimeOptions {
  /** Threads of each session on the cpu, by default one for each physical core. */
  readonly threads?: number;
  /**
   * `cpu` by default. On another one each session's first run is repeated on the cpu; where that device is absent,
   * fails or gives other numbers, the session continues on the cpu.
   */
  readonly device?: Device;
  /** Gets a one-line notice if something runs slower than it could or elsewhere than asked; each notice once. */
  readonly onNotice?: (line: string) => void;
}
