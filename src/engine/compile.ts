/** Turns a tensor function into one ONNX graph; the only module that uses both engine and tracer. */

import * as tf from "@tensorflow/tfjs";
import type { NdArrays } from "../core/nd-array.js";
import { prefixed, unprefixed } from "../core/prefixed-names.js";
import { checkNewState } from "./check-state.js";
import type { CompileOptions, TensorFunction, Tensors } from "./engine.js";
import { trace } from "./trace/trace.js";

/**
 * A graph for use by the engine. Names differ from the function's: a state array is both read and written, but an ONNX
 * value has only one name.
 */
const prefixes = { input: "input/", state: "state/", output: "output/", newState: "new/" } as const;

export interface CompiledGraph {
  readonly model: Uint8Array;
  /** The graph's name of each input that the function reads. */
  readonly inputs: Readonly<Record<string, string>>;
  /** The graph's name of each output. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Name in the store, by graph input; arrays of the store are flat, `[size]`, here and in `writes`. */
  readonly reads: Readonly<Record<string, string>>;
  /** Name in the store, by graph output. */
  readonly writes: Readonly<Record<string, string>>;
}

/**
 * Traces `fn` for the engine.
 *
 * @param options.block as in `trace`.
 * @throws TraceError where `fn` cannot be one static graph.
 * @throws ShapeError where it returns state of a name or shape that the store does not have.
 */
export function compileGraph(fn: TensorFunction, options: CompileOptions & { block?: number }): CompiledGraph {
  const { state, constants = {}, block = 0, name = "function" } = options;
  const shapes = { ...prefixed(prefixes.input, options.inputs), ...prefixed(prefixes.state, state?.shapes ?? {}) };
  const isFlat = (port: string) => port.startsWith(prefixes.state) || port.startsWith(prefixes.newState);
  const traced = withConstants(constants, (constants) =>
    trace(
      (given) => {
        const result = fn({
          inputs: unprefixed(prefixes.input, given),
          constants,
          state: unprefixed(prefixes.state, given),
        });
        checkNewState(result.state ?? {}, state, name);
        return { ...prefixed(prefixes.output, result.outputs), ...prefixed(prefixes.newState, result.state ?? {}) };
      },
      { inputs: shapes, isFlat, block, name },
    ),
  );
  const inputs = traced.inputs.filter((input) => !traced.unused.includes(input.name)).map((input) => input.name);
  const outputs = traced.outputs.map((output) => output.name);
  return {
    model: traced.model,
    inputs: inverse(namesWith(prefixes.input, inputs)),
    outputs: inverse(namesWith(prefixes.output, outputs)),
    reads: namesWith(prefixes.state, inputs),
    writes: namesWith(prefixes.newState, outputs),
  };
}

/**
 * Traces `fn`, which has no state, for a file: inputs and outputs keep their names, the constants are inside, and every
 * operator is standard ONNX.
 *
 * @throws TraceError where `fn` cannot be one static graph.
 */
export function exportGraph(fn: TensorFunction, options: Omit<CompileOptions, "state">): Uint8Array {
  const { inputs, constants = {}, name = "function" } = options;
  return withConstants(
    constants,
    (constants) => trace((given) => fn({ inputs: given, constants, state: {} }).outputs, { inputs, name }).model,
  );
}

function withConstants<Result>(arrays: NdArrays, use: (constants: Tensors) => Result): Result {
  const constants = toTensors(arrays);
  try {
    return use(constants);
  } finally {
    tf.dispose(Object.values(constants));
  }
}

/** The cpu backend prints a greeting on the terminal when it first gets data, unless this flag is set. */
function toTensors(arrays: NdArrays): Tensors {
  const isSilent = tf.env().getBool("PROD");
  tf.env().set("PROD", true);
  try {
    const entries = Object.entries(arrays).map(([name, { shape, data }]) => [name, tf.tensor(data, [...shape])]);
    return Object.fromEntries(entries);
  } finally {
    tf.env().set("PROD", isSilent);
  }
}

/** For names with the prefix: the name without it, by full name. */
function namesWith(prefix: string, names: readonly string[]): Record<string, string> {
  const own = names.filter((name) => name.startsWith(prefix));
  return Object.fromEntries(own.map((name) => [name, name.slice(prefix.length)]));
}

function inverse(names: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(names).map(([key, value]) => [value, key]));
}
