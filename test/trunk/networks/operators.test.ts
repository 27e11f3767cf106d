import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { runEager, runTraced } from "../../engine/trace/run-traced.js";
import type { Model, Node, Tensor } from "../write-onnx.js";
import { byRuntime, drawn, modelOf, networkFunction, readModel, turned } from "./run-network.js";

beforeAll(() => tf.setBackend("cpu"));

const integers = (...values: number[]): Tensor => ({ shape: [values.length], values, form: "int64" });
const number = (value: number): Tensor => ({ shape: [], values: [value] });
const node = (operator: string, inputs: string[], attributes?: Node["attributes"], output = "out"): Node => ({
  operator,
  inputs,
  output,
  ...(attributes && { attributes }),
});
const conv = (inputs: string[], attributes: Node["attributes"], output = "out") =>
  node("Conv", inputs, attributes, output);
const KERNEL = { k: drawn([4, 3, 3, 3], 2), b: drawn([4], 3) };
const POSITIVE = (shape: readonly number[], seed: number): Tensor => {
  const { values } = drawn(shape, seed);
  return { shape, values: Array.from(values, (value) => 1 + 0.4 * value) };
};
/** A first convolution to four channels, 6 x 6. */
const FOUR = conv(["image", "k", "b"], { pads: [1, 1, 1, 1] }, "four");

