/** The messages between the engine's worker thread and its client. */

import type { NdArrays } from "../core/nd-array.js";
import type { Device } from "./devices.js";

/** A graph's input or output. */
export interface TensorInfo {
  readonly name: string;
  /** -1 where the graph leaves a dimension open. */
  readonly shape: readonly number[];
  /** As ONNX Runtime names it: `float32`, `int32`, `int64`, `bool`, ... */
  readonly dtype: string;
}

/** Which of a graph's inputs are read from a store, and which of its outputs replace what is there. */
export interface StateBinding {
  readonly store: number;
  /** Name in the store, by graph input. */
  readonly reads: Readonly<Record<string, string>>;
  /** Name in the store, by graph output. */
  readonly writes: Readonly<Record<string, string>>;
}

/** Sessions and stores are numbered by the client. */
export type Request =
  | {
      readonly kind: "open";
      readonly session: number;
      /** The bytes of a model, or the path of one (which may keep its weights in a file beside it). */
      readonly model: Uint8Array | string;
      readonly threads: number;
      readonly device: Device;
      readonly state?: StateBinding;
    }
  | { readonly kind: "run"; readonly session: number; readonly inputs: NdArrays }
  | { readonly kind: "close"; readonly session: number }
  | { readonly kind: "write"; readonly store: number; readonly arrays: NdArrays }
  | { readonly kind: "read"; readonly store: number; readonly names: readonly string[] }
  | { readonly kind: "drop"; readonly store: number }
  /** Ends the thread after the running request; waiting requests are dropped. */
  | { readonly kind: "stop" };

/** What the worker replies to a request of each kind. */
export interface EngineReplies {
  readonly open: { readonly inputs: readonly TensorInfo[]; readonly outputs: readonly TensorInfo[] };
  readonly run: NdArrays;
  readonly close: null;
  readonly write: null;
  readonly read: NdArrays;
  readonly drop: null;
  readonly stop: null;
}

export interface Posted {
  readonly id: number;
  readonly request: Request;
}

/** `error` is the message of whatever was thrown. */
export type Reply =
  | {
      readonly id: number;
      readonly value: EngineReplies[keyof EngineReplies];
      /** Lines for the user. */
      readonly notices?: readonly string[];
    }
  | { readonly id: number; readonly error: string };
