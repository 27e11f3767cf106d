/** Counts the groups of a dataset's samples, and finds those that lie in several splits. */

import { ownValue } from "../core/own-value.js";
import { type SampleRecord, SPLITS, type Split } from "./record.js";

/** How the samples are grouped under one name. */
export interface GroupSummary {
  /** Different values. */
  count: number;
  /** Values that lie in more than one split. */
  acrossSplitsCount: number;
  /** Samples that have a value. */
  sampleCount: number;
}

/** A group at the first sample in another split than its first. */
export interface GroupCrossing {
  readonly name: string;
  readonly value: string;
  /** Split of the group's first sample. */
  readonly first: Split;
}

/** Counts that grow by `add`; about a hundred bytes of memory for each group, none for each sample. */
export function groupCounts(): {
  /** By name; changed in place. */
  readonly summary: Record<string, GroupSummary>;
  /** @returns the groups that this sample is the first to carry into a second split. */
  add(record: Pick<SampleRecord, "groups" | "split">): GroupCrossing[];
} {
  const summary: Record<string, GroupSummary> = {};
  const seen = new Map<string, { first: Split; isAcross: boolean }>();
  return {
    summary,
    add({ groups, split }) {
      const crossings: GroupCrossing[] = [];
      for (const [name, value] of Object.entries(groups ?? {})) {
        const own = ownValue(summary, name) ?? { count: 0, acrossSplitsCount: 0, sampleCount: 0 };
        summary[name] = own;
        own.sampleCount++;
        const key = JSON.stringify([name, value]);
        const known = seen.get(key);
        if (!known) {
          seen.set(key, { first: split, isAcross: false });
          own.count++;
        } else if (known.first !== split && !known.isAcross) {
          known.isAcross = true;
          own.acrossSplitsCount++;
          crossings.push({ name, value, first: known.first });
        }
      }
      return crossings;
    },
  };
}

/** Warnings about groups of a whole dataset, as sentences: a name that only some samples have. */
export function groupWarnings(
  groups: Readonly<Record<string, GroupSummary>>,
  samples: Readonly<Record<Split, number>>,
): string[] {
  const all = SPLITS.reduce((sum, split) => sum + samples[split], 0);
  return Object.entries(groups)
    .filter(([, { sampleCount }]) => sampleCount < all)
    .map(
      ([name, { sampleCount }]) =>
        `group "${name}" is given for ${sampleCount} of ${all} samples. ` +
        "Each of the others counts as a group of its own; give it for all, or check the name.",
    );
}

/** Whether a group of so many values can be kept whole: of fewer than splits, one split would be empty. */
export function canBeWhole(valueCount: number): boolean {
  return valueCount >= SPLITS.length;
}

/** Groups that lie in several splits though they could be kept whole, as sentences. */
export function dividedGroups(groups: Readonly<Record<string, GroupSummary>>): string[] {
  return Object.entries(groups)
    .filter(([, { count, acrossSplitsCount }]) => canBeWhole(count) && acrossSplitsCount > 0)
    .map(
      ([name, { count, acrossSplitsCount }]) =>
        `${acrossSplitsCount} of ${count} groups "${name}" lie in several splits: results will look better than they are.`,
    );
}