/** By family: a model of a few nodes each. */
const CASES: Readonly<Record<string, Model>> = {
  "a convolution": modelOf([conv(["image", "k", "b"], {})], KERNEL),
  "a convolution without bias, padded on one side, with uneven steps": modelOf(
    [conv(["image", "k"], { pads: [0, 1, 2, 0], strides: [2, 1] })],
    KERNEL,
  ),
  "a window that is no square": modelOf([conv(["image", "k"], { pads: [0, 3, 0, 3] })], { k: drawn([2, 3, 1, 7]) }),
  "a dilated convolution": modelOf([conv(["image", "k"], { dilations: [2, 2], pads: [2, 2, 2, 2] })], KERNEL),
  "auto_pad SAME_UPPER": modelOf([conv(["image", "k"], { auto_pad: "SAME_UPPER", strides: [2, 2] })], KERNEL),
  "auto_pad SAME_LOWER": modelOf([conv(["image", "k"], { auto_pad: "SAME_LOWER", strides: [2, 2] })], KERNEL),
  "auto_pad VALID": modelOf([conv(["image", "k"], { auto_pad: "VALID" })], KERNEL),
  "groups of channels": modelOf([FOUR, conv(["four", "g"], { group: 2, pads: [1, 1, 1, 1] })], {
    ...KERNEL,
    g: drawn([6, 2, 3, 3], 4),
  }),
  "dilated groups with steps": modelOf(
    [FOUR, conv(["four", "g"], { group: 2, dilations: [2, 1], strides: [2, 2], pads: [2, 1, 1, 0] })],
    { ...KERNEL, g: drawn([6, 2, 2, 3], 4) },
  ),
  "a depthwise convolution": modelOf([conv(["image", "d", "b3"], { group: 3, strides: [2, 2], pads: [1, 1, 1, 1] })], {
    d: drawn([3, 1, 3, 3]),
    b3: drawn([3], 5),
  }),
  "a dilated depthwise convolution": modelOf([conv(["image", "d"], { group: 3, dilations: [2, 2] })], {
    d: drawn([3, 1, 3, 3]),
  }),
  "two filters for each channel": modelOf([conv(["image", "d"], { group: 3 })], { d: drawn([6, 1, 3, 3]) }),
  "zeros around by a node": modelOf(
    [node("Pad", ["image", "pads"], {}, "padded"), conv(["padded", "k"], { strides: [2, 2] })],
    { ...KERNEL, pads: integers(0, 0, 0, 1, 0, 0, 1, 0) },
  ),
  "a transposed convolution": modelOf(
    [node("ConvTranspose", ["image", "t", "b2"], { strides: [2, 2], pads: [1, 0, 1, 1], output_padding: [1, 0] })],
    { t: drawn([3, 2, 3, 3]), b2: drawn([2], 6) },
  ),
  "normalisation after a convolution, and before": modelOf(
    [
      node("BatchNormalization", ["image", "g3", "b3", "m3", "v3"], {}, "normal"),
      conv(["normal", "k", "b"], {}, "four"),
      node("BatchNormalization", ["four", "g4", "b4", "m4", "v4"], { epsilon: { float: 0.01 } }),
    ],
    {
      ...KERNEL,
      ...{ g3: POSITIVE([3], 1), b3: drawn([3], 2), m3: drawn([3], 3), v3: POSITIVE([3], 4) },
      ...{ g4: POSITIVE([4], 5), b4: drawn([4], 6), m4: drawn([4], 7), v4: POSITIVE([4], 8) },
    },
  ),
  "normalisation after a transposed convolution": modelOf(
    [node("ConvTranspose", ["image", "t"], {}, "wide"), node("BatchNormalization", ["wide", "g", "b", "m", "v"])],
    { t: drawn([3, 2, 3, 3]), g: POSITIVE([2], 1), b: drawn([2], 2), m: drawn([2], 3), v: POSITIVE([2], 4) },
  ),
  "a layer that two others read keeps its own numbers": modelOf(
    [
      conv(["image", "k", "b"], { pads: [1, 1, 1, 1] }, "four"),
      node("BatchNormalization", ["four", "g", "b", "m", "v"], {}, "normal"),
      node("Relu", ["normal"], {}, "active"),
      node("Add", ["active", "four"]),
    ],
    { ...KERNEL, g: POSITIVE([4], 1), m: drawn([4], 3), v: POSITIVE([4], 4) },
  ),
  "layer normalisation": modelOf([node("LayerNormalization", ["image", "g", "b"], { axis: -1 })], {
    g: POSITIVE([6], 1),
    b: drawn([6], 2),
  }, { opset: 17 }), // biome-ignore format: a table
  "layer normalisation of channels, turned there and back": modelOf(
    [
      node("Transpose", ["image"], { perm: [0, 2, 3, 1] }, "last"),
      node("LayerNormalization", ["last", "g"], { epsilon: { float: 0.001 } }, "normal"),
      node("Transpose", ["normal"], { perm: [0, 3, 1, 2] }),
    ],
    { g: POSITIVE([3], 1) },
    { opset: 17 },
  ),
  "layer normalisation in its parts": modelOf(
    [
      node("ReduceMean", ["image"], { axes: [-1] }, "mean"),
      node("Sub", ["image", "mean"], {}, "centred"),
      node("Pow", ["centred", "two"], {}, "square"),
      node("ReduceMean", ["square"], { axes: [-1] }, "variance"),
      node("Add", ["variance", "small"], {}, "above"),
      node("Sqrt", ["above"], {}, "deviation"),
      node("Div", ["centred", "deviation"], {}, "normal"),
      node("Mul", ["normal", "g"]),
    ],
    { two: number(2), small: number(1e-5), g: drawn([6], 1) },
  ),
  "instance normalisation": modelOf([node("InstanceNormalization", ["image", "g", "b"])], {
    g: POSITIVE([3], 1),
    b: drawn([3], 2),
  }),
  "activations one after the other": modelOf(
    ["Relu", "Sigmoid", "Tanh", "Softplus", "Erf", "Exp", "Neg", "Abs", "Sqrt", "Reciprocal", "Log"].map(
      (operator, index, all) =>
        node(operator, [index === 0 ? "image" : `x${index - 1}`], {}, index === all.length - 1 ? "out" : `x${index}`),
    ),
  ),
  "leaky, parametric, exponential": modelOf(
    [
      node("LeakyRelu", ["image"], { alpha: { float: 0.2 } }, "leaky"),
      node("PRelu", ["leaky", "slopes"], {}, "sloped"),
      node("Elu", ["sloped"], { alpha: { float: 0.7 } }, "elu"),
      node("Selu", ["elu"]),
    ],
    { slopes: drawn([3, 1, 1]) },
  ),
  "hard sigmoid and hard swish": modelOf(
    [node("HardSigmoid", ["image"], { alpha: { float: 1 / 6 } }, "hard"), node("HardSwish", ["hard"])],
    {},
    { opset: 14 },
  ),
  "clipped to six, to more than zero, to a band": modelOf(
    [
      conv(["image", "k", "b"], {}, "four"),
      node("Clip", ["four", "zero", "six"], {}, "six1"),
      node("Clip", ["six1", "zero"], {}, "above"),
      node("Clip", ["above", "low", "high"]),
    ],
    { ...KERNEL, zero: number(0), six: number(6), low: number(0.1), high: number(0.4) },
  ),
  "softmax over channels": modelOf([node("Softmax", ["image"], { axis: 1 })]),
  "softmax over columns": modelOf([node("Softmax", ["image"], { axis: 3 })]),
  "arithmetic with numbers on either side": modelOf(
    [
      node("Mul", ["two", "image"], {}, "a"),
      node("Sub", ["row", "a"], {}, "b"),
      node("Add", ["b", "channel"], {}, "c"),
      node("Div", ["c", "two"], {}, "d"),
      node("Max", ["d", "row"], {}, "e"),
      node("Min", ["e", "two"]),
    ],
    { two: number(2), row: drawn([6], 2), channel: drawn([1, 3, 1, 1], 3) },
  ),
  "several numbers and several features, in any order": modelOf(
    [
      FOUR,
      node("Sum", ["channel", "two", "four", "column", "four"], {}, "sum"),
      node("Max", ["two", "sum", "column"], {}, "most"),
      node("Min", ["column", "channel", "most", "four"], {}, "least"),
      node("Mean", ["channel", "least", "four"], {}, "mean"),
      node("Sum", ["mean"]),
    ],
    { ...KERNEL, two: number(0.2), channel: drawn([1, 4, 1, 1], 2), column: drawn([6], 3) },
  ),
  "the logarithm of a softmax": modelOf([FOUR, node("LogSoftmax", ["four"], { axis: 1 })], KERNEL),
  "a matrix times rows, and times channels": modelOf(
    [
      node("MatMul", ["w", "image"], {}, "rows"),
      node("Reshape", ["rows", "flat"], {}, "places"),
      node("MatMul", ["v", "places"], {}, "mixed"),
      node("MatMul", ["mixed", "one"]),
    ],
    { w: drawn([4, 6], 2), flat: integers(1, 3, -1), v: drawn([1, 5, 3], 3), one: drawn([1, 24, 2], 4) },
  ),
  "channels put in blocks of pixels": modelOf(
    [
      conv(["image", "k8"], { pads: [1, 1, 1, 1] }, "eight"),
      node("DepthToSpace", ["eight"], { blocksize: 2 }, "large"),
      conv(["large", "k2"], {}),
    ],
    { k8: drawn([8, 3, 3, 3], 1), k2: drawn([2, 2, 3, 3], 2) },
  ),
  "channels put in blocks of pixels, each by its own (pixel shuffle)": modelOf(
    [
      conv(["image", "k8"], { pads: [1, 1, 1, 1] }, "eight"),
      node("DepthToSpace", ["eight"], { blocksize: 2, mode: "CRD" }),
    ],
    { k8: drawn([8, 3, 3, 3], 1) },
  ),
  "blocks of pixels put in channels": modelOf(
    [node("SpaceToDepth", ["image"], { blocksize: 2 }, "deep"), conv(["deep", "k"], {})],
    { k: drawn([4, 12, 2, 3], 1) },
    { size: [6, 8] },
  ),
  "channels picked, twice and out of order": modelOf(
    [FOUR, node("Gather", ["four", "order"], { axis: 1 }, "a"), node("Gather", ["a", "columns"], { axis: 3 })],
    { ...KERNEL, order: integers(2, 0, 0, -1, 1), columns: integers(5, 3, 1) },
  ),
  "channels turned round, every second row from below": modelOf(
    [node("Slice", ["image", "from", "to", "axes", "steps"])],
    { from: integers(-1, 4), to: integers(-1000, 0), axes: integers(1, 2), steps: integers(-1, -2) },
  ),
  "a transposed convolution in groups": modelOf(
    [
      FOUR,
      node("ConvTranspose", ["four", "t", "b6"], { group: 2, strides: [2, 3], pads: [1, 0, 2, 1], output_padding: [1, 0] }),
    ],
    { ...KERNEL, t: drawn([4, 3, 3, 2], 4), b6: drawn([6], 6) },
  ), // biome-ignore format: a table
  "a transposed convolution of each channel, normalised": modelOf(
    [
      node("ConvTranspose", ["image", "t"], { group: 3, strides: [2, 2], pads: [1, 1, 1, 1] }, "wide"),
      node("BatchNormalization", ["wide", "g", "m", "m", "g"]),
    ],
    { t: drawn([3, 1, 4, 4], 4), g: POSITIVE([3], 1), m: drawn([3], 2) },
  ),
  "a dilated transposed convolution, cut by more than it reaches": modelOf(
    [node("ConvTranspose", ["image", "t"], { dilations: [2, 1], strides: [1, 2], pads: [3, 3, 1, 2] })],
    { t: drawn([3, 2, 2, 2], 4) },
  ),
  "kernels that are standardised in parts": modelOf(
    [
      node("ReduceMean", ["k"], { axes: [1, 2, 3] }, "mean"),
      node("Sub", ["k", "mean"], {}, "centred"),
      node("Mul", ["centred", "centred"], {}, "square"),
      node("ReduceMean", ["square"], { axes: [-1, -2, -3] }, "variance"),
      node("Add", ["variance", "small"], {}, "above"),
      node("Sqrt", ["above"], {}, "deviation"),
      node("Div", ["centred", "deviation"], {}, "normal"),
      node("Mul", ["normal", "gain"], {}, "kernel"),
      conv(["image", "kernel", "b"], {}),
    ],
    { ...KERNEL, small: number(1e-5), gain: drawn([4, 1, 1, 1], 4) },
  ),
  "kernels that are standardised by normalisation in training": modelOf(
    [
      node("Reshape", ["k", "flat"], {}, "rows"),
      node("BatchNormalization", ["rows", "gain", "zero", "zero", "gain"], { training_mode: 1 }, "normal"),
      node("Shape", ["k"], {}, "shape"),
      node("Reshape", ["normal", "shape"], {}, "kernel"),
      conv(["image", "kernel", "b"], {}),
    ].map((one) => (one.operator === "BatchNormalization" ? { ...one, output: ["normal", "m", "v"] } : one)),
    { ...KERNEL, flat: integers(1, 4, -1), gain: POSITIVE([4], 4), zero: { shape: [4], values: [0, 0, 0, 0] } },
    { opset: 15 },
  ),
  "kernels of a length, and normalised by fixed numbers": modelOf(
    [
      node("ReduceL2", ["k"], { axes: [1, 2, 3] }, "length"),
      node("Div", ["k", "length"], {}, "unit"),
      node("Transpose", ["unit"], { perm: [1, 0, 2, 3] }, "turned"),
      node("BatchNormalization", ["turned", "gain", "b", "b", "gain"], {}, "normal"),
      node("InstanceNormalization", ["normal", "gain", "b"], {}, "instance"),
      node("Transpose", ["instance"], { perm: [1, 0, 2, 3] }, "kernel"),
      node("ReduceSumSquare", ["kernel"], { axes: [1, 2, 3], keepdims: 0 }, "squares"),
      node("ReduceMax", ["squares"], { keepdims: 0 }, "most"),
      node("ReduceMin", ["squares"], {}, "least"),
      node("Sum", ["squares", "most", "least"], {}, "sums"),
      node("Flatten", ["sums"], { axis: 0 }, "row"),
      node("ReduceSum", ["row", "axis"], { keepdims: 0 }, "bias"),
      conv(["image", "kernel", "bias"], {}),
    ],
    { ...KERNEL, gain: POSITIVE([4], 4), axis: integers(0) },
  ),
  "a gate of each channel (squeeze and excite)": modelOf(
    [
      FOUR,
      node("GlobalAveragePool", ["four"], {}, "mean"),
      conv(["mean", "s"], {}, "small"),
      node("Sigmoid", ["small"], {}, "gate"),
      node("Mul", ["four", "gate"]),
    ],
    { ...KERNEL, s: drawn([4, 4, 1, 1], 7) },
  ),
  "max pooling that rounds up": modelOf(
    [node("MaxPool", ["image"], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 })],
    {},
    { size: [6, 7] },
  ),
  "max pooling with padding": modelOf([
    node("MaxPool", ["image"], { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1] }),
  ]),
  "average pooling that counts zeros": modelOf([
    node("AveragePool", ["image"], { kernel_shape: [3, 3], pads: [1, 1, 1, 1], count_include_pad: 1 }),
  ]),
  "average pooling that does not": modelOf([
    node("AveragePool", ["image"], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
  ]),
  "global pooling and a dense layer": modelOf(
    [
      node("GlobalMaxPool", ["image"], {}, "most"),
      node("Flatten", ["most"], {}, "flat"),
      node("Gemm", ["flat", "w", "b5"], { transB: 1, alpha: { float: 0.5 }, beta: { float: 2 } }),
    ],
    { w: drawn([5, 3]), b5: drawn([5], 2) },
  ),
  "reductions that keep and drop axes": modelOf([
    node("ReduceMax", ["image"], { axes: [1], keepdims: 1 }, "most"),
    node("ReduceMin", ["most"], { axes: [-1], keepdims: 0 }, "least"),
    node("ReduceSum", ["least", "axis"], { keepdims: 1 }, "sum"),
    node("ReduceMean", ["sum"], { axes: [1], keepdims: 0 }),
  ], { axis: integers(2) }), // biome-ignore format: a table
  "all places in one row, in the order of ONNX": modelOf(
    [node("Flatten", ["image"], {}, "flat"), node("Gemm", ["flat", "w"], {})],
    { w: drawn([108, 2]) },
  ),
  "a matrix on the last axis": modelOf(
    [
      node("Transpose", ["image"], { perm: [0, 2, 3, 1] }, "last"),
      node("MatMul", ["last", "w"], {}, "wide"),
      node("Add", ["wide", "b5"], {}, "sum"),
      node("Transpose", ["sum"], { perm: [0, 3, 1, 2] }),
    ],
    { w: drawn([3, 5]), b5: drawn([5], 2) },
  ),
  "a matrix on columns": modelOf([node("MatMul", ["image", "w"])], { w: drawn([6, 2]) }),
  "channels shuffled (ShuffleNet)": modelOf(
    [
      FOUR,
      node("Reshape", ["four", "apart"], {}, "groups"),
      node("Transpose", ["groups"], { perm: [0, 2, 1, 3, 4] }, "swapped"),
      node("Reshape", ["swapped", "together"]),
    ],
    { ...KERNEL, apart: integers(1, 2, 2, 6, 6), together: integers(1, -1, 6, 6) },
  ),
  "a shape that is computed from the image's": modelOf(
    [
      node("Shape", ["image"], {}, "shape"),
      node("Gather", ["shape", "zero"], { axis: 0 }, "batch"),
      node("Unsqueeze", ["batch", "axis"], {}, "first"),
      node("Concat", ["first", "rest"], { axis: 0 }, "wanted"),
      node("Reshape", ["image", "wanted"]),
    ],
    { zero: { shape: [], values: [0], form: "int64" }, axis: integers(0), rest: integers(-1) },
  ),
  "unsqueezed and squeezed": modelOf(
    [
      node("ReduceMean", ["image"], { axes: [2], keepdims: 0 }, "mean"),
      node("Unsqueeze", ["mean", "axis"], {}, "wide"),
      node("Squeeze", ["wide", "axis"]),
    ],
    { axis: integers(2) },
  ),
  "split, cut and put together": modelOf(
    [
      FOUR,
      { operator: "Split", inputs: ["four", "sizes"], output: ["one", "three"], attributes: { axis: 1 } },
      node("Slice", ["three", "from", "to", "axes", "steps"], {}, "cut"),
      node("Slice", ["one", "from", "to", "axes", "steps"], {}, "cut1"),
      node("Concat", ["cut", "cut1", "cut"], { axis: 1 }),
    ],
    {
      ...{ ...KERNEL, sizes: integers(1, 3), from: integers(1, -5) },
      ...{ to: integers(1000, 6), axes: integers(2, -1), steps: integers(2, 1) },
    },
  ),
  "one channel picked, and put last": modelOf(
    [
      node("Gather", ["image", "second"], { axis: 1 }, "one"),
      node("Unsqueeze", ["one", "axis"], {}, "wide"),
      node("Concat", ["image", "wide"], { axis: 1 }),
    ],
    { second: { shape: [], values: [1], form: "int64" }, axis: integers(1) },
  ),
  "padded by a number, by reflection, by edges": modelOf(
    [
      node("Pad", ["image", "pads", "value"], {}, "a"),
      node("Pad", ["a", "pads"], { mode: "reflect" }, "b"),
      node("Pad", ["b", "pads"], { mode: "edge" }),
    ],
    { pads: integers(0, 0, 1, 2, 0, 0, 2, 0), value: number(0.5) },
  ),
  "doubled by the nearest": modelOf(
    [node("Resize", ["image", "", "scales"], { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" })],
    { scales: { shape: [4], values: [1, 1, 2, 2] } },
  ), // biome-ignore format: a table
  "resized bilinearly": modelOf(
    [node("Resize", ["image", "", "", "sizes"], { mode: "linear", coordinate_transformation_mode: "pytorch_half_pixel" })],
    { sizes: integers(1, 3, 9, 4) },
  ), // biome-ignore format: a table
  "resized bilinearly, corners on corners": modelOf(
    [node("Resize", ["image", "", "", "sizes"], { mode: "linear", coordinate_transformation_mode: "align_corners" })],
    { sizes: integers(1, 3, 11, 9) },
  ), // biome-ignore format: a table
  ...Object.fromEntries(
    (
      [
        ["by a factor that leaves a rest", "linear", "half_pixel", [1.5, 1.3]],
        ["to fewer pixels, of a factor that leaves a rest", "linear", "pytorch_half_pixel", [0.6, 1]],
        ["by a factor that leaves a rest, from the first pixel on", "linear", "asymmetric", [1.7, 0.7]],
        ["by a factor that leaves a rest, corners on corners", "linear", "align_corners", [1.5, 1.5]],
        ["by the nearest of halves", "nearest", "half_pixel", [1.5, 2.3], "round_prefer_floor"],
        ["by the nearest of halves, the later one", "nearest", "half_pixel", [1.5, 2.5], "round_prefer_ceil"],
        ["by the next below", "nearest", "asymmetric", [1.5, 0.7], "floor"],
        ["by the next above", "nearest", "half_pixel", [0.6, 1.4], "ceil"],
        ["by the nearest, corners on corners", "nearest", "align_corners", [1.6, 0.5], "round_prefer_floor"],
      ] as const
    ).map(([what, mode, places, [rows, columns], rounding]) => [
      `resized ${what}`,
      modelOf(
        [
          node("Resize", ["image", "", "scales"], {
            ...{ mode, coordinate_transformation_mode: places },
            ...(rounding && { nearest_mode: rounding }),
          }),
        ],
        { scales: { shape: [4], values: [1, 1, rows, columns] } },
        { size: [7, 7] },
      ),
    ]),
  ),
  "resized along axes that are named": modelOf(
    [node("Resize", ["image", "", "", "sizes"], { mode: "nearest", axes: [3, 2] })],
    { sizes: integers(10, 4) },
    { size: [7, 6], opset: 18 },
  ),
  "resized as the first versions do, larger and then smaller": modelOf(
    [node("Resize", ["image", "large"], {}, "wide"), node("Resize", ["wide", "small"], { mode: "nearest" })],
    { large: { shape: [4], values: [1, 1, 1.5, 2] }, small: { shape: [4], values: [1, 1, 0.3, 0.7] } },
    { size: [7, 6], opset: 10 },
  ),
  "a layer that others read under another name": modelOf(
    [
      { ...FOUR, output: "c" },
      node("Identity", ["c"], {}, "same"),
      node("Transpose", ["same"], { perm: [0, 2, 3, 1] }, "last"),
      node("Transpose", ["last"], { perm: [0, 3, 1, 2] }, "first"),
      node("Relu", ["first"], {}, "r"),
      node("BatchNormalization", ["same", "g", "m", "m", "g"], {}, "n"),
      node("Add", ["r", "c"], {}, "sum"),
      node("Add", ["sum", "n"]),
    ],
    { ...KERNEL, g: POSITIVE([4], 1), m: drawn([4], 2) },
  ),
  "normalisation of an axis that does not lie last": modelOf(
    [
      conv(["image", "six"], { pads: [1, 1, 1, 1] }, "c"),
      node("Transpose", ["c"], { perm: [0, 2, 3, 1] }, "last"),
      node("BatchNormalization", ["last", "g", "m", "m", "g"]),
    ],
    { six: drawn([6, 3, 3, 3]), g: POSITIVE([6], 1), m: drawn([6], 2) },
  ),
  "a transposed convolution that is wider than its pixels reach": modelOf(
    [node("ConvTranspose", ["image", "t", "b2"], { strides: [3, 2], output_padding: [2, 1] })],
    { t: drawn([3, 2, 2, 2]), b2: drawn([2], 6) },
  ),
  "parts of a shape, quotients of floats, a list that is turned round": modelOf(
    [
      node("Shape", ["image"], { start: 2, end: 3 }, "height"),
      node("Cast", ["height"], { to: 1 }, "float"),
      node("Div", ["float", "four"], {}, "quotient"),
      node("Mul", ["image", "quotient"], {}, "scaled"),
      node("Slice", ["pads", "last", "before", "zero", "back"], {}, "turned"),
      node("Pad", ["scaled", "turned"]),
    ],
    {
      four: { shape: [1], values: [4] },
      ...{ pads: integers(0, 2, 0, 0, 1, 0, 0, 0), last: integers(-1), before: integers(-1000) },
      ...{ zero: integers(0), back: integers(-1) },
    },
    { opset: 15 },
  ),
  "bounds that are none": modelOf(
    [node("Clip", ["image", "low", "none"], {}, "above"), node("Min", ["above", "none"])],
    { low: number(-0.3), none: number(Number.POSITIVE_INFINITY) },
  ),
  "what changes nothing": modelOf(
    [node("Identity", ["image"], {}, "same"), node("Cast", ["same"], { to: 1 }, "float"), node("Relu", ["float"])],
    {},
  ),
};

/** Of a few products in float32, relative to the largest number. */
const CLOSE = 2e-6;

function worst(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  const most = Math.max(1e-3, ...Array.from(b, Math.abs));
  return Math.max(...Array.from(a, (value, index) => Math.abs(value - b[index]))) / most;
}

describe("a node computes what it computes in ONNX Runtime", () => {
  test.each(Object.entries(CASES))("%s", async (_, model) => {
    const [, , height, width] = model.input.shape.map(Number);
    const image = drawn([1, 3, height, width], 11);
    const wanted = await byRuntime(model, image);
    const network = await readModel(model);
    const fn = networkFunction(network);
    const { shape, values } = turned(image);
    const given = { shapes: { image: shape }, data: { image: Float32Array.from(values) } };
    const both = [
      await runTraced(({ image }) => ({ out: fn(image) }), given),
      runEager(({ image }) => ({ out: fn(image) }), given),
    ];
    for (const { out } of both) {
      expect(out.shape).toEqual(wanted.shape);
      expect(worst(out.data, wanted.values)).toBeLessThan(CLOSE);
    }
  });
});

describe("a gradient is that of finite differences", () => {
  const names = Object.keys(CASES).filter((name) => !/Log|clipped|leaky/.test(name));
  test.each(names)("%s", async (name) => {
    const model = CASES[name];
    const [, , height, width] = model.input.shape.map(Number);
    const { shape, values } = turned(drawn([1, 3, height, width], 15));
    const fn = networkFunction(await readModel(model));
    const weights = drawn([4000], 13).values;
    const weighed = (image: tf.Tensor) => {
      const out = fn(image);
      const own = tf.tensor(Float32Array.from(weights).slice(0, out.size), out.shape);
      return tf.sum(tf.mul(out, own)).asScalar();
    };
    const gradient = ({ image }: Record<string, tf.Tensor>) => ({ slope: tf.grad(weighed)(image) });
    const given = { shapes: { image: shape }, data: { image: Float32Array.from(values) } };
    const { slope } = await runTraced(gradient, given);
    expect(worst(runEager(gradient, given).slope.data, slope.data)).toBeLessThan(2e-5);
    // Along a few directions, by values of the traced graph itself.
    for (let seed = 20; seed < 23; seed++) {
      const direction = drawn(shape, seed).values;
      const step = 2e-3;
      const at = async (sign: number) => {
        const moved = Float32Array.from(values, (value, i) => value + sign * step * direction[i]);
        const { out } = await runTraced(({ image }) => ({ out: fn(image) }), { ...given, data: { image: moved } });
        return out.data.reduce((sum, value, i) => sum + value * weights[i], 0);
      };
      const wanted = ((await at(1)) - (await at(-1))) / (2 * step);
      const found = slope.data.reduce((sum, value, i) => sum + value * direction[i], 0);
      const scale = Math.sqrt(slope.data.reduce((sum, value) => sum + value * value, 0));
      expect(Math.abs(found - wanted)).toBeLessThan(0.02 * Math.max(0.05, scale));
    }
  });
});
