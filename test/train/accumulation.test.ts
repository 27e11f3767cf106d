import { expect, test } from "vitest";
import { stepOfBatch, stepsOfEpoch } from "../../src/train/accumulation.js";

const steps = (batchCount: number, accumulate: number) =>
  Array.from({ length: batchCount }, (_, batch) => stepOfBatch(batch, { batchCount, accumulate }));

test("each batch is a step of its own where nothing is accumulated", () => {
  expect(steps(3, 1).map(({ step, size, isLast }) => [step, size, isLast])).toEqual([
    [0, 1, true],
    [1, 1, true],
    [2, 1, true],
  ]);
});

test("the batches left at the end of an epoch make a shorter group, divided by its own number", () => {
  // 7 batches by 3: 3, 3 and 1.
  const seven = steps(7, 3);
  expect(seven.map((group) => group.step)).toEqual([0, 0, 0, 1, 1, 1, 2]);
  expect(seven.map((group) => group.size)).toEqual([3, 3, 3, 3, 3, 3, 1]);
  expect(seven.flatMap((group, batch) => (group.isLast ? [batch] : []))).toEqual([2, 5, 6]);
  expect(stepsOfEpoch({ batchCount: 7, accumulate: 3 })).toBe(3);
});

test("each batch of an epoch counts once: the shares of every step add up to 1", () => {
  for (const [batchCount, accumulate] of [
    [1, 1],
    [5, 2],
    [12, 4],
    [4, 4],
  ]) {
    const shares = new Array<number>(stepsOfEpoch({ batchCount, accumulate })).fill(0);
    for (const { step, size } of steps(batchCount, accumulate)) shares[step] += 1 / size;
    for (const share of shares) expect(share).toBeCloseTo(1, 12);
  }
});
