import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { random } from "../../src/core/random.js";
import { depthToSpace } from "../../src/ops/depth-to-space.js";
import { resizeBilinear } from "../../src/ops/resize-bilinear.js";
import { tensor } from "../heads/given.js";
import { grid, resize, slope } from "../reference/heads.js";

beforeAll(() => tf.setBackend("cpu"));

test("doubles a row by hand", () => {
  // centres of the four halves lie at -0.25, 0.25, 0.75, 1.25 of the source; edges repeat: 0, 0.25*4, 0.75*4, 4
  const rows = resizeBilinear(tf.tensor4d([0, 4], [1, 1, 2, 1]), [2, 4]);
  expect([...rows.dataSync()]).toEqual([0, 1, 3, 4, 0, 1, 3, 4]);
});

test("lays channels out row by row", () => {
  const cells = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 2, 4]);
  expect([...depthToSpace(cells, 2).dataSync()]).toEqual([1, 2, 5, 6, 3, 4, 7, 8]);
});

describe.each([
  { what: "doubling one channel", shape: [2, 3, 4, 1], to: [6, 8] },
  { what: "doubling several", shape: [2, 3, 2, 3], to: [6, 4] },
  { what: "an odd enlargement", shape: [1, 3, 2, 2], to: [7, 5] },
  { what: "a reduction", shape: [1, 6, 5, 1], to: [4, 2] },
  { what: "one cell", shape: [1, 1, 1, 2], to: [3, 3] },
  { what: "one cell doubled", shape: [2, 1, 1, 2], to: [2, 2] },
  { what: "the same size", shape: [1, 2, 2, 1], to: [2, 2] },
])("$what", ({ shape, to }) => {
  const stream = random(2, ...shape);
  const x = grid(shape);
  for (let i = 0; i < x.data.length; i++) x.data[i] = Math.fround(stream.normal());
  const size = to as [number, number];

  test("looks up pixel centres", () => {
    const expected = resize(x, size);
    const found = resizeBilinear(tensor(x) as tf.Tensor4D, size);
    expect(found.shape).toEqual(expected.shape);
    found.dataSync().forEach((value, i) => {
      expect(value).toBeCloseTo(expected.data[i], 5); // float32 weights
    });
  });

  test("has the gradient of finite differences", () => {
    const weights = resize(x, size).data.map(() => Math.fround(stream.normal()));
    const gradient = tf
      .grad((t: tf.Tensor) =>
        tf.sum(
          tf.mul(tf.reshape(resizeBilinear(t as tf.Tensor4D, size), [-1]), tf.tensor1d(Float32Array.from(weights))),
        ),
      )(tensor(x))
      .dataSync();
    const value = () => resize(x, size).data.reduce((sum, y, i) => sum + y * weights[i], 0);
    x.data.forEach((_, i) => {
      expect(gradient[i]).toBeCloseTo(slope(value, x.data, i), 4);
    });
  });
});
