/** Activations as one kernel after another (fused in TensorFlow.js), and the gradient of the rectifiers from their output. */

import { TraceError } from "../../core/errors.js";
import { sizeOf } from "../../core/nd-array.js";
import { arithmeticKernels } from "./arithmetic.js";
import { addNode, float, type Graph, reshape } from "./graph.js";
import type { KernelTable } from "./kernel.js";
import { broadcastTo, form, full, physical, type TracedTensor, traced } from "./traced-tensor.js";

/** Name of our kernel for the gradients of Relu and Relu6. */
export const RELU_GRAD = "TraceReluGrad";

/** Fused attributes of TensorFlow.js. */
export interface FusedActivation {
  readonly activation?: string | null;
  readonly leakyreluAlpha?: number;
}

const KERNELS: Readonly<Record<string, string>> = {
  relu: "Relu",
  relu6: "Relu6",
  elu: "Elu",
  sigmoid: "Sigmoid",
  leakyrelu: "LeakyRelu",
  prelu: "Prelu",
};

/** @throws TraceError for an activation that TensorFlow.js does not fuse. */
export function activate(
  graph: Graph,
  x: TracedTensor,
  { activation, leakyreluAlpha }: FusedActivation,
  preluWeights?: TracedTensor,
): TracedTensor {
  if (!activation || activation === "linear") return x;
  const kernel = arithmeticKernels[KERNELS[activation] ?? ""];
  if (!kernel)
    throw new TraceError(`cannot record the activation "${activation}". Apply it as an operation of its own.`);
  // Prelu reads `alpha` among its inputs, LeakyRelu among its attributes; the others neither.
  const result = kernel(graph, { x, alpha: preluWeights } as never, { alpha: leakyreluAlpha } as never);
  return Array.isArray(result) ? result[0] : result;
}

/**
 * `dy` where 0 < y < limit, else 0: `dy * HardSigmoid(y * (limit - y), alpha 1e30, beta 0)`, four cheap passes over a
 * flat view (`Sign` and `Where` are single-threaded in ONNX Runtime, and the default beta of 0.5 would leak half the
 * gradient at 0 and 6).
 */
function reluGradient(
  graph: Graph,
  inputs: { dy: TracedTensor; y: TracedTensor },
  { limit }: { limit: number },
): TracedTensor {
  const y = full(graph, inputs.y);
  const dy = full(graph, broadcastTo(graph, inputs.dy, y.shape));
  const { layout, shape } = y;
  const flat = (tensor: TracedTensor) => reshape(graph, form(graph, tensor, layout), [sizeOf(shape)]);
  const output = flat(y);
  const inside =
    limit === Number.POSITIVE_INFINITY
      ? output
      : addNode(graph, "Mul", [output, addNode(graph, "Sub", [float(graph, limit), output])]);
  const mask = addNode(graph, "HardSigmoid", [inside], { alpha: { float: 1e30 }, beta: { float: 0 } });
  const result = addNode(graph, "Mul", [flat(dy), mask]);
  graph.shapes.set(result, [sizeOf(shape)]);
  return traced(graph, reshape(graph, result, physical(shape, layout)), shape, { layout });
}

export const activationKernels: KernelTable = { [RELU_GRAD]: reluGradient };
