/** What an import says besides its counts: what was left out, changed or decided, one sentence each. */

import type { InputError } from "../../core/errors.js";
import { SPLITS, type Split } from "../record.js";
import { type Drawable, keptWhole } from "./assign-splits.js";
import type { SplitMapping } from "./mapping.js";
import { splitIn } from "./places.js";
import { quoted } from "./quoted.js";
import type { Survey } from "./survey.js";

/** Bad files that are named. */
const MOST_NAMED = 5;

/** What the exports hold. */
export function surveyNotes({ bad, categories, left, splits }: Survey): string[] {
  return [
    ...badNotes(bad),
    ...[...left].map(([what, count]) => `left out${count === 1 ? "" : `, ${count} times`}: ${what}`),
    ...likeNames(categories.map(({ name }) => name)),
    ...unknownSplits(splits),
  ];
}

function badNotes(bad: readonly InputError[]): string[] {
  if (bad.length === 0) return [];
  const named = bad.slice(0, MOST_NAMED).map(({ what }) => what.replace(/\.$/, ""));
  const more = bad.length > MOST_NAMED ? [`and ${bad.length - MOST_NAMED} more`] : [];
  const count = bad.length === 1 ? "1 image is" : `${bad.length} images are`;
  return [`${count} left out: ${[...named, ...more].join("; ")}`];
}

/** Names that look alike, since they differ in spaces alone. */
function likeNames(names: readonly string[]): string[] {
  const byLook = new Map<string, string[]>();
  for (const name of names) {
    const look = name.replace(/\s+/gu, " ").trim();
    byLook.set(look, [...(byLook.get(look) ?? []), name]);
  }
  return [...byLook.values()]
    .filter((alike) => alike.length > 1)
    .map(
      (alike) => `categories that differ in spaces alone: ${quoted(alike)}; if they are one, join them in the mapping`,
    );
}

function unknownSplits(splits: Survey["splits"]): string[] {
  const unknown = [...splits.keys()].flatMap((word) => (word !== undefined && !splitIn(word) ? [word] : []));
  if (unknown.length === 0) return [];
  return [`splits called neither train, validation nor test: ${quoted(unknown)}; their images are drawn`];
}

/** How the images lie in the splits. */
export function splitNotes(images: readonly Drawable[], splits: readonly Split[], mapping: SplitMapping): string[] {
  const by = mapping.by ?? keptWhole(images);
  const given = new Set(images.flatMap(({ groups }) => Object.keys(groups)));
  const undivided = by.filter((name) => given.has(name));
  const divided = [...given].filter((name) => !by.includes(name));
  return [
    ...(undivided.length > 0 ? [`no split divides a group of ${quoted(undivided)}`] : []),
    ...(divided.length > 0 && mapping.by === undefined
      ? [`groups of too few values to be kept whole, which are in several splits: ${quoted(divided)}`]
      : []),
    ...movedNotes(images, splits, mapping),
    ...(undivided.length > 0 ? emptySplits(images, splits, mapping) : []),
    ...missingClasses(images, splits),
  ];
}

/** Images that their group took out of the split that the export gives them. */
function movedNotes(images: readonly Drawable[], splits: readonly Split[], { keep }: SplitMapping): string[] {
  if (!keep) return [];
  const hasValidation = images.some(({ split }) => split === "validation");
  const isCarved = (split: Split, at: number) => !hasValidation && split === "train" && splits[at] === "validation";
  const isMoved = ({ split }: Drawable, at: number) =>
    split !== undefined && split !== splits[at] && !isCarved(split, at);
  const count = images.filter(isMoved).length;
  if (count === 0) return [];
  return [`images that are in another split than the export has them, so that no group is divided: ${count}`];
}

/** Splits that no group was left for; an export whose own splits are kept may have no test images. */
function emptySplits(images: readonly Drawable[], splits: readonly Split[], { keep, shares }: SplitMapping): string[] {
  const isDrawn = !keep || images.some(({ split }) => split === undefined);
  const empty = SPLITS.filter(
    (split) => shares[split] > 0 && !splits.includes(split) && (isDrawn || split === "validation"),
  );
  if (empty.length === 0) return [];
  return [
    `no ${empty.join(" and no ")} image: there are too few groups; "by" in the mapping's splits says which count`,
  ];
}

function missingClasses(images: readonly Drawable[], splits: readonly Split[]): string[] {
  const classes = new Set(images.flatMap(({ labels }) => labels.filter((label) => label.startsWith("class "))));
  return (["validation", "test"] as const).flatMap((split) => {
    if (!splits.includes(split)) return [];
    const there = new Set(images.flatMap(({ labels }, at) => (splits[at] === split ? labels : [])));
    const missing = [...classes].filter((label) => !there.has(label)).map((label) => label.slice("class ".length));
    return missing.length === 0 ? [] : [`classes that no ${split} image has: ${quoted(missing)}`];
  });
}
