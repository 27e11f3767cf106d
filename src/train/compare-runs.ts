/** What two runs differ in: values of the configuration, and metrics of each head. */

import { leavesOf } from "../core/leaves.js";
import { metricNumbers } from "../core/metric-numbers.js";
import { ownValue } from "../core/own-value.js";
import type { Interval } from "../metrics/bootstrap.js";
import type { RunRecord } from "./read-run.js";

/** One metric of one head; `null` where a run does not have it. */
export interface MetricDifference {
  readonly split: string;
  readonly head: string;
  readonly metric: string;
  readonly a: number | null;
  readonly b: number | null;
  /** b - a. */
  readonly difference: number | null;
  readonly intervalA?: Interval;
  readonly intervalB?: Interval;
}

export interface RunComparison {
  readonly format: "aspectlens-comparison/1";
  readonly a: string;
  readonly b: string;
  /** Whether both were trained on the same part of the same manifest and samples file. */
  readonly isSameDataset: boolean;
  /** By key; a key that a run does not have is left out of its side. */
  readonly config: readonly { readonly key: string; readonly a?: unknown; readonly b?: unknown }[];
  /** Splits that both runs were evaluated on. */
  readonly metrics: readonly MetricDifference[];
}

/** Where a run lies says nothing of it. */
const NOT_COMPARED = ["out"];

export function compareRuns(a: RunRecord, b: RunRecord): RunComparison {
  return {
    format: "aspectlens-comparison/1",
    ...{ a: a.folder, b: b.folder },
    isSameDataset: partOf(a) === partOf(b),
    config: configDifferences(a, b),
    metrics: a.metrics.flatMap(({ split, heads }) => {
      const other = b.metrics.find((one) => one.split === split);
      if (!other) return [];
      const names = [...new Set([...Object.keys(heads), ...Object.keys(other.heads)])];
      return names.flatMap((head) =>
        metricDifferences(ownValue(heads, head) ?? {}, ownValue(other.heads, head) ?? {}).map((difference) => ({
          ...{ split, head },
          ...difference,
        })),
      );
    }),
  };
}

/** The same for runs of the same images. */
function partOf({ dataset, config }: RunRecord): string {
  return JSON.stringify([dataset.hash, config.images]);
}

/** Values that two configurations do not share, by key; where a run lies is left out. */
export function configDifferences(
  a: { readonly config: object },
  b: { readonly config: object },
): RunComparison["config"] {
  const [first, second] = [a, b].map(({ config }) => new Map(leavesOf(config)));
  const keys = [...new Set([...first.keys(), ...second.keys()])].filter((key) => !NOT_COMPARED.includes(key));
  return keys
    .filter((key) => JSON.stringify(first.get(key)) !== JSON.stringify(second.get(key)))
    .map((key) => ({
      key,
      ...(first.has(key) && { a: first.get(key) }),
      ...(second.has(key) && { b: second.get(key) }),
    }));
}

function metricDifferences(a: object, b: object): Omit<MetricDifference, "split" | "head">[] {
  const [first, second] = [a, b].map((metrics) => new Map(metricNumbers(metrics)));
  return [...new Set([...first.keys(), ...second.keys()])].map((metric) => {
    const [own, other] = [first.get(metric) ?? null, second.get(metric) ?? null];
    const [intervalA, intervalB] = [a, b].map((metrics) => intervalOf(metrics, metric));
    return {
      ...{ metric, a: own, b: other, difference: own === null || other === null ? null : other - own },
      ...(intervalA && { intervalA }),
      ...(intervalB && { intervalB }),
    };
  });
}

/** Of metrics that were measured with intervals. */
function intervalOf(metrics: object, metric: string): Interval | undefined {
  const intervals: unknown = "intervals" in metrics ? metrics.intervals : undefined;
  if (typeof intervals !== "object" || intervals === null) return undefined;
  const own: unknown = ownValue(intervals as Readonly<Record<string, unknown>>, metric);
  const [low, high]: readonly unknown[] = Array.isArray(own) ? own : [];
  return typeof low === "number" && typeof high === "number" ? [low, high] : undefined;
}
