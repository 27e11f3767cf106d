/**
 * Turns a pure TensorFlow.js function, gradients included, into one static ONNX graph by running it on a recording
 * backend.
 */

import { engine, setBackend, Tensor } from "@tensorflow/tfjs";
import { TraceError } from "../../core/errors.js";
import { sizeOf } from "../../core/nd-array.js";
import type { Tensors } from "../engine.js";
import { BACKEND, traceBackend } from "./backend.js";
import { callerLine } from "./caller.js";
import { type Graph, reshape, type Value } from "./graph.js";
import { guard } from "./guards.js";
import { encodeModel } from "./onnx-encoding.js";
import { optimize } from "./optimize.js";
import { type DType, naturalValue, traced } from "./traced-tensor.js";

/** An input or output of the graph, as ONNX Runtime sees it. */
export interface TracedPort {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

export interface TracedGraph {
  /** An ONNX ModelProto: opset 18, standard operators only unless a block was given. */
  readonly model: Uint8Array;
  /** The inputs that the graph reads; ONNX Runtime refuses others. */
  readonly inputs: readonly TracedPort[];
  /** Names of inputs that no output depends on. */
  readonly unused: readonly string[];
  readonly outputs: readonly TracedPort[];
  readonly nodeCount: number;
  /** How many nodes of each ONNX operator. */
  readonly operators: Readonly<Record<string, number>>;
}

let isTracing = false;

/**
 * Records what `fn` does to inputs of fixed shapes. Tensors that it captures from outside become constants.
 *
 * Synchronous. Afterwards the TensorFlow.js backend, `Math.random` and gradients are restored, even after an error, and
 * no tensor is left. While it runs, gradients of relu and relu6 are taken from their outputs.
 *
 * @param fn ordinary TensorFlow.js: no data read, no randomness, no trainable variable captured.
 * @param options.inputs shapes by name, row-major.
 * @param options.dtypes of inputs that are not float32.
 * @param options.isFlat ports whose arrays are flat, `[size]`, which saves a copy if shapes change.
 * @param options.block channels of a block of ONNX Runtime's NCHWc form on this processor (see `probeBlock`): the graph
 *   then has internal operators of the runtime, and must stay in this process. 0: standard operators only.
 * @param options.name prefix of the nodes' names, shown in ONNX Runtime's errors and profiles.
 * @throws TraceError that names the operation and the caller's line; errors of TensorFlow.js itself, such as shapes
 *   that do not fit, pass unchanged.
 */
export function trace(
  fn: (inputs: Tensors) => Tensors,
  options: {
    inputs: Readonly<Record<string, readonly number[]>>;
    dtypes?: Readonly<Record<string, DType>>;
    isFlat?: (name: string) => boolean;
    block?: number;
    name?: string;
  },
): TracedGraph {
  const { inputs, dtypes = {}, isFlat = () => false, block = 0, name = "traced" } = options;
  if (isTracing) throw new TraceError(`${name}: a traced function cannot trace another. Trace that one first.`);
  const backend = traceBackend();
  const tracked = engine();
  const previous = tracked.backend && tracked.backendName;
  const restore = guard();
  const depth = tracked.state.scopeStack.length;
  isTracing = true;
  backend.begin({ block });
  try {
    setBackend(BACKEND); // synchronous for a backend that is registered as an object
    tracked.startScope(name);
    const { graph } = backend;
    const given = Object.entries(inputs).map(([key, shape]) => {
      graph.shapes.set(key, isFlat(key) ? [sizeOf(shape)] : shape);
      const info = backend.add(traced(graph, reshape(graph, key, shape), shape, { dtype: dtypes[key] }));
      return [key, tracked.makeTensorFromTensorInfo(info)] as const;
    });
    const results = fn(Object.fromEntries(given));
    if (results instanceof Promise || Object.keys(results).length === 0) {
      throw new TraceError("the function returned no tensors by name. It must be synchronous and return at least one.");
    }
    const outputs = Object.entries(results).map(([key, result]) => {
      if (!(result instanceof Tensor)) throw new TraceError(`output "${key}" is not a tensor. Return tensors by name.`);
      if (key in inputs) throw new TraceError(`output "${key}" has the name of an input. Give it another.`);
      graph.operation = "Output";
      const tensor = backend.get(result);
      const shape = isFlat(key) ? [sizeOf(tensor.shape)] : tensor.shape;
      const value = reshape(graph, naturalValue(graph, tensor), shape);
      return { value, port: { name: key, shape, dtype: tensor.dtype } };
    });
    const ports = Object.entries(inputs).map(([key, shape]) => ({
      name: key,
      shape: isFlat(key) ? [sizeOf(shape)] : shape,
      dtype: dtypes[key] ?? "float32",
    }));
    return finish(graph, { ports, outputs, name });
  } catch (error) {
    throw explained(error, name);
  } finally {
    while (tracked.state.scopeStack.length > depth) tracked.endScope();
    restore();
    setBackend(previous);
    backend.begin();
    isTracing = false;
  }
}

function finish(
  graph: Graph,
  options: {
    ports: readonly TracedPort[];
    outputs: readonly { value: Value; port: TracedPort }[];
    name: string;
  },
): TracedGraph {
  const { ports, outputs, name } = options;
  optimize(
    graph,
    outputs.map((output) => output.value),
  );
  nameOutputs(graph, outputs);
  const read = new Set(graph.nodes.flatMap((node) => node.inputs));
  const used = ports.filter((port) => read.has(port.name));
  const outputPorts = outputs.map((output) => output.port);
  const operators: Record<string, number> = {};
  for (const { operator } of graph.nodes) operators[operator] = (operators[operator] ?? 0) + 1;
  return {
    model: encodeModel(graph, { inputs: used, outputs: outputPorts, name }),
    inputs: used,
    unused: ports.filter((port) => !read.has(port.name)).map((port) => port.name),
    outputs: outputPorts,
    nodeCount: graph.nodes.length,
    operators,
  };
}

/** A value that a node computes takes the output's name; inputs, constants and second names go through Identity. */
function nameOutputs(graph: Graph, outputs: readonly { value: Value; port: TracedPort }[]): void {
  const names = new Map<Value, string>();
  for (const { value, port } of outputs) {
    if (graph.producers.has(value) && !names.has(value)) names.set(value, port.name);
  }
  for (const node of graph.nodes) {
    node.inputs = node.inputs.map((input) => names.get(input) ?? input);
    node.outputs = node.outputs.map((output) => names.get(output) ?? output);
  }
  for (const { value, port } of outputs) {
    if (names.get(value) === port.name) continue;
    const node = { operator: "Identity", attributes: {}, operation: "Output" };
    graph.nodes.push({ ...node, inputs: [names.get(value) ?? value], outputs: [port.name] });
  }
}

/** An error that says which operation failed, where, and what to do. */
function explained(error: unknown, name: string): unknown {
  if (!(error instanceof Error)) return error;
  const place = `${name}: at ${callerLine(error.stack)}`;
  if (error instanceof TraceError) return new TraceError(`${place}: ${error.message}`, { cause: error });
  const kernel = /Kernel '(\w+)' not registered/.exec(error.message);
  if (kernel) {
    const cure = "Write it with other operations, or add a kernel to src/engine/trace.";
    return new TraceError(`${place}: ${kernel[1]} cannot be recorded: no kernel. ${cure}`, { cause: error });
  }
  const gradient = /Error in gradient of (\w+)|gradient function not found for (\w+)/.exec(error.message);
  if (gradient) {
    const operation = gradient[1] ?? gradient[2];
    return new TraceError(`${place}: ${operation} has no gradient: ${error.message}`, { cause: error });
  }
  return error;
}
