import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { ShapeError } from "../../src/core/errors.js";
import { SEED_LIMIT, uniform } from "../../src/ops/seeded-uniform.js";
import { block, runEager, runTraced } from "../engine/trace/run-traced.js";
import { uniformLoop } from "../reference/uniform.js";

beforeAll(() => tf.setBackend("cpu"));

const [ROWS, COLUMNS] = [128, 128];
const SIZE = ROWS * COLUMNS;
const SEEDS = [0, 1, 2038, 2039, 123_456, SEED_LIMIT - 1];

const known = new Map<number, Float32Array>();
function drawn(seed: number): Float32Array {
  const numbers = known.get(seed) ?? tf.tidy(() => uniform([ROWS, COLUMNS], tf.scalar(seed)).dataSync<"float32">());
  known.set(seed, numbers);
  return numbers;
}

/** Correlation of a sequence with another, in deviations of what independent numbers show (1 / sqrt(count)). */
function correlation(a: Float32Array, b: Float32Array): number {
  const mean = (x: Float32Array) => x.reduce((sum, value) => sum + value, 0) / x.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [both, ofA, ofB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    both += (a[i] - meanA) * (b[i] - meanB);
    ofA += (a[i] - meanA) ** 2;
    ofB += (b[i] - meanB) ** 2;
  }
  return (both / Math.sqrt(ofA * ofB)) * Math.sqrt(a.length);
}

/** Pearson's statistic of equally likely cells, in deviations from its expectation. */
function chiSquare(cells: readonly number[], count: number): number {
  const expected = count / cells.length;
  const sum = cells.reduce((total, cell) => total + (cell - expected) ** 2 / expected, 0);
  return (sum - (cells.length - 1)) / Math.sqrt(2 * (cells.length - 1));
}

/** Some three hundred statistics are looked at: of independent numbers one passes 4.5 deviations once in 500 such files. */
const LIMIT = 4.5;

describe("uniform numbers", () => {
  test("are those of integer remainders, bit for bit, eager and traced, portable and blocked", async () => {
    const fn = (inputs: Readonly<Record<string, tf.Tensor>>) => ({ u: uniform([7, 700], inputs.seed) });
    for (const seed of SEEDS) {
      const given = { shapes: { seed: [] }, data: { seed: Float32Array.of(seed) } };
      const wanted = Float64Array.from(uniformLoop(4900, seed));
      expect(runEager(fn, given).u.data).toEqual(wanted);
      expect((await runTraced(fn, given)).u.data).toEqual(wanted);
      if (block > 0) expect((await runTraced(fn, given, { block })).u.data).toEqual(wanted);
    }
  });

  test("lie in [0, 1), no two of them equal, up to the last element that is possible", () => {
    const numbers = drawn(7);
    expect(new Set(numbers).size).toBe(SIZE);
    const all = uniformLoop(SEED_LIMIT, 7);
    const [low, high] = all.reduce(([least, most], value) => [Math.min(least, value), Math.max(most, value)], [1, 0]);
    expect(low).toBe(0);
    expect(high).toBeLessThan(1);
    expect(() => uniform([SEED_LIMIT + 1], tf.scalar(0))).toThrow(ShapeError);
  });

  test.each(SEEDS)("with seed %d have the mean, variance and histogram of independent ones", (seed) => {
    const numbers = drawn(seed);
    const mean = numbers.reduce((sum, value) => sum + value, 0) / SIZE;
    expect(Math.abs(mean - 0.5) * Math.sqrt(12 * SIZE)).toBeLessThan(LIMIT);
    const variance = numbers.reduce((sum, value) => sum + (value - 0.5) ** 2, 0) / SIZE;
    // Var((u - 1/2)^2) = 1/80 - 1/144 = 1/180.
    expect(Math.abs(variance - 1 / 12) * Math.sqrt(180 * SIZE)).toBeLessThan(LIMIT);
    const cells = new Array<number>(256).fill(0);
    for (const value of numbers) cells[Math.floor(256 * value)]++;
    expect(Math.abs(chiSquare(cells, SIZE))).toBeLessThan(LIMIT);
    const triples = new Array<number>(512).fill(0);
    for (let i = 0; i + 2 < SIZE; i += 3) {
      const [x, y, z] = [0, 1, 2].map((step) => Math.floor(8 * numbers[i + step]));
      triples[64 * x + 8 * y + z]++;
    }
    expect(Math.abs(chiSquare(triples, Math.floor(SIZE / 3)))).toBeLessThan(LIMIT);
  });

  test.each(SEEDS)(
    "with seed %d do not correlate with those beside and below them, nor does a mask of them",
    (seed) => {
      const numbers = drawn(seed);
      const mask = numbers.map((value) => (value < 0.3 ? 1 : 0));
      for (const lag of [1, 2, 16, COLUMNS - 1, COLUMNS, COLUMNS + 1, 2039, 16 * COLUMNS]) {
        for (const each of [numbers, mask]) {
          const apart = correlation(each.subarray(0, SIZE - lag), each.subarray(lag));
          expect(Math.abs(apart), `lag ${lag}`).toBeLessThan(LIMIT);
        }
      }
    },
  );

  test.each([1, 2, 2038, 2039, 2040])(
    "of seeds %d apart do not correlate, at the same place or a place further",
    (by) => {
      for (const seed of SEEDS) {
        const [one, other] = [drawn(seed), drawn((seed + by) % SEED_LIMIT)];
        for (const shift of [0, 1, by]) {
          const [a, b] = [one.subarray(0, SIZE - shift), other.subarray(shift)];
          expect(Math.abs(correlation(a, b)), `seed ${seed}, ${shift} further`).toBeLessThan(LIMIT);
          const back = correlation(one.subarray(shift), other.subarray(0, SIZE - shift));
          expect(Math.abs(back), `seed ${seed}, ${shift} back`).toBeLessThan(LIMIT);
        }
      }
    },
  );

  test("leave no tensor behind", () => {
    const before = tf.memory().numTensors;
    const seed = tf.scalar(3);
    uniform([4, 4], seed).dispose();
    seed.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
