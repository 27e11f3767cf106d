/** Where a compiled graph may run, and what is said where it runs elsewhere. */

/**
 * Execution providers of ONNX Runtime: `cpu` everywhere; `webgpu` comes with it; `cuda` where its libraries are
 * installed.
 */
export const devices = ["cpu", "webgpu", "cuda"] as const;
/** Each thread of ONNX Runtime takes its own stack. */
export const MOST_THREADS = 256;
export type Device = (typeof devices)[number];

export interface RuntimeOptions {
  /** Threads of each session on the cpu, by default one for each physical core. */
  readonly threads?: number;
  /**
   * `cpu` by default. On another one each session's first run is repeated on the cpu; where that device is absent,
   * fails or gives other numbers, the session goes on on the cpu.
   */
  readonly device?: Device;
  /** Is told, in one line, where less is done than could be; each line once. */
  readonly onNotice?: (line: string) => void;
}
