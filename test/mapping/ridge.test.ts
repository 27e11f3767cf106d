import { describe, expect, test } from "vitest";
import { random } from "../../src/core/random.js";
import {
  addMoments,
  emptyMoments,
  explainedVariance,
  fitRidge,
  type Moments,
  solveSymmetric,
} from "../../src/mapping/ridge.js";

const SMALL = { penalties: [1e-6] };

/** Sums over rows, in plain loops. */
function momentsOf(xs: readonly (readonly number[])[], ys: readonly (readonly number[])[]): Moments {
  const moments = emptyMoments(xs[0].length, ys[0].length);
  for (const [row, x] of xs.entries()) {
    const y = ys[row];
    addMoments(moments, {
      count: 1,
      ...{ x, y, yy: y.map((value) => value ** 2) },
      xx: x.flatMap((a) => x.map((b) => a * b)),
      xy: x.flatMap((a) => y.map((b) => a * b)),
    });
  }
  return moments;
}

describe("a regression with a penalty", () => {
  test("by hand: y = 2 x + 1", () => {
    const moments = momentsOf([[0], [1], [2], [3]], [[1], [3], [5], [7]]);
    const { kernel, bias, r2, penalty } = fitRidge(moments, moments);
    // Variance of x 1.25, covariance 2.5: the weight is 2 / (1 + penalty), and 1 - (penalty / (1 + penalty))^2 is
    // predicted: 0.992 with 0.1, but 0.947 with 0.3, which is more than 0.02 below the best. The bias follows from the means.
    expect(penalty).toBe(0.1);
    expect(kernel[0]).toBeCloseTo(2 / 1.1, 6);
    expect(bias[0]).toBeCloseTo(4 - 1.5 * (2 / 1.1), 6);
    expect(r2).toBeCloseTo(1 - (0.1 / 1.1) ** 2, 6);
  });

  test("the share of the variance that is predicted, by hand", () => {
    // Predicted 0 and 1, true 0 and 2: error 1, variance 2.
    const moments = momentsOf([[0], [1]], [[0], [2]]);
    expect(explainedVariance(moments, { kernel: [1], bias: [0] })).toBeCloseTo(0.5, 12);
    expect(explainedVariance(moments, { kernel: [0], bias: [1] })).toBeCloseTo(0, 12);
    expect(explainedVariance(momentsOf([[1]], [[3]]), { kernel: [1], bias: [0] })).toBe(0);
  });

  test("finds what made the rows, and the same as plain loops predict", () => {
    const stream = random(3, "rows");
    const draw = (count: number) =>
      Array.from({ length: count }, () => Array.from({ length: 5 }, () => stream.normal()));
    const made = (x: readonly number[]) => [x[0] - 2 * x[3] + 0.5, 3 * x[1] + x[4] - 1];
    const [rows, others] = [draw(200), draw(100)];
    const held = momentsOf(others, others.map(made));
    const { kernel, bias, r2 } = fitRidge(momentsOf(rows, rows.map(made)), held, SMALL);
    const expected = [1, 0, 0, 3, 0, 0, -2, 0, 0, 1];
    for (const [index, value] of expected.entries()) expect(kernel[index]).toBeCloseTo(value, 2);
    const [error, variance] = [0, 1].reduce(
      ([e, v], target) => {
        const ys = others.map((x) => made(x)[target]);
        const mean = ys.reduce((a, b) => a + b, 0) / ys.length;
        const said = others.map((x) => x.reduce((sum, value, i) => sum + value * kernel[2 * i + target], bias[target]));
        return [
          e + ys.reduce((sum, y, i) => sum + (y - said[i]) ** 2, 0),
          v + ys.reduce((sum, y) => sum + (y - mean) ** 2, 0),
        ];
      },
      [0, 0],
    );
    expect(r2).toBeCloseTo(1 - error / variance, 6);
  });

  test("a larger penalty is taken where predictors are many and rows are few", () => {
    const stream = random(5, "noise");
    const draw = (count: number) =>
      Array.from({ length: count }, () => Array.from({ length: 40 }, () => stream.normal()));
    const made = (x: readonly number[]) => [x[0] + stream.normal()];
    const [rows, others] = [draw(45), draw(200)];
    const { penalty } = fitRidge(momentsOf(rows, rows.map(made)), momentsOf(others, others.map(made)));
    expect(penalty).toBeGreaterThan(1e-2);
  });

  test("a layer that is always the same predicts the mean, and two equal channels share", () => {
    const constant = momentsOf([[4], [4], [4]], [[1], [2], [3]]);
    const { kernel, bias } = fitRidge(constant, constant);
    expect(4 * kernel[0] + bias[0]).toBeCloseTo(2, 6);
    const twice = momentsOf(
      [
        [0, 0],
        [1, 1],
        [2, 2],
      ],
      [[0], [1], [2]],
    );
    const both = fitRidge(twice, twice, SMALL).kernel;
    expect(both[0]).toBeCloseTo(both[1], 6);
    expect(both[0] + both[1]).toBeCloseTo(1, 3);
  });

  test("solves symmetric systems", () => {
    // [[4, 2], [2, 3]] [[1, 0], [2, -1]] = [[8, -2], [8, -3]]
    const found = solveSymmetric(Float64Array.of(4, 2, 2, 3), Float64Array.of(8, -2, 8, -3), { size: 2, columns: 2 });
    for (const [index, value] of [1, 0, 2, -1].entries()) expect(found[index]).toBeCloseTo(value, 12);
    // The second row is the first, up to rounding, and the third is always 0.
    const rounded = Float64Array.of(1, 1, 0, 1, 1 - 1e-9, 0, 0, 0, 0);
    expect([...solveSymmetric(rounded, Float64Array.of(3, 3, 0), { size: 3, columns: 1 })]).toEqual([3, 0, 0]);
  });

  test("sums of other layers are refused", () => {
    const other = { count: 1, x: [1, 2], y: [1], xx: [1], xy: [1], yy: [1] };
    expect(() => addMoments(emptyMoments(1, 1), other)).toThrow(/expected 1 x, got 2/);
  });
});
