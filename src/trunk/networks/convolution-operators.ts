/** Readers of operators with kernels, and of the normalisation that is folded into them. */

import { ndArray, sizeOf, withAxes } from "../../core/nd-array.js";
import type { OnnxNode } from "../formats/onnx-graph.js";
import { channelsLast, type Features, type GraphValue, type Numbers } from "./graph-values.js";
import { featuresAt, floatOf, integerOf, type NodeReading, numbersAt, type OperatorTable } from "./node-reading.js";
import type { Operation, Pads, Pair } from "./operation.js";
import { Refusal } from "./refusal.js";
import type { Table } from "./table.js";

const NO_PADS: Pads = { top: 0, left: 0, bottom: 0, right: 0 };

type Convolution = Extract<Operation, { op: "convolution" }>;

function convolution(reading: NodeReading): GraphValue {
  const { table, name } = reading;
  const given = featuresAt(reading, 0);
  const filters = numbersAt(reading, 1, "kernel");
  const [rows, depth, ...kernel] = filters.shape;
  if (given.shape.length !== 4 || kernel.length !== 2)
    throw new Refusal(`is a convolution of ${filters.shape.length - 2} dimensions`, "Networks of images have two.");
  if (filters.data.length === 0) throw new Refusal("has a kernel of no numbers");
  const [batch, channels, ...sizes] = given.shape;
  const groups = integerOf(reading, "group", 1);
  if (!(groups >= 1) || depth * groups !== channels || rows % groups !== 0)
    throw new Refusal(`has ${groups} groups of ${depth} channels for ${channels}`);
  const strides = pairOf(reading, "strides", 1);
  const dilations = pairOf(reading, "dilations", 1);
  const wide = pair((axis) => (kernel[axis] - 1) * dilations[axis] + 1);
  const { source, pads } = withoutPad(table, given, padsOf(reading, { sizes, window: wide, strides }), reading);
  const [, , height, width] = source.shape;
  const out = [
    Math.floor((height + pads.top + pads.bottom - wide[0]) / strides[0]) + 1,
    Math.floor((width + pads.left + pads.right - wide[1]) / strides[1]) + 1,
  ];
  if (Math.min(...out) < 1) throw new Refusal("leaves nothing of its input", "Take a larger input size.");
  const order = channelsLast(4);
  const isDepthwise = groups === channels && rows === channels;
  const row: Omit<Convolution, "name" | "inputs" | "shape"> = {
    op: "convolution",
    kernel: pair((axis) => kernel[axis]),
    ...{ strides, dilations, pads, groups },
    activation: "none",
  };
  const output = { shape: [batch, rows, ...out], order };
  const result = table.add(name, row, [table.arranged(source, order)], output);
  // [out, in / groups, h, w] becomes [h, w, in / groups, out], of a depthwise one [h, w, channels, 1].
  const turned = withAxes(filters, isDepthwise ? [2, 3, 0, 1] : [2, 3, 1, 0]);
  table.setParameter(result.row, "kernel", ndArray(turned.shape, turned.data));
  table.setParameter(result.row, "bias", biasOf(reading, 2, rows));
  return result;
}

