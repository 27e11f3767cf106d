import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import { type Random, random } from "../../../src/core/random.js";
import type { Tensors } from "../../../src/engine/engine.js";
import { trace } from "../../../src/engine/trace/trace.js";
import { finiteDifferences } from "../../reference/finite-differences.js";
import { resized } from "../../reference/resizing.js";
import { type Block, convolution, depthwise, pooling, type WindowOptions } from "../../reference/windows.js";
import { drawnCase, expectEqual, weightAt, withGradients } from "./compare.js";
import { type Case, runTraced } from "./run-traced.js";

beforeAll(() => tf.setBackend("cpu"));

function choose<T>(source: Random, values: readonly T[]): T {
  return values[source.integer(values.length)];
}

/** Compares values with plain loops, and gradients of the weighted sum with central differences of those loops. */
async function expectAsLoops(
  fn: (inputs: Tensors) => tf.Tensor,
  given: Case,
  loops: (blocks: Readonly<Record<string, Block>>) => number[],
  hasGradient = true,
): Promise<void> {
  const actual = await runTraced(hasGradient ? withGradients(fn) : (inputs) => ({ y: fn(inputs) }), given);
  const blocks = (changed: Readonly<Record<string, ArrayLike<number>>> = {}) =>
    Object.fromEntries(
      Object.entries(given.shapes).map(([name, shape]) => [name, { shape, data: changed[name] ?? given.data[name] }]),
    );
  expectEqual(actual.y, { shape: actual.y.shape, data: Float64Array.from(loops(blocks())) }, "y");
  expect(actual.y.data.length).toBe(loops(blocks()).length);
  if (!hasGradient) return;
  const scalar = (changed: Readonly<Record<string, ArrayLike<number>>>) =>
    loops(blocks(changed)).reduce((sum, value, index) => sum + value * weightAt(index), 0);
  for (const [name, data] of Object.entries(given.data)) {
    const slopes = finiteDifferences((at) => scalar({ [name]: at }), data);
    expectEqual(actual[`d${name}`], { shape: given.shapes[name], data: Float64Array.from(slopes) }, `d${name}`);
  }
}

interface Drawn {
  readonly size: number;
  readonly batch: number;
  readonly kernel: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly options: WindowOptions;
}

function drawWindows(count: number, seed: number, kernels: readonly number[]): Drawn[] {
  const source = random(seed, "windows");
  return Array.from({ length: count }, () => ({
    size: choose(source, [5, 6, 7]),
    batch: choose(source, [1, 2]),
    kernel: choose(source, kernels),
    inputs: choose(source, [1, 3, 9]),
    outputs: choose(source, [2, 5]),
    options: { stride: choose(source, [1, 2, 3]), padding: choose(source, ["same", "valid"]) },
  }));
}

test.each(drawWindows(24, 11, [1, 2, 3, 5]))("convolution and its gradients equal loops: %j", async (drawn) => {
  const { size, batch, kernel, inputs, outputs, options } = drawn;
  const given = drawnCase({ x: [batch, size, size + 1, inputs], w: [kernel, kernel, inputs, outputs] }, size);
  const fn = ({ x, w }: Tensors) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, options.stride, options.padding);
  await expectAsLoops(fn, given, ({ x, w }) => convolution(x, w, options));
});

test.each(drawWindows(16, 12, [2, 3, 5]))("depthwise convolution and its gradients equal loops: %j", async (drawn) => {
  const { size, batch, kernel, inputs, outputs, options } = drawn;
  const multiplier = outputs > 2 ? 1 : 2;
  const given = drawnCase({ x: [batch, size, size + 1, inputs], w: [kernel, kernel, inputs, multiplier] }, size);
  const fn = ({ x, w }: Tensors) =>
    tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, options.stride, options.padding);
  await expectAsLoops(fn, given, ({ x, w }) => depthwise(x, w, options));
});

test.each([
  { height: 36, width: 5, stride: 1, form: "blocks of rows, whose edges meet" },
  { height: 14, width: 34, stride: 1, form: "a single block" },
  { height: 5, width: 37, stride: 1, form: "a convolution, since five rows make no block" },
  { height: 34, width: 7, stride: 2, form: "a convolution, with a stride" },
  { height: 12, width: 13, stride: 2, form: "all rows, with a stride" },
] as const)("a depthwise filter gradient equals loops as $form", async ({ height, width, stride }) => {
  const given = drawnCase({ x: [2, height, width, 2], w: [3, 3, 2, 1] }, 4);
  const fn = ({ x, w }: Tensors) => tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, "same");
  const actual = await runTraced(withGradients(fn), given);
  const x = { shape: given.shapes.x, data: given.data.x };
  const scalar = (data: ArrayLike<number>) =>
    depthwise(x, { shape: given.shapes.w, data }, { stride, padding: "same" }).reduce(
      (sum, value, index) => sum + value * weightAt(index),
      0,
    );
  const slopes = Float64Array.from(finiteDifferences(scalar, given.data.w));
  expectEqual(actual.dw, { shape: given.shapes.w, data: slopes }, "dw");
});

