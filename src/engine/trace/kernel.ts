/** What a kernel is while tracing: traced tensors and attributes in, traced tensors out. */

import type { Graph } from "./graph.js";
import type { TracedTensor } from "./traced-tensor.js";

/**
 * Inputs and attributes are those that TensorFlow.js passes to a kernel of the name under which it stands in a table;
 * `never` lets each kernel declare just its own.
 */
export type Kernel = (graph: Graph, inputs: never, attributes: never) => TracedTensor | TracedTensor[];

export type KernelTable = Readonly<Record<string, Kernel>>;

export interface One {
  readonly x: TracedTensor;
}

export interface Two {
  readonly a: TracedTensor;
  readonly b: TracedTensor;
}