function transposedConvolution(reading: NodeReading): GraphValue {
  const { table, name } = reading;
  const given = featuresAt(reading, 0);
  const filters = numbersAt(reading, 1, "kernel");
  const [channels, depth, ...kernel] = filters.shape;
  if (given.shape.length !== 4 || kernel.length !== 2)
    throw new Refusal(`is a convolution of ${filters.shape.length - 2} dimensions`, "Networks of images have two.");
  if (filters.data.length === 0) throw new Refusal("has a kernel of no numbers");
  const groups = integerOf(reading, "group", 1);
  if (!(groups >= 1) || channels !== given.shape[1] || channels % groups !== 0)
    throw new Refusal(`has ${groups} groups of ${channels} channels for ${given.shape[1]}`);
  const columns = depth * groups;
  const dilations = pairOf(reading, "dilations", 1);
  const wide = pair((axis) => (kernel[axis] - 1) * dilations[axis] + 1);
  const strides = pairOf(reading, "strides", 1);
  const extra = pairOf(reading, "output_padding", 0);
  const [batch, , ...sizes] = given.shape;
  const automatic = reading.node.attributes.auto_pad?.text ?? "NOTSET";
  if (!/^(NOTSET|VALID|)$/.test(automatic) || reading.node.attributes.output_shape)
    throw new Refusal("leaves its padding to who runs it", "Export it with explicit pads.");
  const { top, left, bottom, right } = explicitPads(reading.node);
  const out = pair(
    (axis) => strides[axis] * (sizes[axis] - 1) + extra[axis] + wide[axis] - [top, left][axis] - [bottom, right][axis],
  );
  if (Math.min(...out) < 1) throw new Refusal("leaves nothing of its input", "Take a larger input size.");
  const order = channelsLast(4);
  const isPlain = groups === 1 && Math.max(...dilations) === 1;
  const row = {
    op: "transposedConvolution" as const,
    kernel: pair((axis) => kernel[axis]),
    strides,
    ...(!isPlain && { dilations, groups }),
    pads: { top, left, bottom: bottom - extra[0], right: right - extra[1] },
    activation: "none" as const,
  };
  const result = table.add(name, row, [table.arranged(given, order)], { shape: [batch, columns, ...out], order });
  const turned = withAxes(filters, [2, 3, 1, 0]);
  table.setParameter(result.row, "kernel", ndArray(turned.shape, turned.data));
  table.setParameter(result.row, "bias", biasOf(reading, 2, columns));
  return result;
}

/** Zeros that a node of its own puts around the image become the convolution's, where nothing else reads them. */
function withoutPad(table: Table, given: Features, pads: Pads, reading: NodeReading): { source: Features; pads: Pads } {
  const row = table.rows.get(given.row);
  const isZeros = row?.op === "pad" && row.mode === "constant" && row.number === 0;
  if (!isZeros || !reading.isOnlyReader(0) || given.shape.length !== 4) return { source: given, pads };
  const at = (axis: number) => row.paddings[given.order.indexOf(axis) - 1];
  const [channels, rows, columns] = [at(1), at(2), at(3)];
  if (channels.some((amount) => amount !== 0)) return { source: given, pads };
  const { shape } = given;
  const inner = [shape[0], shape[1], shape[2] - rows[0] - rows[1], shape[3] - columns[0] - columns[1]];
  return {
    source: { ...given, row: row.inputs[0], shape: inner },
    pads: {
      top: pads.top + rows[0],
      left: pads.left + columns[0],
      bottom: pads.bottom + rows[1],
      right: pads.right + columns[1],
    },
  };
}

/** @param geometry sizes of the image, of the whole window, and its steps. */
export function padsOf(
  { node }: NodeReading,
  { sizes, window, strides }: { sizes: readonly number[]; window: Pair; strides: Pair },
): Pads {
  const automatic = node.attributes.auto_pad?.text ?? "NOTSET";
  if (automatic.startsWith("SAME")) {
    const whole = pair((axis) =>
      Math.max(0, (Math.ceil(sizes[axis] / strides[axis]) - 1) * strides[axis] + window[axis] - sizes[axis]),
    );
    const first = whole.map((amount) => (automatic === "SAME_LOWER" ? Math.ceil(amount / 2) : Math.floor(amount / 2)));
    return { top: first[0], left: first[1], bottom: whole[0] - first[0], right: whole[1] - first[1] };
  }
  return automatic === "VALID" ? NO_PADS : explicitPads(node);
}

function explicitPads({ attributes }: OnnxNode): Pads {
  const pads = attributes.pads?.integers ?? [0, 0, 0, 0];
  if (pads.length !== 4 || !pads.every((amount) => amount >= 0)) throw new Refusal(`has pads of ${pads.join(", ")}`);
  const [top, left, bottom, right] = pads;
  return { top, left, bottom, right };
}

export function pair(of: (axis: 0 | 1) => number): Pair {
  return [of(0), of(1)];
}

