/** How likely a combination of states is, by a tree of dependences. */

/** One combination, and how often it was seen. */
export interface Combination {
  /** By variable, 0 .. `states` - 1. */
  readonly states: ArrayLike<number>;
  readonly count: number;
}

/** A tree over the variables, with their smoothed probabilities. */
export interface DependenceTree {
  /** By variable, the one that it depends on; -1 of the root. */
  readonly parents: readonly number[];
  /** Natural logarithm of the probability. */
  logProbability(states: ArrayLike<number>): number;
  /** The one change that makes the combination the most likely; `undefined` where none does. */
  mostTelling(states: ArrayLike<number>): { readonly variable: number; readonly state: number } | undefined;
}

/** Weight of the prior in images: all combinations of two variables alike (BDeu, Heckerman et al. 1995). */
const PRIOR = 1;

/** Counts of pairs of variables, that fits are made of; counts of several parts can be added and taken away. */
export interface PairCounts {
  readonly variables: number;
  readonly states: number;
  readonly total: number;
  /** `[variables, variables, states, states]`. */
  readonly pairs: Float64Array;
}

/** How often each pair of variables is in each pair of states. */
export function countPairs(
  combinations: Iterable<Combination>,
  { variables, states }: { variables: number; states: number },
): PairCounts {
  const pairs = new Float64Array(variables * variables * states * states);
  let total = 0;
  for (const { states: given, count } of combinations) {
    total += count;
    for (let i = 0; i < variables; i++)
      for (let j = 0; j < variables; j++) pairs[((i * variables + j) * states + given[i]) * states + given[j]] += count;
  }
  return { variables, states, total, pairs };
}

/** The counts of all without those of a part. */
export function without(all: PairCounts, part: PairCounts): PairCounts {
  return { ...all, total: all.total - part.total, pairs: all.pairs.map((count, at) => count - part.pairs[at]) };
}

/**
 * The tree of dependences that is nearest to what was counted (Chow and Liu 1968, doi:10.1109/TIT.1968.1054142): the
 * spanning tree with the largest sum of mutual information. Probabilities are smoothed, so that what was never seen is
 * unlikely, not impossible.
 */
export function fitTree({ variables, states, total, pairs }: PairCounts): DependenceTree {
  const at = (i: number, j: number, a: number, b: number) =>
    (pairs[((i * variables + j) * states + a) * states + b] + PRIOR / states ** 2) / (total + PRIOR);
  const alone = (i: number, a: number) =>
    (pairs[((i * variables + i) * states + a) * states + a] + PRIOR / states) / (total + PRIOR);
  const information = (i: number, j: number) => {
    let sum = 0;
    for (let a = 0; a < states; a++)
      for (let b = 0; b < states; b++) {
        const both = at(i, j, a, b);
        sum += both * Math.log(both / (alone(i, a) * alone(j, b)));
      }
    return sum;
  };
  const parents = spanningTree(variables, information);
  const children = parents.map((_, parent) => parents.flatMap((own, child) => (own === parent ? [child] : [])));
  // The table of each variable given its parent, [parent's state, own state].
  const tables = parents.map((parent, own) =>
    Float64Array.from({ length: states * states }, (_, cell) => {
      const [above, state] = [Math.floor(cell / states), cell % states];
      return Math.log(parent < 0 ? alone(own, state) : at(parent, own, above, state) / alone(parent, above));
    }),
  );
  const term = (own: number, stateOf: (variable: number) => number) =>
    tables[own][(parents[own] < 0 ? 0 : stateOf(parents[own])) * states + stateOf(own)];
  return {
    parents,
    logProbability: (given) => tables.reduce((sum, _, own) => sum + term(own, (variable) => given[variable]), 0),
    mostTelling: (given) => {
      let best: { variable: number; state: number } | undefined;
      let most = 0;
      for (let variable = 0; variable < variables; variable++) {
        const touched = [variable, ...children[variable]];
        const sum = (stateOf: (other: number) => number) =>
          touched.reduce((partial, own) => partial + term(own, stateOf), 0);
        const now = sum((other) => given[other]);
        for (let state = 0; state < states; state++) {
          const gain = sum((other) => (other === variable ? state : given[other])) - now;
          if (gain > most + 1e-9) [most, best] = [gain, { variable, state }];
        }
      }
      return best;
    },
  };
}

/** Prim 1957 from the first variable; of equal edges the one of the lowest numbers. */
function spanningTree(count: number, weightOf: (i: number, j: number) => number): number[] {
  const parents = new Array<number>(count).fill(-1);
  const best = new Array<number>(count).fill(-Infinity);
  const isIn = new Array<boolean>(count).fill(false);
  for (let step = 0; step < count; step++) {
    let next = -1;
    for (let i = 0; i < count; i++) if (!isIn[i] && (next < 0 || best[i] > best[next])) next = i;
    isIn[next] = true;
    for (let i = 0; i < count; i++) {
      if (isIn[i]) continue;
      const weight = weightOf(next, i);
      if (weight > best[i]) [best[i], parents[i]] = [weight, next];
    }
  }
  return parents;
}
