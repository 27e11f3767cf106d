import { describe, expect, test } from "vitest";
import { random } from "../../src/core/random.js";
import { wilsonInterval } from "../../src/metrics/wilson.js";
import { judge, UNUSUAL } from "../../src/survey/unusual.js";

/** Eight aspects, absent, present or relevant; the second and the third never come with the first in usual images. */
function usual(count: number, seed: number): number[][] {
  const stream = random(seed, "usual");
  return Array.from({ length: count }, () => {
    const states = Array.from({ length: 8 }, (_, aspect) => {
      const isPresent = stream.next() < [0.5, 0.5, 0.5, 0.7, 0.5, 0.3, 0.6, 0.4][aspect];
      return isPresent ? (stream.next() < [0.03, 0.03, 0.03, 0.03, 0.97, 0.97, 0.03, 0.03][aspect] ? 2 : 1) : 0;
    });
    if (states[0] > 0) states[1] = states[2] = 0;
    return states;
  });
}

function judged(images: readonly (readonly number[])[]) {
  const stream = random(7, "fold");
  const counts = new Map<string, number>();
  for (const states of images) {
    const key = JSON.stringify([states, stream.integer(10)]);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const combinations = [...counts].map(([key, count]) => {
    const [states, fold] = JSON.parse(key) as [number[], number];
    return { states, fold, count };
  });
  return judge(combinations, { variables: 8 });
}

const imagesOf = (found: readonly { readonly count: number }[]) => found.reduce((sum, { count }) => sum + count, 0);

describe("unusual images", () => {
  test("usual ones are called unusual at 1 in 200", () => {
    for (const seed of [1, 2, 3]) {
      const found = imagesOf(judged(usual(4000, seed)).filter(({ p }) => p <= UNUSUAL));
      const [low, high] = wilsonInterval(found, 4000);
      expect(low).toBeLessThan(UNUSUAL);
      expect(high).toBeGreaterThan(UNUSUAL);
    }
  });

  test("ten with a combination that occurs in no other of 2,500 are found, and which aspect it is", () => {
    const planted = Array.from({ length: 10 }, () => [1, 1, 1, 1, 2, 0, 1, 0]);
    const found = judged([...usual(2490, 1), ...planted]).filter(
      ({ states, p }) => states[0] === 1 && states[1] === 1 && p <= UNUSUAL,
    );
    expect(imagesOf(found)).toBeGreaterThanOrEqual(9);
    for (const { telling } of found) expect([telling?.variable, telling?.state]).toEqual([0, 0]);
  });

  test("p is the share of the other images that are at least as unusual", () => {
    const rows = [
      { states: [0, 0], count: 97, fold: 0 },
      { states: [1, 0], count: 1, fold: 1 },
      { states: [0, 1], count: 1, fold: 1 },
      { states: [2, 2], count: 1, fold: 1 },
    ];
    const found = judge(rows, { variables: 2 });
    const of = (states: readonly number[]) =>
      found.find((one) => one.states[0] === states[0] && one.states[1] === states[1]);
    // The tree of fold 1 saw only [0, 0], 97 times: each of the three has a probability of 1 / 9 / 98, of a prior alone.
    expect(of([2, 2])?.logProbability).toBeCloseTo(Math.log(1 / 9 / 98), 10);
    expect(of([2, 2])?.p).toBeCloseTo(2 / 99, 10);
    expect(of([1, 0])?.p).toBeCloseTo(2 / 99, 10);
    expect(of([0, 1])?.p).toBeCloseTo(2 / 99, 10);
    expect(of([0, 0])?.p).toBeCloseTo(99 / 99, 10);
  });
});
