/** Draws parts of a set: by shares and seed, with every label in each of them in proportion, and no group in two. */

import { permutation, random } from "../core/random.js";

/** What decides on an image's part. */
export interface Stratified {
  /** Such as `class ill` and `crack`: each should be in all parts in proportion. */
  readonly labels: readonly string[];
  readonly groups: Readonly<Record<string, string>>;
}

/** Images that stay together, as positions. */
export interface Unit {
  readonly members: number[];
  readonly labels: Map<string, number>;
}

const ALL = "";

/**
 * Iterative stratification (Sechidis et al. 2011): the rarest label first, each unit of it to the part that lacks it
 * most.
 *
 * @param options.shares of each part; they sum to 1.
 * @param options.put told of each unit once, with the number of its part, from 0.
 */
export function stratify(
  units: readonly Unit[],
  { shares, seed, put }: { shares: readonly number[]; seed: number; put: (unit: Unit, part: number) => void },
): void {
  const used = [...shares.keys()].filter((part) => shares[part] > 0);
  const order = permutation(units.length, random(seed, "splits"));
  const waiting = new Set(Array.from(order, (at) => units[at]));
  const totals = totalsOf(units);
  const wanted = new Map(
    used.map((part) => [part, new Map([...totals].map(([label, count]) => [label, count * shares[part]]))]),
  );
  const lack = (part: number, label: string) => wanted.get(part)?.get(label) ?? 0;
  const rarestFirst = [...totals.keys()].sort((a, b) => count(totals, a) - count(totals, b) || (a < b ? -1 : 1));
  for (const label of rarestFirst) {
    // The largest first, since they fit in fewer places; equal ones in the order drawn.
    const own = [...waiting].filter((unit) => unit.labels.has(label));
    own.sort((a, b) => count(b.labels, label) - count(a.labels, label));
    for (const unit of own) {
      const [best] = [...used].sort((a, b) => lack(b, label) - lack(a, label) || lack(b, ALL) - lack(a, ALL));
      put(unit, best);
      waiting.delete(unit);
      const needs = wanted.get(best);
      for (const [own, size] of unit.labels) needs?.set(own, lack(best, own) - size);
    }
  }
}

function totalsOf(units: readonly Unit[]): Map<string, number> {
  const totals = new Map<string, number>();
  for (const { labels } of units) for (const [label, size] of labels) totals.set(label, count(totals, label) + size);
  return totals;
}

function count(counts: ReadonlyMap<string, number>, label: string): number {
  return counts.get(label) ?? 0;
}

/** Images that share the value of any of the groups are one unit, also through others. */
export function unitsOf(images: readonly Stratified[], by: readonly string[]): Unit[] {
  const parent = Int32Array.from(images, (_, index) => index);
  const rootOf = (index: number): number => {
    let at = index;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]];
      at = parent[at];
    }
    return at;
  };
  const first = new Map<string, number>();
  for (const [index, { groups }] of images.entries())
    for (const name of by) {
      if (groups[name] === undefined) continue;
      const key = `${name}\0${groups[name]}`;
      const other = first.get(key);
      if (other === undefined) first.set(key, index);
      else parent[rootOf(index)] = rootOf(other);
    }
  const units = new Map<number, Unit>();
  for (const [index, { labels }] of images.entries()) {
    const root = rootOf(index);
    const unit = units.get(root) ?? { members: [], labels: new Map<string, number>() };
    units.set(root, unit);
    unit.members.push(index);
    for (const label of [ALL, ...labels]) unit.labels.set(label, count(unit.labels, label) + 1);
  }
  return [...units.values()];
}
