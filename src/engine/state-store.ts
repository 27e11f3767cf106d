/** Arrays that stay in an engine between calls, and how a call passes its own: without a type of TensorFlow.js. */

import type { NdArrays } from "../core/nd-array.js";

/** Named arrays held by the engine: parameters, optimizer moments, moving statistics. */
export interface StateStore {
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  /** Returns copies of all arrays, or of those named. */
  read(names?: readonly string[]): Promise<NdArrays>;
  /** Replaces values; shapes must not change. */
  write(values: NdArrays): Promise<void>;
  /** Frees the arrays. */
  dispose(): Promise<void>;
}

/** How one call passes its inputs. */
export interface CallOptions {
  /** Hands the inputs over to the engine, which may move them instead of copying, and leave them empty. */
  readonly isHandedOver?: boolean;
}
