/** What every engine promises, run for each of them; expected numbers come from plain loops or by hand, not from another engine. */

import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EngineError, ShapeError } from "../../src/core/errors.js";
import { type NdArray, type NdArrays, ndArray, sizeOf } from "../../src/core/nd-array.js";
import { random } from "../../src/core/random.js";
import type { Engine, TensorFunction, Tensors } from "../../src/engine/engine.js";
import * as loops from "../reference/layers.js";

type Image = tf.Tensor4D;

const numbers = (...values: number[]) => ndArray([values.length], Float32Array.from(values));

/** Standard normal numbers that are the same on every run. */
export function normal<Shape extends readonly number[]>(shape: Shape, seed: string) {
  const stream = random(1, seed);
  return { shape, data: Float32Array.from({ length: sizeOf(shape) }, () => stream.normal()) };
}

/** Both engines agree within `1e-4 * max(1, max|x|)`. */
export function expectClose(got: NdArray, wanted: { shape: readonly number[]; data: ArrayLike<number> }): void {
  expect(got.shape).toEqual([...wanted.shape]);
  const largest = Array.from(wanted.data).reduce((top, value) => Math.max(top, Math.abs(value)), 1);
  const worst = Array.from(wanted.data).reduce((top, value, i) => Math.max(top, Math.abs(value - got.data[i])), 0);
  expect(worst).toBeLessThanOrEqual(1e-4 * largest);
}

/** Gradients of a scalar function of named tensors, and its value. */
export function gradients(
  loss: (given: Tensors) => tf.Scalar,
  given: Tensors,
): { loss: tf.Scalar; gradients: Tensors } {
  const names = Object.keys(given);
  const { value, grads } = tf.valueAndGrads((...tensors: tf.Tensor[]) =>
    loss(Object.fromEntries(names.map((name, i) => [name, tensors[i]]))),
  )(names.map((name) => given[name]));
  return { loss: value as tf.Scalar, gradients: Object.fromEntries(names.map((name, i) => [name, grads[i]])) };
}

