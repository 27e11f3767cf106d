import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import { type GroupedConvolution, groupedConv2d } from "../../src/ops/grouped-convolution.js";
import { hardSigmoid } from "../../src/ops/hard-sigmoid.js";
import { runEager, runTraced } from "../engine/trace/run-traced.js";
import { drawn } from "../trunk/networks/run-network.js";

beforeAll(() => tf.setBackend("cpu"));

const plain: GroupedConvolution = {
  ...{ groups: 2, strides: [1, 1], dilations: [1, 1] },
  pads: { top: 1, left: 1, bottom: 1, right: 1 },
};
const CASES: Readonly<Record<string, readonly [GroupedConvolution, filter: readonly number[]]>> = {
  groups: [plain, [3, 3, 2, 6]],
  "groups with steps": [{ ...plain, strides: [2, 1] }, [3, 2, 2, 6]],
  "dilated groups": [{ ...plain, dilations: [2, 1], strides: [1, 2] }, [2, 3, 2, 4]],
  dilated: [{ ...plain, groups: 1, dilations: [2, 2] }, [3, 3, 4, 3]],
  "depthwise, dilated": [{ ...plain, groups: 4, dilations: [2, 2] }, [3, 3, 4, 1]],
};
const SHAPE = [2, 7, 6, 4];

/** In plain loops and float64. */
function reference(x: ArrayLike<number>, filter: ArrayLike<number>, own: GroupedConvolution, shape: readonly number[]) {
  const [batch, height, width, channels] = SHAPE;
  const isDepthwise = shape[3] === 1 && shape[2] === own.groups;
  const [rows, columns, depth, out] = isDepthwise ? [shape[0], shape[1], 1, shape[2]] : shape;
  const { groups, strides, dilations, pads } = own;
  const outHeight = Math.floor((height + pads.top + pads.bottom - (rows - 1) * dilations[0] - 1) / strides[0]) + 1;
  const outWidth = Math.floor((width + pads.left + pads.right - (columns - 1) * dilations[1] - 1) / strides[1]) + 1;
  const result: number[] = [];
  for (let b = 0; b < batch; b++)
    for (let y = 0; y < outHeight; y++)
      for (let at = 0; at < outWidth; at++)
        for (let o = 0; o < out; o++) {
          const group = Math.floor(o / (out / groups));
          let sum = 0;
          for (let row = 0; row < rows; row++)
            for (let column = 0; column < columns; column++) {
              const fromY = y * strides[0] + row * dilations[0] - pads.top;
              const fromX = at * strides[1] + column * dilations[1] - pads.left;
              if (fromY < 0 || fromX < 0 || fromY >= height || fromX >= width) continue;
              for (let d = 0; d < depth; d++)
                sum +=
                  x[((b * height + fromY) * width + fromX) * channels + group * depth + d] *
                  filter[((row * columns + column) * depth + d) * out + o];
            }
          result.push(sum);
        }
  return { shape: [batch, outHeight, outWidth, out], data: result };
}

test.each(Object.entries(CASES))(
  "%s: values are those of plain loops, gradients equal in both engines",
  async (_, one) => {
    const [own, filter] = one;
    const [x, k] = [drawn(SHAPE, 1), drawn(filter, 2)];
    const wanted = reference(x.values, k.values, own, filter);
    const weights = drawn(wanted.shape, 3);
    const fn = ({ x, k }: Record<string, tf.Tensor>) => {
      const weighed = (a: tf.Tensor, b: tf.Tensor) => {
        const out = groupedConv2d(a as tf.Tensor4D, b as tf.Tensor4D, own);
        return tf.sum(tf.mul(out, tf.tensor(Float32Array.from(weights.values), [...weights.shape]))).asScalar();
      };
      const [byX, byK] = tf.grads(weighed)([x, k]);
      return { out: groupedConv2d(x as tf.Tensor4D, k as tf.Tensor4D, own), byX, byK };
    };
    const given = {
      shapes: { x: SHAPE, k: filter },
      data: { x: Float32Array.from(x.values), k: Float32Array.from(k.values) },
    };
    const [traced, eager] = [await runTraced(fn, given), runEager(fn, given)];
    for (const { out } of [traced, eager]) {
      expect(out.shape).toEqual(wanted.shape);
      for (const [index, value] of wanted.data.entries()) expect(out.data[index]).toBeCloseTo(value, 4);
    }
    for (const name of ["byX", "byK"]) {
      expect(traced[name].shape).toEqual(eager[name].shape);
      for (const [index, value] of eager[name].data.entries()) expect(traced[name].data[index]).toBeCloseTo(value, 3);
    }
    // By the filter, along a direction: the sum is linear in it.
    const direction = drawn(filter, 4).values;
    const moved = Float32Array.from(k.values, (value, index) => value + direction[index]);
    const difference = reference(x.values, moved, own, filter).data.map((value, index) => value - wanted.data[index]);
    const along = Array.from(eager.byK.data).reduce((sum, value, index) => sum + value * direction[index], 0);
    expect(along).toBeCloseTo(
      difference.reduce((sum, value, index) => sum + value * weights.values[index], 0),
      2,
    );
  },
);

test("a hard sigmoid and its gradient are the same in both engines", async () => {
  const fn = ({ x }: Record<string, tf.Tensor>) => {
    const apply = (a: tf.Tensor) => hardSigmoid(a, { slope: 0.25, offset: 0.5 });
    return { out: apply(x), slope: tf.grad((a) => tf.sum(tf.mul(apply(a), 3)).asScalar())(x) };
  };
  const given = { shapes: { x: [5] }, data: { x: Float32Array.of(-3, -1, 0, 1.5, 2.5) } };
  const wanted = { out: [0, 0.25, 0.5, 0.875, 1], slope: [0, 0.75, 0.75, 0.75, 0] };
  for (const result of [await runTraced(fn, given), runEager(fn, given)])
    for (const [name, values] of Object.entries(wanted))
      for (const [index, value] of values.entries()) expect(result[name].data[index]).toBeCloseTo(value, 6);
});
