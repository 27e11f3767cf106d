/** Draws splits: by shares and seed, with every label in each of them in proportion, and no group in two. */

import { permutation, random } from "../../core/random.js";
import { SPLITS, type Split } from "../record.js";
import type { SplitMapping } from "./mapping.js";

/** What decides on an image's split. */
export interface Drawable {
  /** Such as `class ill` and `crack`: each should be in all splits in proportion. */
  readonly labels: readonly string[];
  readonly groups: Readonly<Record<string, string>>;
  /** The split that the export gives it. */
  readonly split?: Split;
}

/** Images that stay together, as positions. */
interface Unit {
  readonly members: number[];
  readonly labels: Map<string, number>;
}

const ALL = "";

/**
 * Iterative stratification (Sechidis et al. 2011): the rarest label first, each unit of it to the split that lacks it
 * most.
 *
 * @returns for each image its split.
 */
export function assignSplits(images: readonly Drawable[], { keep, shares, seed, by }: SplitMapping): Split[] {
  const units = unitsOf(images, by);
  const result: Split[] = new Array(images.length).fill("train");
  const put = ({ members }: Unit, split: Split) => {
    for (const member of members) result[member] = split;
  };
  const open: Unit[] = [];
  const kept = new Map<Split, Unit[]>(SPLITS.map((split) => [split, []]));
  for (const unit of units) {
    const given = keep
      ? unit.members.map((member) => images[member].split).find((split) => split !== undefined)
      : undefined;
    if (given === undefined) open.push(unit);
    else {
      kept.get(given)?.push(unit);
      put(unit, given);
    }
  }
  if (open.length > 0) stratify(open, shares, seed, put);
  const isDone = open.length > 0 || (kept.get("validation")?.length ?? 0) > 0 || shares.validation === 0;
  if (isDone) return result;
  // Training is judged by validation, so that a part of the training images becomes it where the export has none.
  const part = shares.validation / (shares.train + shares.validation);
  const train = kept.get("train") ?? [];
  if (train.length > 1) stratify(train, { train: 1 - part, validation: part, test: 0 }, seed, put);
  return result;
}

function stratify(
  units: readonly Unit[],
  shares: Readonly<Record<Split, number>>,
  seed: number,
  put: (unit: Unit, split: Split) => void,
): void {
  const used = SPLITS.filter((split) => shares[split] > 0);
  const order = permutation(units.length, random(seed, "splits"));
  const waiting = new Set(Array.from(order, (at) => units[at]));
  const totals = totalsOf(units);
  const wanted = new Map(
    used.map((split) => [split, new Map([...totals].map(([label, count]) => [label, count * shares[split]]))]),
  );
  const lack = (split: Split, label: string) => wanted.get(split)?.get(label) ?? 0;
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
function unitsOf(images: readonly Drawable[], by: readonly string[]): Unit[] {
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