export function engineContract(create: () => Promise<Engine>): void {
  let engine: Engine;
  beforeAll(async () => {
    engine = await create();
  });
  afterAll(() => engine.dispose());

  /** Compiles, runs once, disposes. */
  const once = async (fn: TensorFunction, inputs: NdArrays, constants?: NdArrays) => {
    const shapes = Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, shape]));
    const compiled = await engine.compile(fn, { inputs: shapes, constants, name: "once" });
    const outputs = await compiled.run(inputs);
    await compiled.dispose();
    return outputs;
  };

  describe("numbers", () => {
    test("computes a dense layer", async () => {
      const x = ndArray([1, 2], Float32Array.of(1, 2));
      const w = ndArray([2, 2], Float32Array.of(1, 2, 3, 4));
      const dense: TensorFunction = ({ inputs, constants }) => ({
        outputs: { y: tf.matMul(inputs.x as tf.Tensor2D, constants.w as tf.Tensor2D).add(constants.b) },
      });
      // [1*1 + 2*3 + 10, 1*2 + 2*4 + 20]
      expect(await once(dense, { x }, { w, b: numbers(10, 20) })).toEqual({
        y: ndArray([1, 2], Float32Array.of(17, 30)),
      });
    });

    test.for([1, 2])("convolves with stride %d as plain loops do", async (stride) => {
      const x = normal([2, 7, 6, 3] as const, "x");
      const kernel = normal([3, 3, 3, 4] as const, "kernel");
      const depthwise = normal([3, 3, 4, 1] as const, "depthwise");
      const { y } = await once(
        ({ inputs, constants }) => {
          const first = tf.relu6(tf.conv2d(inputs.x as Image, constants.kernel as Image, stride, "same"));
          return { outputs: { y: tf.depthwiseConv2d(first, constants.depthwise as Image, stride, "same") } };
        },
        { x },
        { kernel, depthwise },
      );
      const first = loops.map(loops.conv(x, kernel, stride), (value) => Math.min(Math.max(value, 0), 6));
      expectClose(y, loops.depthwiseConv(first, depthwise, stride));
    });

    test("normalises with given statistics, and with those of the batch, which it returns", async () => {
      const x = loops.map(normal([3, 4, 4, 2] as const, "x"), (value, channel) => 3 * value + channel);
      const [given, epsilon] = [{ mean: [0.5, -1], variance: [2, 0.25] }, 1e-3];
      const outputs = await once(
        ({ inputs, constants }) => {
          const scaled = (mean: tf.Tensor, variance: tf.Tensor) =>
            inputs.x
              .sub(mean)
              .mul(tf.rsqrt(variance.add(epsilon)))
              .mul(constants.gamma)
              .add(constants.beta);
          const { mean, variance } = tf.moments(inputs.x, [0, 1, 2]);
          const moving = scaled(constants.mean, constants.variance);
          return { outputs: { moving, batch: scaled(mean, variance), mean, variance } };
        },
        { x: { shape: x.shape, data: Float32Array.from(x.data) } },
        {
          gamma: numbers(2, 3),
          beta: numbers(1, -1),
          mean: numbers(...given.mean),
          variance: numbers(...given.variance),
        },
      );
      const normalised = ({ mean, variance }: typeof given) =>
        loops.map(x, (value, c) => ((value - mean[c]) / Math.sqrt(variance[c] + epsilon)) * [2, 3][c] + [1, -1][c]);
      const own = loops.channelMoments(x);
      expectClose(outputs.moving, normalised(given));
      expectClose(outputs.batch, normalised(own));
      expectClose(outputs.mean, { shape: [2], data: own.mean });
      expectClose(outputs.variance, { shape: [2], data: own.variance });
    });

    test("pools by maximum and by mean, over windows and over the whole image", async () => {
      const x = normal([2, 4, 6, 3] as const, "x");
      const outputs = await once(
        ({ inputs }) => ({
          outputs: {
            max: tf.maxPool(inputs.x as Image, 2, 2, "valid"),
            mean: tf.avgPool(inputs.x as Image, 2, 2, "valid"),
            whole: inputs.x.mean([1, 2]),
          },
        }),
        { x },
      );
      expectClose(outputs.max, loops.pool(x, 2, "max"));
      expectClose(outputs.mean, loops.pool(x, 2, "mean"));
      const each = [0, 1].flatMap((n) => {
        const image = { shape: [1, 4, 6, 3] as const, data: x.data.subarray(n * 72, (n + 1) * 72) };
        return loops.channelMoments(image).mean;
      });
      expectClose(outputs.whole, { shape: [2, 3], data: each });
    });

    test("resizes bilinearly, up and down, with half-pixel centres", async () => {
      const x = normal([2, 3, 4, 2] as const, "x");
      const outputs = await once(
        ({ inputs }) => ({
          outputs: {
            up: tf.image.resizeBilinear(inputs.x as Image, [7, 8], false, true),
            down: tf.image.resizeBilinear(inputs.x as Image, [2, 2], false, true),
          },
        }),
        { x },
      );
      expectClose(outputs.up, loops.resizeBilinear(x, [7, 8]));
      expectClose(outputs.down, loops.resizeBilinear(x, [2, 2]));
    });

    test("differentiates softmax cross-entropy: (softmax - label) / batch through the dense layer", async () => {
      const x = normal([3, 4] as const, "x");
      const w = normal([4, 2] as const, "w");
      const y = ndArray([3, 2], Float32Array.of(1, 0, 0, 1, 1, 0));
      const outputs = await once(
        ({ inputs }) => {
          const result = gradients(
            ({ w }) => tf.losses.softmaxCrossEntropy(inputs.y, tf.matMul(inputs.x as tf.Tensor2D, w as tf.Tensor2D)),
            { w: inputs.w },
          );
          return { outputs: { loss: result.loss, w: result.gradients.w } };
        },
        { x, y, w },
      );
      let loss = 0;
      const gradient = new Float64Array(8);
      for (let n = 0; n < 3; n++) {
        const logits = [0, 1].map((k) =>
          [0, 1, 2, 3].reduce((sum, i) => sum + x.data[n * 4 + i] * w.data[i * 2 + k], 0),
        );
        const total = Math.exp(logits[0]) + Math.exp(logits[1]);
        for (let k = 0; k < 2; k++) {
          const probability = Math.exp(logits[k]) / total;
          loss -= (y.data[n * 2 + k] * Math.log(probability)) / 3;
          for (let i = 0; i < 4; i++)
            gradient[i * 2 + k] += ((probability - y.data[n * 2 + k]) * x.data[n * 4 + i]) / 3;
        }
      }
      expectClose(outputs.loss, { shape: [], data: [loss] });
      expectClose(outputs.w, { shape: [4, 2], data: gradient });
    });

    test("differentiates a convolutional net as finite differences of float64 loops do", async () => {
      const x = normal([2, 6, 6, 2] as const, "x");
      const kernel = normal([3, 3, 2, 3] as const, "kernel");
      const depthwise = normal([3, 3, 3, 1] as const, "depthwise");
      const last = normal([1, 1, 3, 2] as const, "last");
      const target = normal([2, 3, 3, 2] as const, "target");
      const outputs = await once(
        ({ inputs }) => {
          const { target, ...differentiated } = inputs;
          const result = gradients(({ x, kernel, depthwise, last }) => {
            const first = tf.sigmoid(tf.conv2d(x as Image, kernel as Image, 2, "same"));
            const second = tf.sigmoid(tf.depthwiseConv2d(first as Image, depthwise as Image, 1, "same"));
            return tf
              .conv2d(second as Image, last as Image, 1, "same")
              .sub(target)
              .square()
              .mean();
          }, differentiated);
          return { outputs: result.gradients };
        },
        { x, kernel, depthwise, last, target },
      );
      const sigmoid = (image: loops.Image) => loops.map(image, (value) => 1 / (1 + Math.exp(-value)));
      const start = { x, kernel, depthwise, last };
      const loss = (given: Record<keyof typeof start, ArrayLike<number>>) => {
        const first = sigmoid(loops.conv({ ...x, data: given.x }, { ...kernel, data: given.kernel }, 2));
        const second = sigmoid(loops.depthwiseConv(first, { ...depthwise, data: given.depthwise }, 1));
        const { data } = loops.conv(second, { ...last, data: given.last }, 1);
        return Array.from(data).reduce((sum, value, i) => sum + (value - target.data[i]) ** 2 / data.length, 0);
      };
      for (const name of ["x", "kernel", "depthwise", "last"] as const) {
        const difference = Array.from(start[name].data, (_, index) => {
          const moved = (by: number) =>
            loss({
              ...{ x: x.data, kernel: kernel.data, depthwise: depthwise.data, last: last.data },
              [name]: Float64Array.from(start[name].data, (value, i) => (i === index ? value + by : value)),
            });
          return (moved(1e-5) - moved(-1e-5)) / 2e-5;
        });
        expectClose(outputs[name], { shape: start[name].shape, data: difference });
      }
    });

    test("returns scalars, whole numbers, inputs, constants, and one tensor under two names", async () => {
      const outputs = await once(
        ({ inputs, constants }) => {
          const sum = inputs.x.sum();
          const largest = inputs.x.argMax();
          return { outputs: { x: inputs.x, c: constants.c, sum, again: sum, largest, big: inputs.x.greater(2) } };
        },
        { x: numbers(1, 5, 2) },
        { c: numbers(8) },
      );
      expect(outputs.x).toEqual(numbers(1, 5, 2));
      expect(outputs.c).toEqual(numbers(8));
      expect(outputs.sum).toEqual(ndArray([], Float32Array.of(8)));
      expect(outputs.again).toEqual(outputs.sum);
      expect(outputs.largest).toEqual({ shape: [], data: Int32Array.of(1) });
      expect(outputs.big).toEqual({ shape: [3], data: Int32Array.of(0, 1, 0) });
    });
  });

  describe("state", () => {
    test("trains with Adam in the graph as a plain loop does", async () => {
      const [beta1, beta2, epsilon, rate] = [0.9, 0.999, 1e-7, 0.05];
      const start = normal([3] as const, "w");
      const goal = numbers(1, -2, 0.5);
      const state = await engine.createState({ w: start, m: ndArray([3]), v: ndArray([3]) });
      const step = await engine.compile(
        ({ inputs, state }) => {
          const { loss, gradients: g } = gradients(({ w }) => w.sub(inputs.goal).square().sum(), { w: state.w });
          const m = state.m.mul(beta1).add(g.w.mul(1 - beta1));
          const v = state.v.mul(beta2).add(g.w.square().mul(1 - beta2));
          return { outputs: { loss }, state: { w: state.w.sub(m.div(v.sqrt().add(epsilon)).mul(inputs.rate)), m, v } };
        },
        { inputs: { goal: [3], rate: [] }, state, name: "adam" },
      );
      const [w, m, v] = [Float64Array.from(start.data), [0, 0, 0], [0, 0, 0]];
      for (let time = 1; time <= 20; time++) {
        // The bias correction varies from step to step, so it is an input.
        const corrected = (rate * Math.sqrt(1 - beta2 ** time)) / (1 - beta1 ** time);
        const { loss } = await step.run({ goal, rate: ndArray([], Float32Array.of(corrected)) });
        expectClose(loss, { shape: [], data: [w.reduce((sum, value, i) => sum + (value - goal.data[i]) ** 2, 0)] });
        for (let i = 0; i < 3; i++) {
          const g = 2 * (w[i] - goal.data[i]);
          m[i] = beta1 * m[i] + (1 - beta1) * g;
          v[i] = beta2 * v[i] + (1 - beta2) * g * g;
          w[i] -= (corrected * m[i]) / (Math.sqrt(v[i]) + epsilon);
        }
      }
      const after = await state.read();
      expectClose(after.w, { shape: [3], data: w });
      expectClose(after.v, { shape: [3], data: v });
      await step.dispose();
      await state.dispose();
    });

    test("keeps what a function leaves out, and lets arrays change places", async () => {
      const state = await engine.createState({ a: numbers(1, 2), b: numbers(3, 4), kept: numbers(5) });
      const swap = await engine.compile(({ state }) => ({ outputs: {}, state: { a: state.b, b: state.a } }), {
        inputs: {},
        state,
        name: "swap",
      });
      expect(await swap.run({})).toEqual({});
      expect(await state.read()).toEqual({ a: numbers(3, 4), b: numbers(1, 2), kept: numbers(5) });
      await swap.run({});
      await swap.run({});
      expect(await state.read(["b"])).toEqual({ b: numbers(1, 2) });
      await swap.dispose();
      await state.dispose();
    });

    test("one store serves several functions, and outlives them", async () => {
      const state = await engine.createState({ w: numbers(1) });
      const options = { inputs: { x: [1] }, state };
      const add = await engine.compile(
        ({ inputs, state }) => ({ outputs: {}, state: { w: state.w.add(inputs.x) } }),
        options,
      );
      const product = await engine.compile(({ inputs, state }) => ({ outputs: { y: state.w.mul(inputs.x) } }), options);
      await add.run({ x: numbers(4) });
      expect(await product.run({ x: numbers(3) })).toEqual({ y: numbers(15) });
      await state.write({ w: numbers(7) });
      expect(await product.run({ x: numbers(3) })).toEqual({ y: numbers(21) });
      await Promise.all([add.dispose(), product.dispose()]);
      expect(await state.read()).toEqual({ w: numbers(7) });
      await state.dispose();
    });

    test("queues calls in the order in which they were made", async () => {
      const state = await engine.createState({ w: numbers(0) });
      const options = { inputs: { x: [1] }, state };
      const push = await engine.compile(({ inputs, state }) => {
        const w = state.w.mul(2).add(inputs.x);
        return { outputs: { w }, state: { w } };
      }, options);
      const runs = [1, 0, 1, 1].map((x) => push.run({ x: numbers(x) }));
      const read = state.read();
      const rewritten = state.write({ w: numbers(100) });
      const last = push.run({ x: numbers(1) });
      // Binary digits pushed in order: 1, 10, 101, 1011.
      expect((await Promise.all(runs)).map(({ w }) => w.data[0])).toEqual([1, 2, 5, 11]);
      expect((await read).w).toEqual(numbers(11));
      await rewritten;
      expect((await last).w).toEqual(numbers(201));
      await push.dispose();
      await state.dispose();
    });

    test("copies what goes in and out", async () => {
      const given = numbers(1);
      const state = await engine.createState({ w: given });
      const add = await engine.compile(
        ({ inputs, state }) => ({
          outputs: { y: state.w.add(inputs.x), x: inputs.x },
          state: { w: state.w.add(inputs.x) },
        }),
        { inputs: { x: [1] }, state },
      );
      const pending = add.run({ x: given });
      given.data[0] = 99;
      const outputs = await pending;
      outputs.x.data[0] = 55;
      const read = await state.read();
      read.w.data[0] = 77;
      expect((await add.run({ x: numbers(1) })).y).toEqual(numbers(3));
      await add.dispose();
      await state.dispose();
    });
  });

  describe("errors", () => {
    const double: TensorFunction = ({ inputs }) => ({ outputs: { y: inputs.x.mul(2) } });

    test("name the function, the input, what was expected and what was given", async () => {
      const compiled = await engine.compile(double, { inputs: { x: [2, 3] }, name: "double" });
      await expect(compiled.run({})).rejects.toThrow(new ShapeError('double: input "x" is missing. It takes: x.'));
      await expect(compiled.run({ x: ndArray([3, 2]) })).rejects.toThrow(
        new ShapeError('double: input "x": expected [2, 3], got [3, 2].'),
      );
      await expect(compiled.run({ x: ndArray([2, 3]), z: ndArray([1]) })).rejects.toThrow(
        new ShapeError('double: no input "z". It takes: x.'),
      );
      expect((await compiled.run({ x: ndArray([2, 3]) })).y).toEqual(ndArray([2, 3]));
      await compiled.dispose();
    });

    test("an input that the function does not read must be given all the same", async () => {
      const compiled = await engine.compile(double, { inputs: { x: [1], unread: [1] }, name: "double" });
      await expect(compiled.run({ x: numbers(1) })).rejects.toThrow('double: input "unread" is missing.');
      expect((await compiled.run({ x: numbers(1), unread: numbers(1) })).y).toEqual(numbers(2));
      await compiled.dispose();
    });

    test("new state must fit the store", async () => {
      const state = await engine.createState({ w: numbers(1, 2) });
      const returning = async (result: (w: tf.Tensor) => Tensors) => {
        const fn: TensorFunction = ({ state }) => ({ outputs: {}, state: result(state.w) });
        const compiled = await engine.compile(fn, { inputs: {}, state, name: "step" });
        await compiled.run({});
      };
      await expect(returning((w) => ({ w: w.sum() }))).rejects.toThrow(
        new ShapeError('step: state "w": expected [2], returned [].'),
      );
      await expect(returning((w) => ({ u: w }))).rejects.toThrow(
        /step: returned state "u", which its store does not hold/,
      );
      expect((await state.read()).w).toEqual(numbers(1, 2));
      await expect(state.write({ w: numbers(1) })).rejects.toThrow(ShapeError);
      await expect(state.write({ u: numbers(1) })).rejects.toThrow(ShapeError);
      await state.dispose();
    });

    test("an error inside the function comes out, and the engine goes on", async () => {
      const failing: TensorFunction = ({ inputs }) => ({
        outputs: { y: tf.matMul(inputs.x as tf.Tensor2D, inputs.x as tf.Tensor2D) },
      });
      const attempt = async () => {
        const compiled = await engine.compile(failing, { inputs: { x: [2, 3] } });
        await compiled.run({ x: ndArray([2, 3]) });
      };
      // tfjs-node asks the native library, whose words name no operation but the function's name stands before them.
      await expect(attempt()).rejects.toThrow(/matMul|^function: TensorFlow: Matrix size-incompatible/i);
      expect((await once(double, { x: numbers(4) })).y).toEqual(numbers(8));
    });

    test("whatever was disposed says so; a store of another engine is refused", async () => {
      const own = await create();
      const state = await own.createState({ w: numbers(1) });
      await expect(engine.compile(double, { inputs: { x: [1] }, state, name: "double" })).rejects.toThrow(
        "double: its state belongs to another engine.",
      );
      const compiled = await own.compile(double, { inputs: { x: [1] }, name: "double" });
      await compiled.dispose();
      await compiled.dispose();
      await expect(compiled.run({ x: numbers(1) })).rejects.toThrow("double: was disposed.");
      await state.dispose();
      await expect(state.read()).rejects.toThrow("state: was disposed.");
      const last = await own.compile(double, { inputs: { x: [1] }, name: "double" });
      await own.dispose();
      await own.dispose();
      await expect(last.run({ x: numbers(1) })).rejects.toThrow(EngineError);
      await expect(own.compile(double, { inputs: { x: [1] } })).rejects.toThrow(EngineError);
    });
  });

  describe("the caller's TensorFlow.js", () => {
    test("keeps its backend and its tensors", async () => {
      const before = { backend: tf.getBackend(), tensors: tf.memory().numTensors };
      const mine = tf.tensor1d([1, 2]);
      const state = await engine.createState({ w: numbers(1) });
      const fn: TensorFunction = ({ inputs, constants, state }) => {
        const kept = tf.keep(inputs.x.mul(constants.c));
        return { outputs: { y: kept, z: kept.add(mine) }, state: { w: tf.keep(state.w.add(1)) } };
      };
      const compiled = await engine.compile(fn, { inputs: { x: [2] }, constants: { c: numbers(3, 3) }, state });
      for (let i = 0; i < 3; i++) expect((await compiled.run({ x: numbers(1, 2) })).z).toEqual(numbers(4, 8));
      expect(tf.getBackend()).toBe(before.backend);
      await compiled.dispose();
      await state.dispose();
      expect(mine.dataSync()).toEqual(Float32Array.of(1, 2));
      mine.dispose();
      expect(tf.memory().numTensors).toBe(before.tensors);
    });
  });
}
