/** The eager engine: runs functions with ordinary TensorFlow.js, on the GPU if tfjs-node-gpu is installed. */

import * as tf from "@tensorflow/tfjs";
import { EngineError, ShapeError } from "../core/errors.js";
import type { NdArray, NdArrays } from "../core/nd-array.js";
import { checkArrays } from "./check-arrays.js";
import { checkNewState } from "./check-state.js";
import type { Engine, TensorFunction } from "./engine.js";
import type { StateStore } from "./state-store.js";
import { type Arrays, type HeldArrays, heldArrays, onBackend, toArray, toTensor } from "./tfjs-arrays.js";
import { loadTfjsNode } from "./tfjs-node.js";

/**
 * @param options.backend `"cpu"`: the plain JavaScript backend, slow and with wrong resize gradients, for tests alone.
 *   By default `@tensorflow/tfjs-node-gpu`, else `@tensorflow/tfjs-node`.
 * @throws MissingEngineError where neither is installed.
 */
export async function createTfjsEngine({ backend: chosen }: { backend?: "cpu" } = {}): Promise<Engine> {
  await tf.ready(); // So that there is a caller's backend to restore after each call.
  const backend = chosen ?? (await loadTfjsNode());
  onBackend(backend, () => tf.backend()); // Both factories are synchronous: from here on it is ready.
  const held = heldArrays(backend);
  const stores = new WeakMap<StateStore, Arrays>();
  let isDisposed = false;
  const checkAlive: CheckAlive = (isGone, what) => {
    if (isDisposed) throw new EngineError(`${what}: The engine was disposed.`);
    if (isGone) throw new EngineError(`${what}: was disposed.`);
  };

  return {
    name: "tfjs",

    async compile(fn, { inputs: wanted, constants = {}, state, name = "function" }) {
      checkAlive(false, name);
      const store = state && stores.get(state);
      if (state && !store) throw new EngineError(`${name}: its state belongs to another engine.`);
      const constantArrays = held.hold(constants);
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
          if (!isGone) held.release(constantArrays);
          isGone = true;
        },
      };
    },

    async createState(values) {
      checkAlive(false, "state");
      const { state, arrays } = stateStore(values, held, checkAlive);
      stores.set(state, arrays);
      return state;
    },

    async dispose() {
      isDisposed = true;
      held.releaseAll();
    },
  };
}

/** @throws EngineError where the engine, or what `isGone` is said of, was disposed. */
type CheckAlive = (isGone: boolean, what: string) => void;

function stateStore(
  values: NdArrays,
  held: HeldArrays,
  checkAlive: CheckAlive,
): { readonly state: StateStore; readonly arrays: Arrays } {
  const shapes = Object.fromEntries(Object.entries(values).map(([name, { shape }]) => [name, [...shape]]));
  checkArrays(shapes, values, { owner: "state", what: "array" });
  const arrays = held.hold(values);
  const state: StateStore = {
    shapes,
    async read(names = Object.keys(shapes)) {
      checkAlive(!held.has(arrays), "state");
      return Object.fromEntries(names.map((name) => [name, readArray(arrays, name)]));
    },
    async write(replaced) {
      checkAlive(!held.has(arrays), "state");
      checkArrays(shapes, replaced, { owner: "state", what: "array", isPartial: true });
      held.replace(arrays, replaced);
    },
    async dispose() {
      held.release(arrays);
    },
  };
  return { state, arrays };
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

function readArray(arrays: Arrays, name: string): NdArray {
  const tensor = arrays.get(name);
  if (tensor) return toArray(tensor);
  throw new ShapeError(`state: no array "${name}". It holds: ${[...arrays.keys()].join(", ")}.`);
}