test("dilated convolutions equal loops", async () => {
  const options: WindowOptions = { stride: 1, padding: "same", dilation: 2 };
  const given = drawnCase({ x: [2, 9, 8, 3], w: [3, 3, 3, 2] }, 1);
  const conv = ({ x, w }: Tensors) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, "same", "NHWC", 2);
  const deep = ({ x, w }: Tensors) => tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, "same", "NHWC", 2);
  await expectAsLoops(conv, given, ({ x, w }) => convolution(x, w, options), false);
  await expectAsLoops(deep, given, ({ x, w }) => depthwise(x, w, options), false);
});

test("filter gradients equal loops where an image has more than 512 positions", async () => {
  const given = drawnCase({ x: [2, 24, 23, 2], w: [1, 1, 2, 3] }, 2);
  const options: WindowOptions = { stride: 1, padding: "same" };
  const fn = ({ x, w }: Tensors) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, "same");
  const actual = await runTraced(withGradients(fn), given);
  const scalar = (at: ArrayLike<number>) =>
    convolution({ shape: given.shapes.x, data: given.data.x }, { shape: given.shapes.w, data: at }, options).reduce(
      (sum, value, index) => sum + value * weightAt(index),
      0,
    );
  const slopes = finiteDifferences(scalar, given.data.w);
  expectEqual(actual.dw, { shape: given.shapes.w, data: Float64Array.from(slopes) }, "dw");
});

test("a transposed convolution equals the gradient of the convolution that it reverses", async () => {
  const given = drawnCase({ y: [2, 3, 4, 2], w: [3, 3, 5, 2] }, 3);
  const fn = ({ y, w }: Tensors) => tf.conv2dTranspose(y as tf.Tensor4D, w as tf.Tensor4D, [2, 6, 7, 5], 2, "same");
  const options: WindowOptions = { stride: 2, padding: "same" };
  const actual = await runTraced((inputs) => ({ x: fn(inputs) }), given);
  const scalar = (at: ArrayLike<number>) =>
    convolution({ shape: [2, 6, 7, 5], data: at }, { shape: given.shapes.w, data: given.data.w }, options).reduce(
      (sum, value, index) => sum + value * given.data.y[index],
      0,
    );
  const slopes = finiteDifferences(scalar, new Float64Array(2 * 6 * 7 * 5));
  expectEqual(actual.x, { shape: [2, 6, 7, 5], data: Float64Array.from(slopes) }, "x");
});

test.each([
  { size: 2, stride: 2, padding: "valid" },
  { size: 2, stride: 2, padding: "same" },
  { size: 3, stride: 2, padding: "same" },
  { size: 3, stride: 1, padding: "valid" },
  { size: 2, stride: 3, padding: "valid" },
  { size: 7, stride: 1, padding: "valid" },
] as const)("pooling and its gradients equal loops: %j", async ({ size, ...options }) => {
  const given = drawnCase({ x: [2, 7, 7, 3] }, 4);
  const max = ({ x }: Tensors) => tf.maxPool(x as tf.Tensor4D, size, options.stride, options.padding);
  const average = ({ x }: Tensors) => tf.avgPool(x as tf.Tensor4D, size, options.stride, options.padding);
  await expectAsLoops(max, given, ({ x }) => pooling(x, size, { ...options, kind: "max" }));
  await expectAsLoops(average, given, ({ x }) => pooling(x, size, { ...options, kind: "average" }));
});

const samplings = (["bilinear", "nearest"] as const).flatMap((method) =>
  [
    [false, false],
    [true, false],
    [false, true],
  ].flatMap(([alignCorners, halfPixelCenters]) =>
    (
      [
        [12, 13],
        [3, 4],
        [11, 5],
        [1, 6],
      ] as const
    ).map((to) => ({ method, alignCorners, halfPixelCenters, to })),
  ),
);

test.each(samplings)("resizing and its gradient equal loops: %j", async ({ to, ...sampling }) => {
  const given = drawnCase({ x: [2, 5, 6, 2] }, 5);
  const resize = sampling.method === "bilinear" ? tf.image.resizeBilinear : tf.image.resizeNearestNeighbor;
  const fn = ({ x }: Tensors) =>
    resize(x as tf.Tensor4D, [to[0], to[1]], sampling.alignCorners, sampling.halfPixelCenters);
  await expectAsLoops(fn, given, ({ x }) => resized(x, [to[0], to[1]], sampling));
});

test("a convolution takes three nodes at most beside its own: image and filter in order, and back", () => {
  const fn = ({ x, w }: Tensors) => ({ y: tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, "same") });
  const { operators } = trace(fn, { inputs: { x: [1, 4, 4, 2], w: [3, 3, 2, 3] } });
  expect(operators.Transpose).toBe(3);
  expect(operators.Conv).toBe(1);
});
