/** What an engine is: it compiles pure tensor functions for fixed shapes and keeps their state where they run. */

import type { Tensor } from "@tensorflow/tfjs";
import type { NdArrays } from "../core/nd-array.js";

export type Tensors = Readonly<Record<string, Tensor>>;

/** Ordinary TensorFlow.js: no data read inside, no randomness; whatever varies from call to call is an input. */
export type TensorFunction = (given: { inputs: Tensors; constants: Tensors; state: Tensors }) => {
  outputs: Tensors;
  /** New values of state arrays, by their names; names left out keep their value. */
  state?: Tensors;
};

export interface CompileOptions {
  /** Shapes of the inputs of each call; all float32. */
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  /** Frozen numbers that become part of the graph (fastest: the runtime packs them once). */
  readonly constants?: NdArrays;
  /** Arrays that live in the engine and are read and replaced there; one store may serve several functions. */
  readonly state?: StateStore;
  /** Shown in errors and profiles. */
  readonly name?: string;
}

/** Named arrays held by the engine: parameters, optimizer moments, moving statistics. */
export interface StateStore {
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  /** Copies out (all, or those named). */
  read(names?: readonly string[]): Promise<NdArrays>;
  /** Replaces values; shapes must stay. */
  write(values: NdArrays): Promise<void>;
  dispose(): Promise<void>;
}

export interface CallOptions {
  /** The inputs are the engine's from now on: it may move them instead of copying, and leave them empty. */
  readonly isHandedOver?: boolean;
}

export interface Compiled {
  /** Runs once; calls queue in order. @returns the outputs, copied out. */
  run(inputs: NdArrays, options?: CallOptions): Promise<NdArrays>;
  dispose(): Promise<void>;
}

export interface Engine {
  readonly name: "onnx" | "tfjs";
  compile(fn: TensorFunction, options: CompileOptions): Promise<Compiled>;
  createState(values: NdArrays): Promise<StateStore>;
  dispose(): Promise<void>;
}
