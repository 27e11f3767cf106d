/** The devices that a compiled graph may run on, and the options of a runtime. */

/**
 * Execution providers of ONNX Runtime: `cpu` everywhere; `webgpu` comes with it; `cuda` where its libraries are
 * installed.
 */
export const devices = ["cpu", "webgpu", "cuda"] as const;
/** Limit on threads, since each thread of ONNX Runtime allocates a stack. */
export const MOST_THREADS = 256;
export type Device = (typeof devices)[number];

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
