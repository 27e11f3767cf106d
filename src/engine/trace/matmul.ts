/** Matrix products, plain, batched and fused with bias and activation. */

import { activate, type FusedActivation } from "./activation.js";
import { binary } from "./elementwise.js";
import { addNode, type Graph, type Value } from "./graph.js";
import type { KernelTable, Two } from "./kernel.js";
import { natural } from "./layout.js";
import { broadcastSizes, form, full, type TracedTensor, traced } from "./traced-tensor.js";

interface Transposed {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** `[..., m, k] x [..., k, n]`, either operand given transposed. */
function matrixProduct(graph: Graph, { a, b }: Two, { transposeA, transposeB }: Transposed): TracedTensor {
  const rows = a.shape.at(transposeA ? -1 : -2) ?? 1;
  const columns = b.shape.at(transposeB ? -2 : -1) ?? 1;
  const batch = broadcastSizes(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const value = addNode(graph, "MatMul", [matrix(graph, a, transposeA), matrix(graph, b, transposeB)]);
  return traced(graph, value, [...batch, rows, columns]);
}

/** A form that exists transposed is read as it is; else ONNX Runtime fuses the Transpose into the product. */
function matrix(graph: Graph, tensor: TracedTensor, isTransposed: boolean): Value {
  const order = natural(tensor.shape.length);
  const layout = isTransposed ? order.slice(0, -2) + order.slice(-1) + order.slice(-2, -1) : order;
  return form(graph, full(graph, tensor), layout);
}

export const matmulKernels: KernelTable = {
  BatchMatMul: matrixProduct,
  _FusedMatMul: (
    graph: Graph,
    inputs: Two & { bias?: TracedTensor; preluActivationWeights?: TracedTensor },
    attributes: Transposed & FusedActivation,
  ) => {
    const product = matrixProduct(graph, inputs, attributes);
    const sum = inputs.bias ? binary(graph, "Add", product, inputs.bias) : product;
    return activate(graph, sum, attributes, inputs.preluActivationWeights);
  },
};
