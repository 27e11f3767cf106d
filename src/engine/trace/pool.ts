/** Pooling and its gradients. */

import { backend_util } from "@tensorflow/tfjs";
import { sizeOf } from "../../core/nd-array.js";
import { binary, scalar } from "./elementwise.js";
import {
  type Attributes,
  addConstant,
  addNode,
  addNodes,
  floatConstant,
  type Graph,
  integerConstants,
  reshape,
} from "./graph.js";
import type { KernelTable, One } from "./kernel.js";
import { blockOf, NCHW, physical } from "./layout.js";
import { nchwc } from "./nchwc.js";
import { form, full, type TracedTensor, traced } from "./traced-tensor.js";

interface PoolAttributes {
  readonly filterSize: [number, number] | number;
  readonly strides: [number, number] | number;
  readonly pad: "valid" | "same" | number | backend_util.ExplicitPadding;
  readonly dimRoundingMode?: "floor" | "round" | "ceil";
}

interface PoolGeometry {
  readonly outShape: readonly number[];
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly attributes: Attributes;
}

function poolGeometry(shape: readonly number[], given: PoolAttributes): PoolGeometry {
  const { filterSize, strides: stride, pad, dimRoundingMode } = given;
  const whole = shape as [number, number, number, number];
  const info = backend_util.computePool2DInfo(whole, filterSize, stride, 1, pad, dimRoundingMode);
  const { top, left, bottom, right } = info.padInfo;
  const kernel = [info.filterHeight, info.filterWidth];
  const strides = [info.strideHeight, info.strideWidth];
  const attributes = { kernel_shape: kernel, strides, pads: [top, left, bottom, right] };
  return { outShape: info.outShape, kernel, strides, before: [top, left], after: [bottom, right], attributes };
}

function maxPool(graph: Graph, { x }: One, attributes: PoolAttributes): TracedTensor {
  const pool = poolGeometry(x.shape, attributes);
  return pooled(graph, "MaxPool", x, pool.outShape, pool.attributes);
}

/** Each dy goes to the position of the first largest value of its window. */
function maxPoolGradient(
  graph: Graph,
  { dy, input }: { dy: TracedTensor; input: TracedTensor },
  attributes: PoolAttributes,
): TracedTensor {
  const { shape } = input;
  const pool = poolGeometry(shape, attributes);
  const [, places] = addNodes(graph, "MaxPool", [form(graph, full(graph, input), NCHW)], pool.attributes, 2);
  const count = [sizeOf(pool.outShape)];
  const zeros = addNode(graph, "Expand", [floatConstant(graph, 0), integerConstants(graph, [sizeOf(shape)])]);
  const indices = reshape(graph, places, count);
  const updates = reshape(graph, form(graph, full(graph, dy), NCHW), count);
  const isDisjoint = pool.kernel.every((size, axis) => size <= pool.strides[axis]);
  const reduction = isDisjoint ? "none" : "add";
  const value = addNode(graph, "ScatterElements", [zeros, indices, updates], { axis: 0, reduction });
  graph.shapes.set(value, [sizeOf(shape)]);
  return traced(graph, reshape(graph, value, physical(shape, NCHW)), shape, { layout: NCHW });
}

function averagePool(graph: Graph, { x }: One, attributes: PoolAttributes): TracedTensor {
  const pool = poolGeometry(x.shape, attributes);
  return pooled(graph, "AveragePool", x, pool.outShape, { ...pool.attributes, count_include_pad: 0 });
}

/** In blocks if the features are blocked. */
function pooled(
  graph: Graph,
  operator: "MaxPool" | "AveragePool",
  given: TracedTensor,
  outShape: readonly number[],
  attributes: Attributes,
): TracedTensor {
  const x = full(graph, given);
  const layout = blockOf(x.layout) ? x.layout : NCHW;
  const source = form(graph, x, layout);
  const value = blockOf(layout)
    ? nchwc(graph, operator, [source], attributes)
    : addNode(graph, operator, [source], attributes);
  return traced(graph, value, outShape, { layout });
}

/** Each dy, divided by the number of values in its window, goes to all of them. */
function averagePoolGradient(
  graph: Graph,
  { dy, input }: { dy: TracedTensor; input: TracedTensor },
  attributes: PoolAttributes,
): TracedTensor {
  const { shape } = input;
  const [, height, width, channels] = shape;
  const pool = poolGeometry(shape, attributes);
  const { kernel, strides, before, after } = pool;
  const [, outHeight, outWidth] = pool.outShape;
  if (outHeight * outWidth === 1 && kernel[0] === height && kernel[1] === width) {
    // One window over everything: the gradient is the same everywhere.
    const share = binary(graph, "Mul", dy, scalar(1 / (height * width)));
    return { ...share, shape, forms: new Map(share.forms) };
  }
  const seen = (index: number, axis: 0 | 1) => {
    const first = index * strides[axis] - before[axis];
    return Math.min(shape[axis + 1], first + kernel[axis]) - Math.max(0, first);
  };
  const shares = Float32Array.from(
    { length: outHeight * outWidth },
    (_, index) => 1 / (seen(Math.floor(index / outWidth), 0) * seen(index % outWidth, 1)),
  );
  const share = addConstant(graph, "float32", [1, 1, outHeight, outWidth], shares);
  const weighted = addNode(graph, "Mul", [form(graph, full(graph, dy), NCHW), share]);
  const ones = addConstant(
    graph,
    "float32",
    [channels, 1, ...kernel],
    new Float32Array(channels * sizeOf(kernel)).fill(1),
  );
  const rest = [0, 1].map((axis) => {
    const covered = (pool.outShape[axis + 1] - 1) * strides[axis] + kernel[axis] - before[axis] - after[axis];
    return shape[axis + 1] - covered;
  });
  const value = addNode(graph, "ConvTranspose", [weighted, ones], {
    ...pool.attributes,
    dilations: [1, 1],
    output_padding: rest,
    group: channels,
  });
  return traced(graph, value, shape, { layout: NCHW });
}

export const poolKernels: KernelTable = {
  MaxPool: maxPool,
  MaxPoolGrad: maxPoolGradient,
  AvgPool: averagePool,
  AvgPoolGrad: averagePoolGradient,
};
