/** Kernels that only look at the same numbers in another shape or order, and so record no node of their own. */

import { util } from "@tensorflow/tfjs";
import { sizeOf } from "../../core/nd-array.js";
import { type Graph, permuteData } from "./graph.js";
import type { KernelTable, One } from "./kernel.js";
import { axesOf } from "./layout.js";
import { broadcastTo, full, plain, reshaped, splat, splatValue, type TracedTensor } from "./traced-tensor.js";

/** The logical order changes; every physical form stays. */
function transposed(graph: Graph, given: One, { perm }: { perm: readonly number[] }): TracedTensor {
  const x = plain(graph, given.x);
  const shape = perm.map((axis) => x.shape[axis]);
  const single = splatValue(x);
  if (single !== null) return splat(shape, x.dtype, single);
  if (x.values) {
    const whole = full(graph, x);
    const values = whole.values && permuteData(whole.values, whole.shape, perm);
    return { ...whole, shape, extent: shape, values, forms: new Map() };
  }
  const renamed = (layout: string) =>
    axesOf(layout)
      .map((axis) => perm.indexOf(axis))
      .join("");
  return {
    ...x,
    shape,
    extent: perm.map((axis) => x.extent[axis]),
    forms: new Map([...x.forms].map(([layout, value]) => [renamed(layout), value])),
    layout: renamed(x.layout),
  };
}

export const viewKernels: KernelTable = {
  Identity: (_: Graph, { x }: One) => ({ ...x, forms: new Map(x.forms) }),
  Reshape: (graph: Graph, { x }: One, { shape }: { shape: number[] }) =>
    reshaped(graph, x, util.inferFromImplicitShape(shape, sizeOf(x.shape))),
  ExpandDims: (graph: Graph, { input }: { input: TracedTensor }, { dim }: { dim: number }) => {
    const shape = [...input.shape];
    shape.splice(dim < 0 ? dim + shape.length + 1 : dim, 0, 1);
    return reshaped(graph, input, shape);
  },
  Transpose: transposed,
  BroadcastTo: (graph: Graph, { x }: One, { shape }: { shape: number[] }) => broadcastTo(graph, x, shape),
};
