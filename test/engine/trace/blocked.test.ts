import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { type Random, random } from "../../../src/core/random.js";
import type { Tensors } from "../../../src/engine/engine.js";
import { trace } from "../../../src/engine/trace/trace.js";
import {
  type Block,
  convolution,
  convolutionGradients,
  depthwise,
  depthwiseGradients,
  pooling,
  type WindowOptions,
} from "../../reference/windows.js";
import { drawnCase, expectEqual, weightAt, withGradients } from "./compare.js";
import { block, type Case, runTraced } from "./run-traced.js";

beforeAll(() => tf.setBackend("cpu"));

interface Loops {
  readonly forward: (x: Block, w: Block, options: WindowOptions) => number[];
  readonly gradients: (
    x: Block,
    w: Block,
    dy: ArrayLike<number>,
    options: WindowOptions,
  ) => { image: Float64Array; filter: Float64Array };
}

async function expectAsLoops(
  fn: (inputs: Tensors) => tf.Tensor,
  given: Case,
  { forward, gradients, options }: Loops & { options: WindowOptions },
): Promise<void> {
  const actual = await runTraced(withGradients(fn), given, { block });
  const [x, w] = ["x", "w"].map((name) => ({ shape: given.shapes[name], data: given.data[name] }));
  expectEqual(actual.y, { shape: actual.y.shape, data: Float64Array.from(forward(x, w, options)) }, "y");
  const dy = Float64Array.from(actual.y.data, (_, index) => weightAt(index));
  const { image, filter } = gradients(x, w, dy, options);
  expectEqual(actual.dx, { shape: x.shape, data: image }, "dx");
  expectEqual(actual.dw, { shape: w.shape, data: filter }, "dw");
}

function choose<T>(source: Random, values: readonly T[]): T {
  return values[source.integer(values.length)];
}

function drawWindows(count: number, seed: number) {
  const source = random(seed, "blocked windows");
  return Array.from({ length: count }, () => ({
    size: choose(source, [4, 5, 8, 9]),
    batch: choose(source, [1, 2, 4]),
    kernel: choose(source, [1, 1, 2, 3, 5]),
    inputs: choose(source, [3, block / 2, block - 1, block, 2 * block, block + 3, block + 4]),
    outputs: choose(source, [block, 2 * block, 3 * block, 5, block / 2, block + 8]),
    options: { stride: choose(source, [1, 1, 2, 3]), padding: choose(source, ["same", "valid"] as const) },
  })).filter(({ kernel, size }) => kernel <= size);
}