export function pairOf({ node }: NodeReading, attribute: string, otherwise: number): Pair {
  const list = node.attributes[attribute]?.integers ?? [];
  if (list.length === 0) return [otherwise, otherwise];
  if (list.length !== 2) throw new Refusal(`has ${list.length} ${attribute}`, "Networks of images have two.");
  const least = attribute === "output_padding" ? 0 : 1;
  if (!list.every((one) => one >= least)) throw new Refusal(`has ${attribute} of ${list.join(", ")}`);
  return [list[0], list[1]];
}

function biasOf(reading: NodeReading, index: number, count: number) {
  if (!reading.input(index)) return ndArray([count]);
  const { data } = numbersAt(reading, index, "bias");
  if (data.length !== count) throw new Refusal(`has a bias of ${data.length} numbers for ${count} channels`);
  return ndArray([count], Float32Array.from(data));
}

/** Folded into the convolution before it, where nothing else reads that; else a scale and a shift for each channel. */
function batchNorm(reading: NodeReading): GraphValue {
  const { table, name } = reading;
  const x = featuresAt(reading, 0);
  if (integerOf(reading, "training_mode", 0) !== 0)
    throw new Refusal("is in training mode", "Call model.eval() before the export.");
  const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((index) => numbersAt(reading, index, "parameters").data);
  if ([beta, mean, variance].some(({ length }) => length !== gamma.length))
    throw new Refusal(`has ${gamma.length} scales, and another number of shifts, means or variances`);
  const epsilon = floatOf(reading, "epsilon", 1e-5);
  const scale = Float64Array.from(gamma, (value, channel) => value / Math.sqrt(variance[channel] + epsilon));
  const shift = Float64Array.from(beta, (value, channel) => value - mean[channel] * scale[channel]);
  const isLast = x.order.at(-1) === 1 && x.shape[1] === scale.length;
  if (isLast && reading.isOnlyReader(0) && scaled(table, x, { scale, shift })) return x;
  if (x.shape[1] !== scale.length) throw new Refusal(`normalises ${scale.length} channels of ${x.shape[1]}`);
  if (x.shape.length === 4) {
    // A depthwise convolution of one pixel, which runs in blocks and takes an activation with it.
    const own: Pair = [1, 1];
    const order = channelsLast(4);
    const result = table.add(
      name,
      {
        op: "convolution",
        kernel: own,
        strides: own,
        dilations: own,
        pads: NO_PADS,
        groups: scale.length,
        activation: "none",
      },
      [table.arranged(x, order)],
      { shape: x.shape, order },
    );
    table.setParameter(result.row, "kernel", ndArray([1, 1, scale.length, 1], Float32Array.from(scale)));
    table.setParameter(result.row, "bias", ndArray([shift.length], Float32Array.from(shift)));
    return result;
  }
  // Channels are the last axis in memory.
  const order = [...x.order.filter((axis) => axis !== 1), 1];
  const moved = table.arranged(x, order);
  const result = table.add(name, { op: "affine", activation: "none" }, [moved], moved);
  table.setParameter(result.row, "scale", ndArray([scale.length], Float32Array.from(scale)));
  table.setParameter(result.row, "shift", ndArray([shift.length], Float32Array.from(shift)));
  return result;
}

/** Scales the output channels of a row that has a kernel, and no activation yet. @returns whether it could be. */
function scaled(
  table: Table,
  { row: name }: Features,
  { scale, shift }: { scale: Float64Array; shift: Float64Array },
): boolean {
  const row = table.rows.get(name);
  const [kernel, bias] = [table.parameter(name, "kernel"), table.parameter(name, "bias")];
  const isTransposed = row?.op === "transposedConvolution" && (row.groups ?? 1) === 1;
  const hasKernel = row?.op === "convolution" || row?.op === "dense" || isTransposed;
  if (!hasKernel || !kernel || !bias || ("activation" in row && row.activation !== "none")) return false;
  if (bias.data.length !== scale.length) return false;
  const channels = scale.length;
  // The channel runs fastest in `[h, w, in, out]` and `[h, w, channels, 1]`; in `[h, w, out, in]` of a transposed one not.
  const depth = isTransposed ? kernel.shape[3] : 1;
  const filters = Float32Array.from(kernel.data, (value, i) => value * scale[Math.floor(i / depth) % channels]);
  table.setParameter(name, "kernel", ndArray(kernel.shape, filters));
  table.setParameter(
    name,
    "bias",
    ndArray(
      [channels],
      Float32Array.from(bias.data, (value, c) => value * scale[c] + shift[c]),
    ),
  );
  return true;
}

