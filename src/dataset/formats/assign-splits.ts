/** Which split each imported image goes to: the one that its export gives it, else one that is drawn. */

import { canBeWhole } from "../group-counts.js";
import { SPLITS, type Split } from "../record.js";
import { type Stratified, stratify, type Unit, unitsOf } from "../stratify.js";
import type { SplitMapping } from "./mapping.js";

/** What decides on an image's split. */
export interface Drawable extends Stratified {
  /** The split that the export gives it. */
  readonly split?: Split;
}

/** Names of the groups that splits keep whole by default: all that can be. */
export function keptWhole(images: readonly Pick<Drawable, "groups">[]): string[] {
  const names = new Set(images.flatMap(({ groups }) => Object.keys(groups)));
  return [...names].filter((name) => canBeWhole(new Set(images.flatMap(({ groups }) => groups[name] ?? [])).size));
}

/** @returns for each image its split. */
export function assignSplits(images: readonly Drawable[], { keep, shares, seed, by }: SplitMapping): Split[] {
  const units = unitsOf(images, by ?? keptWhole(images));
  const result: Split[] = new Array(images.length).fill("train");
  const put = ({ members }: Unit, split: Split) => {
    for (const member of members) result[member] = split;
  };
  const draw = (units: readonly Unit[], parts: readonly number[]) =>
    stratify(units, { shares: parts, seed, put: (unit, part) => put(unit, SPLITS[part]) });
  const open: Unit[] = [];
  const kept = new Map<Split, Unit[]>(SPLITS.map((split) => [split, []]));
  for (const unit of units) {
    const given = keep ? mostFrequent(unit.members.flatMap((member) => images[member].split ?? [])) : undefined;
    if (given === undefined) open.push(unit);
    else {
      kept.get(given)?.push(unit);
      put(unit, given);
    }
  }
  if (open.length > 0)
    draw(
      open,
      SPLITS.map((split) => shares[split]),
    );
  const isDone = open.length > 0 || (kept.get("validation")?.length ?? 0) > 0 || shares.validation === 0;
  if (isDone) return result;
  // Training is judged by validation, so that a part of the training images becomes it where the export has none.
  const part = shares.validation / (shares.train + shares.validation);
  const train = kept.get("train") ?? [];
  if (train.length > 1) draw(train, [1 - part, part, 0]);
  return result;
}

/** Of equally frequent ones the first. */
function mostFrequent(splits: readonly Split[]): Split | undefined {
  const count = (split: Split) => splits.filter((one) => one === split).length;
  return [...new Set(splits)].sort((a, b) => count(b) - count(a))[0];
}
