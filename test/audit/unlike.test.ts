/** How unusual images are by another report: worked by hand on two aspects. */

import { expect, test } from "vitest";
import { judgeBy } from "../../src/audit/unlike.js";
import { random } from "../../src/core/random.js";
import { wilsonInterval } from "../../src/metrics/wilson.js";

const pattern = (states: string, count: number) => ({ class: "a", pattern: states, count });

test("the p-value is the share of the other report's images that are at least as unlikely", () => {
  // Both aspects come and go together, in 990 images of 1,000; 8 and 2 have one alone.
  const reference = [pattern("00", 500), pattern("22", 490), pattern("20", 8), pattern("02", 2)];
  const found = judgeBy(reference, [pattern("00", 1), pattern("22", 1), pattern("20", 1), pattern("02", 1)], 2);
  expect(found.map(({ p }) => p)).toEqual([1001, 501, 11, 3].map((images) => images / 1001));
});

test("what never occurs there is more unusual than anything that does", () => {
  const reference = [pattern("00", 500), pattern("22", 490), pattern("20", 8), pattern("02", 2)];
  expect(judgeBy(reference, [pattern("11", 1)], 2)).toEqual([{ class: "a", pattern: "11", p: 1 / 1001 }]);
});

test("of images of the same kind, one in 200 is called unusual at most", () => {
  const stream = random(3, "patterns");
  const draw = (images: number) => {
    const counts = new Map<string, number>();
    for (let image = 0; image < images; image++) {
      const states: number[] = [];
      for (let aspect = 0; aspect < 6; aspect++) {
        const like = states[aspect - 1] ?? 0;
        states.push(stream.uniform(0, 1) < 0.8 ? like : stream.integer(3));
      }
      const key = states.join("");
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return [...counts].map(([states, count]) => pattern(states, count));
  };
  let [flagged, total] = [0, 0];
  for (let round = 0; round < 5; round++) {
    const own = draw(2000);
    const judged = judgeBy(draw(1000), own, 6);
    own.forEach(({ count }, index) => {
      total += count;
      if (judged[index].p <= 1 / 200) flagged += count;
    });
  }
  expect(flagged).toBeGreaterThan(0);
  expect(wilsonInterval(flagged, total)[0]).toBeLessThanOrEqual(1 / 200);
});
