/** Computes a row of a network in ordinary TensorFlow.js, so that every engine runs it and gradients go through it. */

import * as tf from "@tensorflow/tfjs";
import { WeightsError } from "../../core/errors.js";
import { averagePool } from "../../ops/average-pool.js";
import { padByEdge } from "../../ops/edge-padding.js";
import { groupedConv2d } from "../../ops/grouped-convolution.js";
import { groupedConv2dTranspose } from "../../ops/grouped-transposed-convolution.js";
import { hardSigmoid } from "../../ops/hard-sigmoid.js";
import { resizeBilinear } from "../../ops/resize-bilinear.js";
import { resizeByFactors } from "../../ops/resize-by-factors.js";
import { stridedSlice } from "../../ops/strided-slice.js";
import { type Rectifier, rectify } from "../rectifier.js";
import type { Parameters } from "../trunk.js";
import type { Activation, Arithmetic, Operation, Pads } from "./operation.js";

type Explicit = [[number, number], [number, number], [number, number], [number, number]];
type Row<Op extends Operation["op"]> = Extract<Operation, { readonly op: Op }>;

interface Context {
  readonly parameters: Parameters;
  /** How gradients go back through rectifiers. */
  readonly rectifier?: Rectifier;
}

/** @param inputs with the batch first. @returns the row's output; the caller disposes it. */
export function operate(row: Operation, inputs: readonly tf.Tensor[], context: Context): tf.Tensor {
  return tf.tidy(() => computed(row, inputs, context));
}

function computed(row: Operation, inputs: readonly tf.Tensor[], context: Context): tf.Tensor {
  const [x] = inputs;
  const part = (name: string) => parameter(row, name, context.parameters);
  switch (row.op) {
    case "convolution":
      return activated(
        tf.add(convolved(row, x as tf.Tensor4D, part("kernel") as tf.Tensor4D), part("bias")),
        row,
        context,
      );
    case "transposedConvolution":
      return activated(
        tf.add(widened(row, x as tf.Tensor4D, part("kernel") as tf.Tensor4D), part("bias")),
        row,
        context,
      );
    case "dense":
      return tf.add(product(x, part("kernel") as tf.Tensor2D), part("bias"));
    case "affine":
      return activated(tf.add(tf.mul(x, part("scale")), part("shift")), row, context);
    case "add":
    case "sub":
    case "mul":
    case "div":
    case "pow":
    case "max":
    case "min": {
      const other = inputs[1] ?? (row.value ? part("value") : tf.scalar(row.number ?? Number.NaN));
      return activated(row.isSwapped ? ARITHMETIC[row.op](other, x) : ARITHMETIC[row.op](x, other), row, context);
    }
    case "function":
      return applied(row, x, context);
    case "prelu": {
      // Not tf.prelu, whose gradient by its input wants equal shapes.
      const slopes = part("value");
      return tf.add(tf.relu(x), tf.mul(tf.neg(tf.relu(tf.neg(x))), slopes));
    }
    case "maxPool":
      return tf.maxPool(x as tf.Tensor4D, [...row.kernel], [...row.strides], explicit(row.pads));
    case "averagePool":
      return averagePool(x as tf.Tensor4D, row);
    case "mean":
      return tf.mean(x, [...row.axes], row.keepsAxes);
    case "sum":
      return tf.sum(x, [...row.axes], row.keepsAxes);
    case "maximum":
      return tf.max(x, [...row.axes], row.keepsAxes);
    case "minimum":
      return tf.min(x, [...row.axes], row.keepsAxes);
    case "normalize": {
      const centred = tf.sub(x, tf.mean(x, [...row.axes], true));
      const variance = tf.mean(tf.mul(centred, centred), [...row.axes], true);
      return tf.div(centred, tf.sqrt(tf.add(variance, row.epsilon)));
    }
    case "concat":
      return tf.concat([...inputs], row.axis);
    case "slice":
      return sliced(row, x);
    case "gather":
      return tf.gather(x, tf.tensor1d([...row.indices], "int32"), row.axis);
    case "pad":
      return padded(row, x);
    case "resize":
      return resized(row, x as tf.Tensor4D);
    case "reshape":
      return tf.reshape(x, [x.shape[0], ...row.shape]);
    case "transpose":
      return tf.transpose(x, [...row.order]);
  }
}

function parameter({ name }: Operation, what: string, parameters: Parameters): tf.Tensor {
  const found = parameters[`trunk/${name}/${what}`];
  if (found) return found;
  throw new WeightsError(`network: parameter trunk/${name}/${what} is absent.`, { cure: "Import the network again." });
}

const ARITHMETIC: Readonly<Record<Arithmetic, (a: tf.Tensor, b: tf.Tensor) => tf.Tensor>> = {
  add: (a, b) => tf.add(a, b),
  sub: (a, b) => tf.sub(a, b),
  mul: (a, b) => tf.mul(a, b),
  div: (a, b) => tf.div(a, b),
  pow: (a, b) => tf.pow(a, b),
  max: (a, b) => tf.maximum(a, b),
  min: (a, b) => tf.minimum(a, b),
};

function activated(
  x: tf.Tensor,
  { activation }: { readonly activation: Activation },
  { rectifier }: Context,
): tf.Tensor {
  return activation === "none" ? x : rectify(x as tf.Tensor4D, { activation, rectifier });
}

