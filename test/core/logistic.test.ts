import { expect, test } from "vitest";
import { logit, logSumExp, sigmoid, softmax, softplus } from "../../src/core/logistic.js";

test("logit undoes sigmoid, and both keep their ends", () => {
  for (const x of [-20, -1, 0, 0.3, 20]) expect(logit(sigmoid(x))).toBeCloseTo(x, 6);
  expect([sigmoid(-1000), sigmoid(1000)]).toEqual([0, 1]);
  expect([logit(0), logit(0.5), logit(1)]).toEqual([-Infinity, 0, Infinity]);
});

test("softplus and logSumExp stay finite far from zero", () => {
  expect(softplus(0)).toBeCloseTo(Math.log(2), 12);
  expect([softplus(1000), softplus(-1000)]).toEqual([1000, 0]);
  expect(logSumExp([1000, 1000])).toBeCloseTo(1000 + Math.log(2), 9);
  expect(logSumExp([])).toBe(-Infinity);
});

test("softmax by hand", () => {
  expect(softmax([0, Math.log(3)])[1]).toBeCloseTo(0.75, 12);
});
