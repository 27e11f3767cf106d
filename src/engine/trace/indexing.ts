/** Kernels that work with indices: gathering, scattering, one-hot, running sums, the largest values. */

import { util } from "@tensorflow/tfjs";
import { TraceError } from "../../core/errors.js";
import { sizeOf } from "../../core/nd-array.js";
import { cast } from "./elementwise.js";
import {
  addConstant,
  addNode,
  addNodes,
  type Graph,
  integerConstant,
  integerConstants,
  reshape,
  type Value,
} from "./graph.js";
import type { KernelTable, One } from "./kernel.js";
import { dataType } from "./onnx-encoding.js";
import { type DType, naturalValue, numbers, type TracedTensor, traced } from "./traced-tensor.js";

/** ONNX needs int64 where TensorFlow.js has int32. */
function indices64(graph: Graph, indices: TracedTensor): Value {
  const value = addNode(graph, "Cast", [naturalValue(graph, indices)], { to: dataType("int64") });
  graph.shapes.set(value, indices.shape);
  return value;
}

function gather(
  graph: Graph,
  { x, indices }: { x: TracedTensor; indices: TracedTensor },
  attributes: { axis: number; batchDims: number },
): TracedTensor {
  if (attributes.batchDims) throw new TraceError("batchDims cannot be recorded. Gather each row, or use gatherND.");
  const [axis] = util.parseAxisParam(attributes.axis, [...x.shape]);
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  const value = addNode(graph, "Gather", [naturalValue(graph, x), naturalValue(graph, indices)], { axis });
  return traced(graph, value, shape, { dtype: x.dtype });
}

function gatherNd(graph: Graph, { params, indices }: { params: TracedTensor; indices: TracedTensor }): TracedTensor {
  const depth = indices.shape.at(-1) ?? 0;
  const shape = [...indices.shape.slice(0, -1), ...params.shape.slice(depth)];
  const value = addNode(graph, "GatherND", [naturalValue(graph, params), indices64(graph, indices)]);
  return traced(graph, value, shape, { dtype: params.dtype });
}

/** Adds `updates` at `places` `[count, depth]` of zeros; indices must lie inside. */
function scatter(
  graph: Graph,
  { updates, places, shape }: { updates: TracedTensor; places: Value; shape: readonly number[] },
): TracedTensor {
  const zero = addConstant(graph, updates.dtype, [], numbers(updates.dtype, [0]));
  const zeros = addNode(graph, "Expand", [zero, integerConstants(graph, shape)]);
  const value = addNode(graph, "ScatterND", [zeros, places, naturalValue(graph, updates)], { reduction: "add" });
  return traced(graph, value, shape, { dtype: updates.dtype });
}

function oneHot(
  graph: Graph,
  { indices }: { indices: TracedTensor },
  attributes: { depth: number; onValue: number; offValue: number; dtype: DType },
): TracedTensor {
  const { depth, onValue, offValue, dtype } = attributes;
  const values = addConstant(graph, "float32", [2], Float32Array.of(offValue, onValue));
  const value = addNode(graph, "OneHot", [indices64(graph, indices), integerConstant(graph, depth), values], {
    axis: -1,
  });
  return cast(graph, traced(graph, value, [...indices.shape, depth]), dtype);
}

function runningSum(
  graph: Graph,
  { x }: One,
  { axis, exclusive, reverse }: { axis: number; exclusive: boolean; reverse: boolean },
): TracedTensor {
  const [place] = util.parseAxisParam(axis, [...x.shape]);
  const options = { exclusive: Number(exclusive), reverse: Number(reverse) };
  const value = addNode(graph, "CumSum", [naturalValue(graph, x), integerConstant(graph, place)], options);
  return traced(graph, value, x.shape, { dtype: x.dtype });
}

/** The k largest values along the last axis, largest first, and their indices. */
function topK(graph: Graph, { x }: One, { k, sorted }: { k: number; sorted: boolean }): TracedTensor[] {
  const shape = [...x.shape.slice(0, -1), k];
  const attributes = { axis: -1, largest: 1, sorted: Number(sorted) };
  const [values, places] = addNodes(
    graph,
    "TopK",
    [naturalValue(graph, x), integerConstants(graph, [k])],
    attributes,
    2,
  );
  const indices = addNode(graph, "Cast", [places], { to: dataType("int32") });
  return [traced(graph, values, shape, { dtype: x.dtype }), traced(graph, indices, shape, { dtype: "int32" })];
}

export const indexingKernels: KernelTable = {
  GatherV2: gather,
  GatherNd: gatherNd,
  ScatterNd: (
    graph: Graph,
    { indices, updates }: { indices: TracedTensor; updates: TracedTensor },
    { shape }: { shape: number[] },
  ) => scatter(graph, { updates, places: indices64(graph, indices), shape }),
  UnsortedSegmentSum: (
    graph: Graph,
    { x, segmentIds }: { x: TracedTensor; segmentIds: TracedTensor },
    { numSegments }: { numSegments: number },
  ) => {
    const places = reshape(graph, indices64(graph, segmentIds), [sizeOf(segmentIds.shape), 1]);
    return scatter(graph, { updates: x, places, shape: [numSegments, ...x.shape.slice(1)] });
  },
  OneHot: oneHot,
  Cumsum: runningSum,
  TopK: topK,
};