function explicit({ top, left, bottom, right }: Pads): Explicit {
  return [[0, 0], [top, bottom], [left, right], [0, 0]]; // biome-ignore format: a table
}

function convolved(row: Row<"convolution">, x: tf.Tensor4D, kernel: tf.Tensor4D): tf.Tensor4D {
  const { strides, dilations, groups, pads } = row;
  const isDilated = Math.max(...dilations) > 1;
  const isDepthwise = groups === x.shape[3] && kernel.shape[2] === groups;
  if (isDilated || (groups > 1 && !isDepthwise)) return groupedConv2d(x, kernel, row);
  const convolve = isDepthwise && groups > 1 ? tf.depthwiseConv2d : tf.conv2d;
  return convolve(x, kernel, [...strides], explicit(pads)) as tf.Tensor4D;
}

/** The gradient of a convolution by its input is its value here: TensorFlow.js' own takes no padding of each side. */
function widened(row: Row<"transposedConvolution">, x: tf.Tensor4D, kernel: tf.Tensor4D) {
  const { strides, pads, shape, groups, dilations } = row;
  if (groups !== undefined && dilations !== undefined)
    return groupedConv2dTranspose(x, kernel, { groups, dilations, strides, pads, size: [shape[0], shape[1]] });
  const [height, width] = [shape[0] + pads.top + pads.bottom, shape[1] + pads.left + pads.right];
  const whole = tf.conv2dTranspose(x, kernel, [x.shape[0], height, width, shape[2]], [...strides], "valid");
  // Rows and columns beyond what any pixel reaches hold zeros.
  const rest = [Math.max(0, -pads.bottom), Math.max(0, -pads.right)];
  const inner = tf.slice(whole, [0, pads.top, pads.left, 0], [-1, shape[0] - rest[0], shape[1] - rest[1], -1]);
  return tf.pad(inner, [[0, 0], [0, rest[0]], [0, rest[1]], [0, 0]]); // biome-ignore format: a table
}

/** On the last axis. */
function product(x: tf.Tensor, kernel: tf.Tensor2D): tf.Tensor {
  if (x.rank === 2) return tf.matMul(x as tf.Tensor2D, kernel);
  const [rows, columns] = kernel.shape;
  if (x.rank === 4)
    return tf.conv2d(x as tf.Tensor4D, tf.reshape(kernel, [1, 1, rows, columns]) as tf.Tensor4D, 1, "valid");
  const flat = tf.matMul(tf.reshape(x, [-1, rows]), kernel);
  return tf.reshape(flat, [...x.shape.slice(0, -1), columns]);
}

function applied(row: Row<"function">, x: tf.Tensor, { rectifier }: Context): tf.Tensor {
  const [first = 0, second = 0] = row.numbers ?? [];
  switch (row.function) {
    case "relu":
    case "relu6":
      return rectify(x as tf.Tensor4D, { activation: row.function, rectifier });
    case "clip":
      return tf.clipByValue(x, first, second);
    case "leakyRelu":
      return tf.leakyRelu(x, first);
    case "elu":
      return first === 1 ? tf.elu(x) : tf.add(tf.relu(x), tf.mul(tf.sub(tf.exp(tf.minimum(x, 0)), 1), first));
    case "selu":
      return tf.selu(x);
    case "sigmoid":
      return tf.sigmoid(x);
    case "hardSigmoid":
      return hardSigmoid(x, { slope: first, offset: second });
    case "hardSwish":
      return tf.mul(x, hardSigmoid(x, { slope: 1 / 6, offset: 0.5 }));
    case "softplus":
      return tf.softplus(x);
    case "tanh":
      return tf.tanh(x);
    case "erf":
      return tf.erf(x);
    case "exp":
      return tf.exp(x);
    case "log":
      return tf.log(x);
    case "sqrt":
      return tf.sqrt(x);
    case "abs":
      return tf.abs(x);
    case "neg":
      return tf.neg(x);
    case "reciprocal":
      return tf.reciprocal(x);
    case "softmax":
      return tf.softmax(x);
    case "logSoftmax":
      return tf.logSoftmax(x);
  }
}

function sliced({ begin, steps, shape }: Row<"slice">, x: tf.Tensor): tf.Tensor {
  return stridedSlice(x, { begin: [0, ...begin], size: [x.shape[0], ...shape], steps: [1, ...steps] });
}

function padded({ paddings, mode, number }: Row<"pad">, x: tf.Tensor): tf.Tensor {
  const all: [number, number][] = [[0, 0], ...paddings.map(([before, after]): [number, number] => [before, after])];
  return mode === "constant" ? tf.pad(x, all, number) : padByEdge(x, all, mode);
}

function resized({ method, places, factors, rounding, shape }: Row<"resize">, x: tf.Tensor4D): tf.Tensor4D {
  const [height, width] = shape;
  if (factors) return resizeByFactors(x, [height, width], { method, places, factors, ...(rounding && { rounding }) });
  if (method === "bilinear" && places === "halfPixel") return resizeBilinear(x, [height, width]);
  const isAligned = places === "alignCorners";
  if (method === "bilinear") return tf.image.resizeBilinear(x, [height, width], isAligned, false);
  return tf.image.resizeNearestNeighbor(x, [height, width], isAligned, false);
}
