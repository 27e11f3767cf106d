/** Softmax and batch normalisation with given statistics. */

import { binary, scalar, unary } from "./elementwise.js";
import { addNode, type Graph } from "./graph.js";
import type { KernelTable } from "./kernel.js";
import { form, full, plain, type TracedTensor, traced } from "./traced-tensor.js";

function softmax(graph: Graph, operator: string, logits: TracedTensor, dimension: number): TracedTensor {
  const x = plain(graph, full(graph, logits));
  const rank = x.shape.length;
  const axis = x.layout.indexOf(String((dimension + rank) % rank));
  return traced(graph, addNode(graph, operator, [form(graph, x, x.layout)], { axis }), x.shape, { layout: x.layout });
}

interface BatchNormInputs {
  readonly x: TracedTensor;
  readonly mean: TracedTensor;
  readonly variance: TracedTensor;
  readonly scale?: TracedTensor;
  readonly offset?: TracedTensor;
}

/** (x - mean) / sqrt(variance + epsilon) * scale + offset, as one scale and one shift a channel. */
function batchNorm(graph: Graph, inputs: BatchNormInputs, attributes: { varianceEpsilon: number }): TracedTensor {
  const { x, mean, variance, scale, offset } = inputs;
  const spread = binary(graph, "Add", variance, scalar(attributes.varianceEpsilon));
  const root = unary(graph, "Sqrt", spread, { fold: Math.sqrt });
  const inverse = unary(graph, "Reciprocal", root, { fold: (value) => 1 / value });
  const factor = scale ? binary(graph, "Mul", inverse, scale) : inverse;
  const middle = binary(graph, "Mul", mean, factor);
  const shift = offset
    ? binary(graph, "Sub", offset, middle)
    : unary(graph, "Neg", middle, { fold: (value) => -value });
  return binary(graph, "Add", binary(graph, "Mul", x, factor), shift);
}

export const normalizeKernels: KernelTable = {
  Softmax: (graph: Graph, { logits }: { logits: TracedTensor }, { dim }: { dim: number }) =>
    softmax(graph, "Softmax", logits, dim),
  LogSoftmax: (graph: Graph, { logits }: { logits: TracedTensor }, { axis }: { axis: number }) =>
    softmax(graph, "LogSoftmax", logits, axis),
  FusedBatchNorm: batchNorm,
};
