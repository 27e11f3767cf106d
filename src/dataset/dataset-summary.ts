/** Counts a dataset's contents in one pass: samples per split, and the three label states of every head. */

import type { AspectKind } from "../core/annotation.js";
import { classLabels } from "../core/annotation.js";
import { ownValue } from "../core/own-value.js";
import { type GroupSummary, groupCounts } from "./group-counts.js";
import type { Manifest } from "./manifest.js";
import { annotationState, type SampleRecord, SPLITS, type Split } from "./record.js";

/** Empty: labelled as absent (`[]` for a multi-label classifier). Unlabelled: no label was given. */
export interface StateCounts {
  labelled: number;
  empty: number;
  unlabelled: number;
}

/** How many samples are labelled for one head. */
export interface HeadSummary {
  readonly kind: "classifier" | AspectKind;
  readonly states: Readonly<Record<Split, StateCounts>>;
  /** Amount aspects only: how many samples of any split have a map. */
  mapCount?: number;
}

/** How many samples and labels a dataset has, by split. */
export interface DatasetSummary {
  readonly samples: Record<Split, number>;
  /** The classifier, `class`, then the aspects in the manifest's order. */
  readonly heads: Readonly<Record<string, HeadSummary>>;
  /** Samples of each class, by split. */
  readonly classes: Readonly<Record<string, Record<Split, number>>>;
  /** How the samples are grouped, by the group's name; empty where they are not. */
  readonly groups: Readonly<Record<string, GroupSummary>>;
  /** Regression: mean and deviation (population) of the training values; deviation 1 where they are all equal. */
  scale?: { mean: number; deviation: number };
}

/** A summary that grows by `add`. */
export function tally(manifest: Manifest): { readonly summary: DatasetSummary; add(record: SampleRecord): void } {
  const head = (kind: HeadSummary["kind"]): HeadSummary => ({
    kind,
    states: perSplit(() => ({ labelled: 0, empty: 0, unlabelled: 0 })),
    ...(kind === "amount" ? { mapCount: 0 } : {}),
  });
  const grouped = groupCounts();
  const summary: DatasetSummary = {
    samples: perSplit(() => 0),
    heads: Object.fromEntries([
      ["class", head("classifier")],
      ...manifest.aspects.map((aspect) => [aspect.name, head(aspect.kind)]),
    ]),
    classes: Object.fromEntries(manifest.classes.map((name) => [name, perSplit(() => 0)])),
    groups: grouped.summary,
  };
  const values = { count: 0, mean: 0, squares: 0 };
  const add = (record: SampleRecord) => {
    const { split, target, aspects } = record;
    grouped.add(record);
    summary.samples[split]++;
    summary.heads.class.states[split][classState(target)]++;
    for (const name of classLabels(target) ?? []) summary.classes[name][split]++;
    for (const { name, kind } of manifest.aspects) {
      const annotation = ownValue(aspects, name);
      const own = summary.heads[name];
      own.states[split][annotationState(annotation, kind)]++;
      if (kind === "amount" && annotation?.map !== undefined) own.mapCount = (own.mapCount ?? 0) + 1;
    }
    if (target.value === undefined || split !== "train") return;
    // Welford 1962: one pass, no cancellation.
    const difference = target.value - values.mean;
    values.count++;
    values.mean += difference / values.count;
    values.squares += difference * (target.value - values.mean);
    summary.scale = { mean: values.mean, deviation: Math.sqrt(values.squares / values.count) || 1 };
  };
  return { summary, add };
}

/** Of the classifier: empty is a list of no labels. */
export function classState({ label, labels, value }: SampleRecord["target"]): keyof StateCounts {
  if (labels !== undefined) return labels.length === 0 ? "empty" : "labelled";
  return label === undefined && value === undefined ? "unlabelled" : "labelled";
}

function perSplit<T>(make: () => T): Record<Split, T> {
  const [train, validation, test] = SPLITS.map(make);
  return { train, validation, test };
}