describe.skipIf(block === 0)("in ONNX Runtime's blocks", () => {
  test.each(drawWindows(60, 21))("convolutions and their gradients equal loops: %j", async (drawn) => {
    const { size, batch, kernel, inputs, outputs, options } = drawn;
    const given = drawnCase({ x: [batch, size, size + 1, inputs], w: [kernel, kernel, inputs, outputs] }, size);
    const fn = ({ x, w }: Tensors) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, options.stride, options.padding);
    await expectAsLoops(fn, given, { forward: convolution, gradients: convolutionGradients, options });
  });

  test.each(drawWindows(30, 22))("depthwise convolutions and their gradients equal loops: %j", async (drawn) => {
    const { size, batch, kernel, inputs, options } = drawn;
    const given = drawnCase({ x: [batch, size, size + 1, inputs], w: [kernel, kernel, inputs, 1] }, size);
    const fn = ({ x, w }: Tensors) =>
      tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, options.stride, options.padding);
    await expectAsLoops(fn, given, { forward: depthwise, gradients: depthwiseGradients, options });
  });

  test.each(drawWindows(20, 23))("filters that are constants give what they give as inputs: %j", async (drawn) => {
    const { size, batch, kernel, inputs, outputs, options } = drawn;
    const { shapes, data } = drawnCase(
      { x: [batch, size, size + 1, inputs], w: [kernel, kernel, inputs, outputs], d: [kernel, kernel, inputs, 1] },
      size,
    );
    const both = ({ x, w, d }: Tensors) => {
      const plain = (x: tf.Tensor) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, options.stride, options.padding);
      const deep = (x: tf.Tensor) =>
        tf.depthwiseConv2d(x as tf.Tensor4D, d as tf.Tensor4D, options.stride, options.padding);
      const slope = (fn: (x: tf.Tensor) => tf.Tensor) => tf.grad((x: tf.Tensor) => tf.sum(tf.square(fn(x))))(x);
      return { plain: plain(x), deep: deep(x), dPlain: slope(plain), dDeep: slope(deep) };
    };
    const asInputs = await runTraced(both, { shapes, data }, { block });
    const asConstants = await runTraced(
      ({ x }) => both({ x, w: tf.tensor(data.w, [...shapes.w]), d: tf.tensor(data.d, [...shapes.d]) }),
      { shapes: { x: shapes.x }, data: { x: data.x } },
      { block },
    );
    for (const [name, wanted] of Object.entries(asInputs)) expectEqual(asConstants[name], wanted, name);
  });

  test("of a constant filter nothing is left to move when the graph runs", () => {
    const [features, filter] = [
      [1, 8, 8, block],
      [3, 3, block, block],
    ];
    const conv = ({ x, w }: Tensors) => ({ y: tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, "same") });
    // The text of a node holds its operator.
    const moved = ({ model }: { model: Uint8Array }) =>
      Buffer.from(model).toString("latin1").split("ReorderInput").length - 1;
    expect(moved(trace(conv, { inputs: { x: features, w: filter }, block }))).toBe(1);
    const { data } = drawnCase({ w: filter }, 1);
    const withConstant = ({ x }: Tensors) => conv({ x, w: tf.tensor(data.w, filter) });
    expect(moved(trace(withConstant, { inputs: { x: features }, block }))).toBe(0);
  });

  test("dilated convolutions equal loops", async () => {
    const options: WindowOptions = { stride: 1, padding: "same", dilation: 2 };
    const given = drawnCase({ x: [1, 9, 8, block], w: [3, 3, block, block + 8], d: [3, 3, block, 1] }, 1);
    const fn = ({ x, w, d }: Tensors) => ({
      conv: tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, "same", "NHWC", 2),
      deep: tf.depthwiseConv2d(x as tf.Tensor4D, d as tf.Tensor4D, 1, "same", "NHWC", 2),
    });
    const actual = await runTraced(fn, given, { block });
    const [x, w, d] = ["x", "w", "d"].map((name) => ({ shape: given.shapes[name], data: given.data[name] }));
    const { conv, deep } = actual;
    expectEqual(conv, { shape: conv.shape, data: Float64Array.from(convolution(x, w, options)) }, "conv");
    expectEqual(deep, { shape: deep.shape, data: Float64Array.from(depthwise(x, d, options)) }, "deep");
  });

  test.each([
    { size: 2, stride: 2, padding: "valid" },
    { size: 3, stride: 2, padding: "same" },
    { size: 7, stride: 1, padding: "valid" },
  ] as const)("pooling equals loops: %j", async ({ size, ...options }) => {
    const given = drawnCase({ x: [2, 7, 7, block], w: [1, 1, block, block] }, 4);
    const fn = ({ x, w }: Tensors) => {
      const made = tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, "same");
      return {
        made,
        max: tf.maxPool(made, size, options.stride, options.padding),
        average: tf.avgPool(made, size, options.stride, options.padding),
      };
    };
    const { made, max, average } = await runTraced(fn, given, { block });
    const from = (kind: "max" | "average") => Float64Array.from(pooling(made, size, { ...options, kind }));
    expectEqual(max, { shape: max.shape, data: from("max") }, "max");
    expectEqual(average, { shape: average.shape, data: from("average") }, "average");
  });

  test("what follows a convolution goes into it: a bias or scale, another sum, an activation", async () => {
    const conv = ({ x, w }: Tensors) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, "same");
    const fn = (inputs: Tensors) => {
      const first = tf.relu6(tf.add(conv(inputs), inputs.b));
      return { y: tf.relu(tf.add(first, tf.add(conv({ ...inputs, x: first }), inputs.b))) };
    };
    const shapes = { x: [1, 4, 4, 2 * block], w: [3, 3, 2 * block, 2 * block], b: [2 * block] };
    const { operators } = trace(fn, { inputs: shapes, block });
    expect(operators).toMatchObject({ "nchwc.Conv": 2, "nchwc.ReorderOutput": 1 });
    for (const operator of ["Add", "Clip", "Relu", "nchwc.ShiftChannels"]) expect(operators[operator]).toBeUndefined();
    const given = drawnCase(shapes, 6);
    const wanted = await runTraced(fn, given);
    expectEqual((await runTraced(fn, given, { block })).y, wanted.y, "y");
  });

  test("sums of products over positions need no product", async () => {
    const fn = ({ x, w }: Tensors) => {
      const made = tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, "same");
      return { y: tf.sum(tf.mul(made, tf.relu(made)), [0, 1, 2]), z: tf.mean(tf.square(made), [1, 2]) };
    };
    const given = drawnCase({ x: [2, 5, 6, block], w: [1, 1, block, 2 * block] }, 7);
    expect(trace(fn, { inputs: given.shapes, block }).operators.Mul).toBe(1); // mean: divided by the positions
    const wanted = await runTraced(fn, given);
    const actual = await runTraced(fn, given, { block });
    for (const name of ["y", "z"]) expectEqual(actual[name], wanted[name], name);
  });

  test("rectifier gradients are zero at the bounds and outside", async () => {
    const values = [-1, 0, 1e-6, 3, 6, 7];
    const filter = Float32Array.from({ length: block * block }, (_, i) => Number(i % (block + 1) === 0));
    const x = Float32Array.from({ length: 6 * block }, (_, index) => values[Math.floor(index / block)]);
    const given = { shapes: { x: [1, 1, 6, block], w: [1, 1, block, block] }, data: { x, w: filter } };
    const slope = (fn: (x: tf.Tensor) => tf.Tensor, { x, w }: Tensors) =>
      tf.grad((x: tf.Tensor) => tf.sum(fn(tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, "same"))))(x);
    const fn = (inputs: Tensors) => ({ relu: slope(tf.relu, inputs), relu6: slope(tf.relu6, inputs) });
    const { relu, relu6 } = await runTraced(fn, given, { block });
    const firstOfEach = (data: Float64Array) => values.map((_, index) => data[index * block]);
    expect(firstOfEach(relu.data)).toEqual([0, 0, 1, 1, 1, 1]);
    expect(firstOfEach(relu6.data)).toEqual([0, 0, 1, 1, 0, 0]);
  });

  test("a graph for a file has standard operators only", () => {
    const fn = ({ x, w }: Tensors) => ({ y: tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, "same") });
    const { operators } = trace(fn, { inputs: { x: [1, 4, 4, block], w: [1, 1, block, block] } });
    expect(Object.keys(operators).some((name) => name.startsWith("nchwc."))).toBe(false);
  });
});
