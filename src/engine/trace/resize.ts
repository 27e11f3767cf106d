/**
 * Resizing images: bilinear by ONNX Runtime's own operator; nearest neighbours and all gradients as two products with
 * constant interpolation matrices, exact in every mode.
 */

import { ABSENT, addConstant, addNode, type Graph, integerConstants, reshape } from "./graph.js";
import type { Kernel, KernelTable } from "./kernel.js";
import { NCHW, physical } from "./layout.js";
import { form, full, type TracedTensor, traced } from "./traced-tensor.js";

interface ResizeMode {
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
}

type Method = "bilinear" | "nearest";

/** Row-major `[to, from]`: how much of each source element each target element takes, as TensorFlow.js samples. */
export function interpolation(
  from: number,
  to: number,
  { method, alignCorners, halfPixelCenters }: ResizeMode & { method: Method },
): Float32Array {
  const weights = new Float32Array(to * from);
  const scale = alignCorners && to > 1 ? (from - 1) / (to - 1) : from / to;
  for (let index = 0; index < to; index++) {
    const add = (place: number, weight: number) => {
      weights[index * from + Math.max(0, Math.min(from - 1, place))] += weight;
    };
    if (method === "nearest") {
      const place = halfPixelCenters ? (index + 0.5) * scale : index * scale;
      add(alignCorners ? Math.round(place) : Math.floor(place), 1);
      continue;
    }
    const place = Math.max(0, halfPixelCenters ? (index + 0.5) * scale - 0.5 : index * scale);
    const below = Math.floor(place);
    add(below, 1 - (place - below));
    add(below + 1, place - below);
  }
  return weights;
}

function transposedMatrix(matrix: Float32Array, rows: number): Float32Array {
  const columns = matrix.length / rows;
  return matrix.map((_, index) => matrix[(index % rows) * columns + Math.floor(index / rows)]);
}

/**
 * `[batch, height, width, channels]` to another size: `left` is `[to, from]` for rows, `right` `[from, to]` for
 * columns.
 */
function matrixResize(
  graph: Graph,
  x: TracedTensor,
  [height, width]: readonly number[],
  { left, right }: { left: Float32Array; right: Float32Array },
): TracedTensor {
  const [batch, fromHeight, fromWidth, channels] = x.shape;
  const source = reshape(graph, form(graph, full(graph, x), NCHW), [batch * channels * fromHeight, fromWidth]);
  const columns = addNode(graph, "MatMul", [source, addConstant(graph, "float32", [fromWidth, width], right)]);
  graph.shapes.set(columns, [batch * channels * fromHeight, width]);
  const images = reshape(graph, columns, [batch, channels, fromHeight, width]);
  const rows = addNode(graph, "MatMul", [addConstant(graph, "float32", [height, fromHeight], left), images]);
  return traced(graph, rows, [batch, height, width, channels], { layout: NCHW });
}

interface Resizing {
  readonly images: TracedTensor;
}
type ResizeAttributes = ResizeMode & { readonly size: [number, number] };

/** All images and channels side by side as channels of one image, which is what the operator spreads over threads. */
function bilinear(
  graph: Graph,
  { images }: Resizing,
  { alignCorners, halfPixelCenters, size }: ResizeAttributes,
): TracedTensor {
  const [batch, fromHeight, fromWidth, channels] = images.shape;
  const shape = [batch, ...size, channels];
  const source = form(graph, full(graph, images), NCHW);
  const maps = reshape(graph, source, [1, batch * channels, fromHeight, fromWidth]);
  const transformation = alignCorners ? "align_corners" : halfPixelCenters ? "half_pixel" : "asymmetric";
  const inputs = [maps, ABSENT, ABSENT, integerConstants(graph, [1, batch * channels, ...size])];
  const attributes = { mode: "linear", coordinate_transformation_mode: transformation };
  const value = addNode(graph, "Resize", inputs, attributes);
  graph.shapes.set(value, [1, batch * channels, ...size]);
  return traced(graph, reshape(graph, value, physical(shape, NCHW)), shape, { layout: NCHW });
}

function nearest(graph: Graph, { images }: Resizing, attributes: ResizeAttributes): TracedTensor {
  const [, fromHeight, fromWidth] = images.shape;
  const [height, width] = attributes.size;
  const mode = { ...attributes, method: "nearest" } as const;
  const left = interpolation(fromHeight, height, mode);
  const right = transposedMatrix(interpolation(fromWidth, width, mode), width);
  return matrixResize(graph, images, [height, width], { left, right });
}

function resizeGradient(method: Method): Kernel {
  return (graph: Graph, { images, dy }: { images: TracedTensor; dy: TracedTensor }, attributes: ResizeMode) => {
    const [, height, width] = images.shape;
    const [, dyHeight, dyWidth] = dy.shape;
    const mode = { ...attributes, method };
    const left = transposedMatrix(interpolation(height, dyHeight, mode), dyHeight);
    const right = interpolation(width, dyWidth, mode);
    return matrixResize(graph, dy, [height, width], { left, right });
  };
}

export const resizeKernels: KernelTable = {
  ResizeBilinear: bilinear,
  ResizeBilinearGrad: resizeGradient("bilinear"),
  ResizeNearestNeighbor: nearest,
  ResizeNearestNeighborGrad: resizeGradient("nearest"),
};