function gemm(reading: NodeReading): GraphValue {
  if (integerOf(reading, "transA", 0) !== 0) throw new Refusal("turns its features");
  const x = featuresAt(reading, 0);
  if (x.shape.length !== 2) throw new Refusal(`multiplies features of ${x.shape.length} dimensions`);
  const weights = numbersAt(reading, 1, "matrix");
  const kernel = integerOf(reading, "transB", 0) === 0 ? weights : withAxes(weights, [1, 0]);
  const alpha = floatOf(reading, "alpha", 1);
  const columns = kernel.shape[1];
  const bias = reading.input(2) ? numbersAt(reading, 2, "bias") : undefined;
  const beta = floatOf(reading, "beta", 1);
  if (bias && sizeOf(bias.shape) !== columns && sizeOf(bias.shape) !== 1)
    throw new Refusal(`adds ${bias.shape.join(" x ")} numbers to ${columns}`);
  const shifts = Float32Array.from({ length: columns }, (_, column) =>
    bias ? beta * bias.data[bias.data.length === 1 ? 0 : column] : 0,
  );
  return dense(
    reading,
    x,
    { ...kernel, data: alpha === 1 ? kernel.data : Float32Array.from(kernel.data, (v) => alpha * v) },
    shifts,
  );
}

function matMul(reading: NodeReading): GraphValue {
  const [left, right] = [reading.input(0), reading.input(1)];
  if (left?.kind === "features" && right?.kind === "features")
    throw new Refusal(
      "multiplies two things that both depend on the image, as the attention of transformers does",
      "Only convolutional networks are read.",
    );
  if (left?.kind === "numbers" && right?.kind === "features") {
    // The columns of features times the rows of the matrix.
    const turned = withAxes(matrixOf(left, right), [1, 0]);
    return dense(reading, right, turned, new Float32Array(turned.shape[1]), right.shape.length - 2);
  }
  const x = featuresAt(reading, 0);
  const weights = matrixOf(numbersAt(reading, 1, "matrix"), x);
  return dense(reading, x, weights, new Float32Array(weights.shape[1]));
}

/** One matrix for all images and places. */
function matrixOf({ shape, data }: Numbers, { shape: features }: Features): Pick<Numbers, "shape" | "data"> {
  const isOne = shape.length >= 2 && shape.length <= features.length && shape.slice(0, -2).every((size) => size === 1);
  if (!isOne) throw new Refusal(`multiplies ${features.join(" x ")} features by ${shape.join(" x ")} numbers`);
  return { shape: shape.slice(-2), data };
}

/** A matrix on one axis of ONNX, the last by default, which is brought to the last place in memory. */
function dense(
  { table, name }: NodeReading,
  x: Features,
  kernel: Pick<Numbers, "shape" | "data">,
  bias: Float32Array<ArrayBuffer>,
  axis = x.shape.length - 1,
): Features {
  const [rows, columns] = kernel.shape;
  if (axis < 1 || rows !== x.shape[axis])
    throw new Refusal(
      axis < 1 ? "multiplies the images of a batch" : `multiplies ${x.shape[axis]} numbers by a matrix of ${rows}`,
    );
  const order = [...x.order.filter((one) => one !== axis), axis];
  const moved = table.arranged(x, order);
  const result = table.add(name, { op: "dense" }, [moved], { shape: x.shape.with(axis, columns), order });
  table.setParameter(result.row, "kernel", ndArray([rows, columns], Float32Array.from(kernel.data)));
  table.setParameter(result.row, "bias", ndArray([columns], bias));
  return result;
}

export const convolutionOperators: OperatorTable = {
  Conv: convolution,
  ConvTranspose: transposedConvolution,
  BatchNormalization: batchNorm,
  Gemm: gemm,
  MatMul: matMul,
};
