/** What an engine is: it compiles pure tensor functions for fixed shapes and keeps their state where they run. */

import type { Tensor } from "@tensorflow/tfjs";
import type { NdArrays } from "../core/nd-array.js";
import type { CallOptions, StateStore } from "./state-store.js";

/** Tensors by name. */
export type Tensors = Readonly<Record<string, Tensor>>;

/**
 * A pure function of ordinary TensorFlow.js: it reads no data and draws no random numbers; everything that varies
 * between calls is an input.
 */
export type TensorFunction = (given: { inputs: Tensors; constants: Tensors; state: Tensors }) => {
  outputs: Tensors;
  /** New values of state arrays, by their names; names left out keep their value. */
  state?: Tensors;
};

/** What is fixed when a function is compiled. */
export interface CompileOptions {
  /** Shapes of the inputs of each call; all float32. */
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  /** Constants that become part of the graph (fastest, since the runtime packs them once). */
  readonly constants?: NdArrays;
  /** Arrays that live in the engine and are read and replaced there; one store may serve several functions. */
  readonly state?: StateStore;
  /** Shown in errors and profiles. */
  readonly name?: string;
}

/** A function that an engine has compiled. Whoever compiled it disposes it. */
export interface Compiled {
  /** Runs once; calls queue in order. @returns the outputs, copied out. */
  run(inputs: NdArrays, options?: CallOptions): Promise<NdArrays>;
  /** Frees the graph; the state stays. */
  dispose(): Promise<void>;
}

/** Compiles functions of tensors and runs them. It owns what it compiled, and is disposed by the caller. */
export interface Engine {
  readonly name: "onnx" | "tfjs";
  /** Traces or keeps `fn`, so that it can run many times. @throws EngineError where the engine cannot build it. */
  compile(fn: TensorFunction, options: CompileOptions): Promise<Compiled>;
  /** Copies arrays into the engine. */
  createState(values: NdArrays): Promise<StateStore>;
  /** Ends the engine and with it all that it holds. */
  dispose(): Promise<void>;
}
