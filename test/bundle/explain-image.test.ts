/** One image explained through a graph that is made up: what an interval changes in the explanation. */

import { expect, test } from "vitest";
import { explainImage } from "../../src/bundle/explain-image.js";
import { type NdArrays, ndArray } from "../../src/core/nd-array.js";
import type { ClassifierSpec } from "../../src/heads/head-spec.js";

const SIZE = 32;
const TAP = "conv_pw_11";
const classifier: ClassifierSpec = {
  kind: "classifier",
  name: "class",
  taps: [TAP],
  task: "single",
  classes: ["benign", "malignant"],
};

const array = (shape: readonly number[], values: readonly number[]) => ndArray(shape, Float32Array.from(values));

/** An aspect by presence, seen, with so much of the answer's evidence. */
function outputs(overlap: number): NdArrays {
  return {
    logits: array([1, 2], [-1, 2]),
    scores: array([1, 2], [0.05, 0.95]),
    "vessel/unmasked": array([1, 1], [4]),
    "vessel/masked": array([1, 1], [3]),
    "vessel/reference": array([1, 1], [-4]),
    [`vessel/overlap/${TAP}`]: array([1, 2, 2, 2], [overlap, 4, 0, 0, 0, 0, 0, 0]),
    [`evidence/${TAP}`]: array([1, 2, 2, 2], [4, 4, 0, 0, 0, 0, 5, 5]),
    [`saliency/${TAP}`]: array([1, 2, 2, 1], [1, 0, 0, 0]),
  };
}

const how = {
  spec: {
    trunk: { name: "mobilenet-v1", alpha: 0.25, inputSize: SIZE },
    source: TAP,
    heads: [classifier, { kind: "presence", name: "vessel", taps: [TAP], threshold: 0.5 }],
  },
  classifier,
  method: {},
  scale: { kind: "probability", line: 0.1, slope: 2, by: "general" },
  unseen: [],
  absences: {},
  hasInterval: true,
} as const;
const image = { name: "x.png", otherSizes: {}, width: SIZE, height: SIZE, pixels: new Uint8Array(3 * SIZE * SIZE) };

test("a reason that holds in the image and not in its changed copies is not stable, and the sentence says so", async () => {
  let count = 0;
  const explained = (inCopies: number) => {
    count = 0;
    return explainImage(async () => outputs(count++ === 0 ? 3 : inCopies), image, how);
  };
  const unstable = (await explained(0)).explanation;
  expect(count).toBe(17);
  expect(unstable.aspects[0]).toMatchObject({ isRelevant: true, relevanceInterval: [0, 0] });
  expect(unstable.headline).toEqual({ case: "named", text: "malignant 95 % because of vessel (decisive, not stable)" });
  const stable = (await explained(3)).explanation;
  expect(stable.headline.text).toBe("malignant 95 % because of vessel (decisive)");
});
