/**
 * A network of any shape as a table: rows in order of computation, as plain data. What a file of another tool becomes;
 * the trunks that this package knows are tables of their own (`architecture.ts`).
 */

import type { Sides } from "../../core/size.js";
/** Height and width. */
export type Pair = readonly [number, number];

/** Zeros around an image. */
export interface Pads {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

/** How negative values, or all, are changed. */
export type Activation = "relu" | "relu6" | "none";

/** Of one number; `softmax` and its logarithm of a row along the last axis. */
export type FunctionName =
  | "relu"
  | "relu6"
  | "clip"
  | "leakyRelu"
  | "elu"
  | "selu"
  | "sigmoid"
  | "hardSigmoid"
  | "hardSwish"
  | "softplus"
  | "tanh"
  | "erf"
  | "exp"
  | "log"
  | "sqrt"
  | "abs"
  | "neg"
  | "reciprocal"
  | "softmax"
  | "logSoftmax";

export type Arithmetic = "add" | "sub" | "mul" | "div" | "pow" | "max" | "min";

/** What every row has. */
export interface Row {
  /** Without `/`, unlike any other. */
  readonly name: string;
  /** Names of earlier rows, or `"input"`, the scaled image. */
  readonly inputs: readonly string[];
  /**
   * Of the output, without the batch: `[height, width, channels]`, or whatever the row makes.
   */
  readonly shape: readonly number[];
}

/** What a row does. Parameters are named after the row: `trunk/<name>/kernel`. */
export type Operation =
  | (Row & {
      /** Parameters `kernel` `[h, w, in / groups, out]` (depthwise `[h, w, channels, 1]`) and `bias` `[out]`. */
      readonly op: "convolution";
      readonly kernel: Pair;
      readonly strides: Pair;
      readonly dilations: Pair;
      readonly pads: Pads;
      readonly groups: number;
      readonly activation: Activation;
    })
  | (Row & {
      /** The gradient of a convolution by its input. Parameters `kernel` `[h, w, out / groups, in]` and `bias` `[out]`. */
      readonly op: "transposedConvolution";
      readonly kernel: Pair;
      readonly strides: Pair;
      /** 1 where it does not say. */
      readonly dilations?: Pair;
      readonly groups?: number;
      readonly pads: Pads;
      readonly activation: Activation;
    })
  | (Row & {
      /** A matrix on the last axis. Parameters `kernel` `[in, out]` and `bias` `[out]`. */
      readonly op: "dense";
    })
  | (Row & {
      /** A scale and a shift for each channel. Parameters `scale` and `shift`, `[channels]`. */
      readonly op: "affine";
      readonly activation: Activation;
    })
  | (Row & {
      /** Of two rows, or of one row and a number, or a parameter `value`: which stands left is said by `isSwapped`. */
      readonly op: Arithmetic;
      readonly number?: number;
      /** Shape of the parameter `value`, as it is broadcast, without the batch. */
      readonly value?: readonly number[];
      /** The number or the parameter comes first. */
      readonly isSwapped?: boolean;
      readonly activation: Activation;
    })
  | (Row & {
      readonly op: "function";
      readonly function: FunctionName;
      /** Of `clip` (low, high), `leakyRelu` and `elu` (slope), `hardSigmoid` (slope, offset). */
      readonly numbers?: readonly number[];
    })
  | (Row & {
      /** Negative values times a slope. Parameter `value`, as it is broadcast. */
      readonly op: "prelu";
      readonly value: readonly number[];
    })
  | (Row & {
      readonly op: "maxPool" | "averagePool";
      readonly kernel: Pair;
      readonly strides: Pair;
      /** Values outside the image do not count. */
      readonly pads: Pads;
    })
  | (Row & {
      readonly op: "mean" | "maximum" | "minimum" | "sum";
      /** Of the input with its batch, ascending, from 1 on. */
      readonly axes: readonly number[];
      readonly keepsAxes: boolean;
    })
  | (Row & {
      /** Zero mean and unit variance over axes of each image. */
      readonly op: "normalize";
      readonly axes: readonly number[];
      readonly epsilon: number;
    })
  | (Row & {
      readonly op: "concat";
      /** From 1 on. */
      readonly axis: number;
    })
  | (Row & {
      readonly op: "slice";
      /** First index and step of each axis but the batch; the shape says how many. */
      readonly begin: readonly number[];
      readonly steps: readonly number[];
    })
  | (Row & {
      /** Elements of one axis, from 1 on, in any order. */
      readonly op: "gather";
      readonly axis: number;
      readonly indices: readonly number[];
    })
  | (Row & {
      readonly op: "pad";
      /** Before and after, of each axis but the batch. */
      readonly paddings: readonly Pair[];
      readonly mode: "constant" | "reflect" | "edge";
      readonly number: number;
    })
  | (Row & {
      /** To the height and width of the shape. */
      readonly op: "resize";
      readonly method: "nearest" | "bilinear";
      readonly places: "halfPixel" | "alignCorners" | "asymmetric";
      /** New rows and columns for each old one, where that is not the quotient of the sizes. */
      readonly factors?: Pair;
      /** Of `nearest`; `floor` where it does not say. */
      readonly rounding?: "floor" | "ceil" | "preferFloor" | "preferCeil";
    })
  | (Row & { readonly op: "reshape" })
  | (Row & {
      readonly op: "transpose";
      /** Of all axes, the batch (0) first. */
      readonly order: readonly number[];
    });

/**
 * Whether heads can read a row of an image of this size: of a square a square, of a rectangle one of about its aspect ratio,
 * which padding changes by a cell or two.
 */
export function isLikeImage(
  shape: readonly number[],
  { height, width }: Sides,
): shape is readonly [number, number, number] {
  if (!isSpatial(shape)) return false;
  if (height === width) return shape[0] === shape[1];
  return Math.abs(shape[0] * (width / height) - shape[1]) <= Math.max(2, 0.2 * shape[1]);
}

/** `[height, width, channels]`, places and what is known of each. */
export function isSpatial(shape: readonly number[]): shape is readonly [number, number, number] {
  return shape.length === 3;
}
