/** Heads, features and parameters small enough to check by loops. */

import * as tf from "@tensorflow/tfjs";
import type { NdArrays } from "../../src/core/nd-array.js";
import { initialize } from "../../src/core/parameters.js";
import { random } from "../../src/core/random.js";
import { shapeOf, sideOf } from "../../src/core/size.js";
import { createHead } from "../../src/heads/create-head.js";
import type { Head, HeadContext, Label } from "../../src/heads/head.js";
import type { HeadSpec } from "../../src/heads/head-spec.js";
import { type Grid, type Grids, grid } from "../reference/heads.js";

/** Two taps of an 8 px input: 2 x 2 cells of 3 channels, and 4 x 4 of 2. */
export const oneTap: HeadContext = { inputSize: 8, taps: [{ name: "late", stride: 4, channels: 3, size: 2 }] };
export const twoTaps: HeadContext = {
  inputSize: 8,
  taps: [...oneTap.taps, { name: "early", stride: 2, channels: 2, size: 4 }],
};

export const specs = {
  single: { name: "class", taps: [], kind: "classifier", task: "single", classes: ["a", "b", "c"] },
  multi: { name: "class", taps: [], kind: "classifier", task: "multi", classes: ["a", "b", "c"] },
  regression: {
    name: "class",
    taps: [],
    kind: "classifier",
    task: "regression",
    classes: [],
    scale: { mean: 10, deviation: 4 },
  },
  segmentation: { name: "nucleus", taps: [], kind: "segmentation", threshold: 0.5 },
  boxes: { name: "mitosis", taps: [], kind: "boxes", threshold: 0.3 },
  presence: { name: "vessel", taps: [], kind: "presence", threshold: 0.5 },
  number: { name: "fat", taps: [], kind: "amount", form: "number", threshold: 0.5 },
  map: { name: "fat", taps: [], kind: "amount", form: "map", threshold: 0.5 },
} satisfies Record<string, HeadSpec>;

/** A label for each kind of head, then the same kind labelled as empty where there is such a thing. */
export const labels: Record<keyof typeof specs, readonly [Label, Label]> = {
  single: [{ label: "b" }, { label: "c" }],
  multi: [{ labels: ["a", "c"] }, { labels: [] }],
  regression: [{ value: 13 }, { value: 0 }],
  segmentation: [
    // Whole pixels, and shares along an edge.
    { mask: Float32Array.from({ length: 64 }, (_, i) => (i >= 40 ? 0 : i % 8 < 3 ? 1 : i % 8 === 3 ? i / 64 : 0)) },
    { mask: null },
  ],
  boxes: [
    {
      boxes: [
        [0.1, 0.15, 0.45, 0.4],
        [0.6, 0.6, 0.95, 0.8],
      ],
    },
    { boxes: [] },
  ],
  presence: [{ present: true }, { present: false }],
  number: [{ amount: 0.3 }, { amount: 0 }],
  map: [{ map: Uint8Array.from({ length: 64 }, (_, i) => (i * 4) % 256) }, { amount: 0 }],
};

export const kinds = Object.keys(specs) as (keyof typeof specs)[];

/** Random numbers as both float32 tensors and float64 grids of the same values. */
export interface Given {
  readonly head: Head;
  readonly parameters: Grids;
  readonly taps: Grids;
}

/** The same cells of an input four times as large: boxes are found in cells of 4 pixels, so 8 x 8 cells again. */
function enlarged({ inputSize, taps }: HeadContext): HeadContext {
  return { inputSize: 4 * sideOf(inputSize), taps: taps.map((tap) => ({ ...tap, stride: 4 * tap.stride })) };
}

export function given(kind: keyof typeof specs, small: HeadContext, { batch = 2, seed = 1 } = {}): Given {
  const context = kind === "boxes" ? enlarged(small) : small;
  const spec = { ...specs[kind], taps: context.taps.map((tap) => tap.name) };
  const head = createHead(spec, context);
  const drawn: NdArrays = initialize(head.parameters, { seed });
  const noise = random(seed, "noise");
  const rounded = (shape: readonly number[], draw: () => number) => {
    const values = grid(shape);
    for (let i = 0; i < values.data.length; i++) values.data[i] = Math.fround(draw());
    return values;
  };
  return {
    head,
    parameters: Object.fromEntries(
      Object.entries(drawn).map(([name, { shape, data }]) => {
        let i = 0;
        return [name, rounded(shape, () => data[i++] + 0.1 * noise.normal())]; // biases differ from 0 too
      }),
    ),
    taps: Object.fromEntries(
      context.taps.map((tap) => [
        tap.name,
        rounded([batch, ...shapeOf(tap.size), tap.channels], () => Math.abs(noise.normal())),
      ]),
    ),
  };
}

export function tensor({ shape, data }: Grid): tf.Tensor {
  return tf.tensor(Float32Array.from(data), [...shape]);
}

export function tensors(grids: Grids): Record<string, tf.Tensor> {
  return Object.fromEntries(Object.entries(grids).map(([name, values]) => [name, tensor(values)]));
}

/** What `encode` made, as tensors. */
export function encoded(head: Head, batch: readonly Label[]): Record<string, tf.Tensor> {
  const arrays = head.encode(batch);
  return Object.fromEntries(
    Object.entries(arrays).map(([name, data]) => [name, tf.tensor(data, [batch.length, ...head.labelShapes[name]])]),
  );
}
