/** The eager engine: runs functions with ordinary TensorFlow.js, on the GPU if tfjs-node-gpu is installed. */

import * as tf from "@tensorflow/tfjs";
import { EngineError, ShapeError } from "../core/errors.js";
import type { NdArray, NdArrays } from "../core/nd-array.js";
import { checkArrays } from "./check-arrays.js";
import { checkNewState } from "./check-state.js";
import type { Engine, StateStore, TensorFunction } from "./engine.js";
import { loadTfjsNode } from "./tfjs-node.js";

type Arrays = Map<string, tf.Tensor>;

/**
 * @param options.backend `"cpu"`: the plain JavaScript backend, slow and with wrong resize gradients, for tests alone.
 *   By default `@tensorflow/tfjs-node-gpu`, else `@tensorflow/tfjs-node`.
 * @throws MissingEngineError where neither is installed.
 */
export async function createTfjsEngine({ backend: chosen }: { backend?: "cpu" } = {}): Promise<Engine> {
  await tf.ready(); // So that there is a caller's backend to restore after each call.
  const backend = chosen ?? (await loadTfjsNode());
  onBackend(backend, () => tf.backend()); // Both factories are synchronous: from here on it is ready.
  const stores = new WeakMap<StateStore, Arrays>();
  const held = new Set<Arrays>();
  let isDisposed = false;

  const checkAlive = (isGone: boolean, what: string) => {
    if (isDisposed) throw new EngineError(`${what}: The engine was disposed.`);
    if (isGone) throw new EngineError(`${what}: was disposed.`);
  };
  const hold = (values: NdArrays): Arrays => {
    const arrays: Arrays = new Map();
    held.add(arrays);
    replace(arrays, values);
    return arrays;
  };
  const replace = (arrays: Arrays, values: NdArrays) =>
    onBackend(backend, () => {
      for (const [name, array] of Object.entries(values)) {
        arrays.get(name)?.dispose();
        arrays.set(name, tf.keep(toTensor(array)));
      }
    });
  const release = (arrays: Arrays) => {
    for (const tensor of arrays.values()) tensor.dispose();
    arrays.clear();
    held.delete(arrays);
  };

  return {
    name: "tfjs",

    async compile(fn, { inputs: wanted, constants = {}, state, name = "function" }) {
      checkAlive(false, name);
      const store = state && stores.get(state);
      if (state && !store) throw new EngineError(`${name}: its state belongs to another engine.`);
      const constantArrays = hold(constants);
      let isGone = false;
      return {
        async run(given) {
          checkAlive(isGone, name);
          checkArrays(wanted, given, { owner: name, what: "input" });
          if (store && !held.has(store)) throw new EngineError(`${name}: its state was disposed.`);
          try {
            return onBackend(backend, () => runOnce(fn, { given, constants: constantArrays, store, state, name }));
          } catch (error) {
            throw named(error, name);
          }
        },
        async dispose() {
          if (!isGone) release(constantArrays);
          isGone = true;
        },
      };
    },

    async createState(values) {
      checkAlive(false, "state");
      const shapes = Object.fromEntries(Object.entries(values).map(([name, { shape }]) => [name, [...shape]]));
      checkArrays(shapes, values, { owner: "state", what: "array" });
      const arrays = hold(values);
      const state: StateStore = {
        shapes,
        async read(names = Object.keys(shapes)) {
          checkAlive(!held.has(arrays), "state");
          return Object.fromEntries(names.map((name) => [name, readArray(arrays, name)]));
        },
        async write(replaced) {
          checkAlive(!held.has(arrays), "state");
          checkArrays(shapes, replaced, { owner: "state", what: "array", isPartial: true });
          replace(arrays, replaced);
        },
        async dispose() {
          release(arrays);
        },
      };
      stores.set(state, arrays);
      return state;
    },

    async dispose() {
      isDisposed = true;
      for (const arrays of held) release(arrays);
    },
  };
}

interface Call {
  readonly given: NdArrays;
  readonly constants: Arrays;
  readonly store: Arrays | undefined;
  readonly state: StateStore | undefined;
  readonly name: string;
}

/** One call, from arrays to arrays; replaces the state and leaves no other tensor. */
function runOnce(fn: TensorFunction, { given, constants, store, state, name }: Call): NdArrays {
  const outputs: Record<string, NdArray> = {};
  tf.tidy(() => {
    const inputs = Object.fromEntries(Object.entries(given).map(([key, array]) => [key, toTensor(array)]));
    const owned = new Set<tf.Tensor>([...Object.values(inputs), ...constants.values(), ...(store?.values() ?? [])]);
    const result = fn({ inputs, constants: Object.fromEntries(constants), state: Object.fromEntries(store ?? []) });
    checkNewState(result.state ?? {}, state, name);
    for (const [key, tensor] of Object.entries(result.outputs)) outputs[key] = toArray(tensor);
    // All clones first: a function may swap two arrays.
    const replaced = Object.entries(result.state ?? {}).map(([key, tensor]) => [key, tf.keep(tensor.clone())] as const);
    for (const [key, tensor] of replaced) {
      store?.get(key)?.dispose();
      store?.set(key, tensor);
    }
    disposeKept([...Object.values(result.outputs), ...Object.values(result.state ?? {})], owned);
  });
  return outputs;
}

/** TensorFlow says what failed (in a matrix product, say), but not in which function. */
function named(error: unknown, name: string): unknown {
  const reason = error instanceof Error && /^Invalid TF_Status: \d+\s+Message: (.*)/s.exec(error.message)?.[1];
  return reason ? new EngineError(`${name}: TensorFlow: ${reason}`, { cause: error }) : error;
}

/** Tensors that a function keeps to get them out of a gradient (the losses of `tf.grads`) would survive the tidy. */
function disposeKept(returned: readonly tf.Tensor[], owned: ReadonlySet<tf.Tensor>): void {
  for (const tensor of returned) if (tensor.kept && !owned.has(tensor)) tensor.dispose();
}

/** Runs synchronous work on a backend and restores the caller's. */
function onBackend<Result>(backend: string, work: () => Result): Result {
  const before = tf.getBackend();
  if (before === backend) return work();
  // Both backends are ready, so the change takes effect before the promise is returned.
  void tf.setBackend(backend);
  try {
    return work();
  } finally {
    void tf.setBackend(before);
  }
}

function toTensor({ shape, data }: NdArray): tf.Tensor {
  // The cpu backend keeps the array that it is given; the caller may write the next batch into it.
  return tf.tensor(data.slice(), [...shape]);
}

function toArray(tensor: tf.Tensor): NdArray {
  const data = tensor.dataSync();
  if (data instanceof Float32Array || data instanceof Int32Array) return { shape: tensor.shape, data: data.slice() };
  return { shape: tensor.shape, data: Int32Array.from(data) };
}

function readArray(arrays: Arrays, name: string): NdArray {
  const tensor = arrays.get(name);
  if (tensor) return toArray(tensor);
  throw new ShapeError(`state: no array "${name}". It holds: ${[...arrays.keys()].join(", ")}.`);
}
