import { expect, test } from "vitest";
import { random } from "../../src/core/random.js";
import { type Combination, countPairs, fitTree, without } from "../../src/metrics/chow-liu.js";

/** The first two variables are always alike, the third is independent. */
const ALIKE: Combination[] = [
  [0, 0, 0],
  [0, 0, 1],
  [1, 1, 0],
  [1, 1, 1],
].map((states) => ({ states, count: 2 }));

test("joins what depends on each other, with smoothed probabilities", () => {
  const tree = fitTree(countPairs(ALIKE, { variables: 3, states: 2 }));
  expect(tree.parents).toEqual([-1, 0, 0]);
  // P(a) = 4.5 / 9; P(b | a) = 4.25 / 4.5 and 0.25 / 4.5; P(c | a) = 2.25 / 4.5
  expect(tree.logProbability([0, 0, 0])).toBeCloseTo(Math.log(0.5 * (4.25 / 4.5) * 0.5), 10);
  expect(tree.logProbability([0, 1, 0])).toBeCloseTo(Math.log(0.5 * (0.25 / 4.5) * 0.5), 10);
});

test("names the one change that makes a combination the most likely", () => {
  const tree = fitTree(countPairs(ALIKE, { variables: 3, states: 2 }));
  expect(tree.mostTelling([0, 1, 0])).toEqual({ variable: 0, state: 1 }); // as good as changing the second
  expect(tree.mostTelling([1, 1, 1])).toBeUndefined();
});

/** Of four variables with three states, the second following the first and the fourth the third. */
function drawn(count: number): Combination[] {
  const stream = random(7, "tree");
  const follow = (state: number) => (stream.next() < 0.7 ? state : stream.integer(3));
  return Array.from({ length: count }, () => {
    const [a, c] = [stream.integer(3), stream.integer(2)];
    return { states: [a, follow(a), c, follow(c)], count: 1 };
  });
}

test("probabilities of all combinations sum to 1", () => {
  const tree = fitTree(countPairs(drawn(50), { variables: 4, states: 3 }));
  let sum = 0;
  for (let code = 0; code < 81; code++)
    sum += Math.exp(
      tree.logProbability([code % 3, Math.floor(code / 3) % 3, Math.floor(code / 9) % 3, Math.floor(code / 27)]),
    );
  expect(sum).toBeCloseTo(1, 10);
});

test("no other of the sixteen trees over four variables is likelier", () => {
  const images = drawn(60);
  const counts = countPairs(images, { variables: 4, states: 3 });
  const tree = fitTree(counts);
  const own = images.reduce((sum, { states }) => sum + tree.logProbability(states), 0);
  // In plain loops: log P(root) + sum of log P(own | parent), from counts with the same prior.
  const share = (pairs: readonly (readonly [variable: number, state: number])[], prior: number) =>
    (images.filter(({ states }) => pairs.every(([variable, state]) => states[variable] === state)).length + prior) / 61;
  const trees: number[][] = [];
  for (let code = 0; code < 256; code++) {
    const parents = [-1, code % 4, Math.floor(code / 4) % 4, Math.floor(code / 16) % 4];
    const isTree = [1, 2, 3].every((start) => {
      let at = start;
      for (let step = 0; step < 4 && at > 0; step++) at = parents[at];
      return at === 0 || at === -1;
    });
    if (code < 64 && isTree) trees.push(parents);
  }
  expect(trees).toHaveLength(16);
  const likelihoods = trees.map((parents) => {
    let sum = 0;
    for (const { states } of images)
      parents.forEach((parent, variable) => {
        const alone = share([[variable, states[variable]]], 1 / 3);
        if (parent < 0) sum += Math.log(alone);
        else {
          const both = share(
            [
              [variable, states[variable]],
              [parent, states[parent]],
            ],
            1 / 9,
          );
          sum += Math.log(both / share([[parent, states[parent]]], 1 / 3));
        }
      });
    return sum;
  });
  expect(own).toBeCloseTo(Math.max(...likelihoods), 6);
});

test("counts of a part can be taken away", () => {
  const [first, second] = [drawn(30), ALIKE.map(({ count }) => ({ states: [0, 1, 2, 0], count }))];
  const shape = { variables: 4, states: 3 };
  const rest = without(countPairs([...first, ...second], shape), countPairs(second, shape));
  expect(rest).toEqual(countPairs(first, shape));
});
