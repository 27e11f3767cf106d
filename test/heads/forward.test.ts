import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { random } from "../../src/core/random.js";
import type { HeadContext } from "../../src/heads/head.js";
import {
  fuse,
  type Grid,
  type Grids,
  grid,
  pool,
  project,
  resize,
  shift,
  slope,
  subPixels,
} from "../reference/heads.js";
import { type Given, given, kinds, oneTap, type specs, tensor, tensors, twoTaps } from "./given.js";

beforeAll(() => tf.setBackend("cpu"));

const joined = (a: Grid, b: Grid) => {
  const [batch, left] = a.shape;
  const right = b.shape[1];
  const out = grid([batch, left + right]);
  for (let i = 0; i < batch; i++) {
    out.data.set(a.data.subarray(i * left, (i + 1) * left), i * (left + right));
    out.data.set(b.data.subarray(i * right, (i + 1) * right), i * (left + right) + left);
  }
  return out;
};

/** Each head from its definition. */
function twin(kind: keyof typeof specs, { head, parameters, taps }: Given, { finest }: { finest: number }): Grid {
  const { name } = head.spec;
  const dense = (x: Grid, prefix: string) =>
    shift(project(x, parameters[`${prefix}kernel`]), parameters[`${prefix}bias`].data);
  switch (kind) {
    case "segmentation":
    case "map":
      return resize(subPixels(name, parameters, taps, { factor: finest / 2, prior: [-2] }), [8, 8]);
    case "boxes":
      return subPixels(name, parameters, taps, { factor: finest, prior: [-2.19, -1.6, -1.6, 0.5, 0.5] });
    case "presence": {
      const fused = fuse(name, parameters, taps);
      return dense(joined(pool(fused, "largest"), pool(fused, "mean")), `head/${name}/output/`);
    }
    case "number":
      return dense(pool(fuse(name, parameters, taps), "mean"), `head/${name}/output/`);
    default: {
      const pooled = Object.values(taps).map((tap) => pool(tap, "mean"));
      const logits = dense(pooled.reduce(joined), `head/${name}/`);
      return kind === "regression" ? { ...logits, data: logits.data.map((value) => 10 + 4 * value) } : logits;
    }
  }
}

const contexts: [string, HeadContext, number][] = [
  ["one tap", oneTap, 4],
  ["two taps", twoTaps, 2],
];

describe.each(contexts)("with %s", (_, context, finest) => {
  test.each(kinds)("%s computes what its definition says", (kind) => {
    const it = given(kind, context);
    const logits = it.head.forward(tensors(it.parameters), Object.values(tensors(it.taps)) as tf.Tensor4D[]);
    const expected = twin(kind, it, { finest });
    expect(logits.shape).toEqual([2, ...it.head.outputShape]);
    expect(expected.shape).toEqual(logits.shape);
    logits.dataSync().forEach((value, i) => {
      expect(value).toBeCloseTo(expected.data[i], 4); // float32 sums of a few hundred products of size 1
    });
  });

  test.each(kinds)("%s has the gradients of its definition, by finite differences", (kind) => {
    const it = given(kind, context);
    const picks = random(5, kind);
    const weights = grid([2, ...it.head.outputShape]).data.map(() => Math.fround(picks.normal()));
    const value = () => twin(kind, it, { finest }).data.reduce((sum, x, i) => sum + x * weights[i], 0);
    const variables: Grids = { ...it.parameters, ...it.taps };
    const names = Object.keys(variables);
    const gradients = tf.grads((...given) => {
      const named = Object.fromEntries(names.map((name, i) => [name, given[i]]));
      const logits = it.head.forward(named, Object.keys(it.taps).map((tap) => named[tap]) as tf.Tensor4D[]);
      return tf.sum(tf.mul(logits, tensor(grid(logits.shape, weights))));
    })(names.map((name) => tensor(variables[name])));
    names.forEach((name, i) => {
      const { data } = variables[name];
      const found = gradients[i].dataSync();
      const scale = Math.max(1, ...found.map(Math.abs));
      for (let k = 0; k < 5; k++) {
        const index = picks.integer(data.length);
        const expected = slope(value, data, index);
        // float32 against float64: 1e-7 a product, some thousand products
        expect(Math.abs(found[index] - expected) / scale, `${name}[${index}]`).toBeLessThan(1e-4);
      }
    });
  });
});

test("a head leaves nothing behind but its answer", () => {
  for (const kind of kinds) {
    const it = given(kind, twoTaps);
    const parameters = tensors(it.parameters);
    const features = Object.values(tensors(it.taps)) as tf.Tensor4D[];
    const before = tf.memory().numTensors;
    const logits = it.head.forward(parameters, features);
    expect(tf.memory().numTensors - before, kind).toBe(1);
    logits.dispose();
  }
});

test("features of another layer are refused by name", () => {
  const { head, parameters } = given("segmentation", oneTap);
  expect(() => head.forward(tensors(parameters), [tf.zeros([1, 7, 7, 1024])])).toThrow(
    'head "nucleus": expected features [batch, 2, 2, 3] of late, got [1, 7, 7, 1024]',
  );
  expect(() => head.forward(tensors(parameters), [])).toThrow("expected the features of late, got 0 tensors");
});
