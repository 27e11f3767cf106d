/**
 * Activations as separate kernels (TensorFlow.js fuses them), and the gradient of Relu and Relu6 computed from their
 * output.
 */

import { TraceError } from "../../core/errors.js";
import { sizeOf } from "../../core/nd-array.js";
import { HARD_SIGMOID, type HardSigmoid } from "../../ops/hard-sigmoid.js";
import { arithmeticKernels } from "./arithmetic.js";
import { binary, unary } from "./elementwise.js";
import { addNode, floatConstant, type Graph, reshape, type Value } from "./graph.js";
import type { KernelTable, One } from "./kernel.js";
import { blockOf, physical } from "./layout.js";
import { distance } from "./nchwc.js";
import { broadcastTo, form, full, sameSizes, type TracedTensor, traced } from "./traced-tensor.js";

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

/** A power of two, so that its products are exact. */
const STEEP = 2 ** 100;

/**
 * `dy` where 0 < y < limit, else 0: `dy * HardSigmoid(y * (limit - y), alpha 2^100, beta 0)`, four cheap passes over a
 * flat view (`Sign` and `Where` are single-threaded in ONNX Runtime, and the default beta of 0.5 would leak half the
 * gradient at 0 and 6). In blocks three: `|y - limit / 2|` is a convolution with an activation, and so reads once;
 * where y is below 1e-7 of the limit, it counts as 0.
 */
function reluGradient(
  graph: Graph,
  inputs: { dy: TracedTensor; y: TracedTensor },
  { limit }: { limit: number },
): TracedTensor {
  const y = full(graph, inputs.y);
  const { layout, shape } = y;
  const given = broadcastTo(graph, inputs.dy, shape);
  // A gradient that is the same everywhere (from a mean) is repeated by the product itself.
  const isRepeated = !blockOf(layout) && !sameSizes(given.extent, shape);
  const dy = isRepeated ? given : full(graph, given);
  const sizes = blockOf(layout) ? physical(shape, layout) : [sizeOf(shape)];
  const output = reshape(graph, form(graph, y, layout), sizes);
  const steep = (value: Value, alpha: number, beta: number) =>
    addNode(graph, "HardSigmoid", [value], { alpha: { float: alpha }, beta: { float: beta } });
  let mask: Value;
  if (limit === Number.POSITIVE_INFINITY) mask = steep(output, STEEP, 0);
  else if (blockOf(layout)) mask = steep(distance(graph, output, limit / 2), -STEEP, (STEEP * limit) / 2);
  else
    mask = steep(
      addNode(graph, "Mul", [output, addNode(graph, "Sub", [floatConstant(graph, limit), output])]),
      STEEP,
      0,
    );
  if (isRepeated)
    return binary(graph, "Mul", dy, traced(graph, reshape(graph, mask, physical(shape, layout)), shape, { layout }));
  const result = addNode(graph, "Mul", [reshape(graph, form(graph, dy, layout), sizes), mask]);
  graph.shapes.set(result, sizes);
  return traced(graph, reshape(graph, result, physical(shape, layout)), shape, { layout });
}

function hardSigmoid(graph: Graph, { x }: One, { slope, offset }: HardSigmoid): TracedTensor {
  return unary(graph, "HardSigmoid", x, {
    attributes: { alpha: { float: slope }, beta: { float: offset } },
    fold: (value) => Math.min(1, Math.max(0, slope * value + offset)),
  });
}

export const activationKernels: KernelTable = { [RELU_GRAD]: reluGradient, [HARD_SIGMOID]: hardSigmoid };
