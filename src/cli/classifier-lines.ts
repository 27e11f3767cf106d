/**
 * A classifier's metrics for each class, as lines of text: accuracy alone does not show which classes are never
 * predicted.
 */

import { metricText } from "../core/metric-numbers.js";
import { formatTable } from "../core/text-table.js";
import type { ClassifierMetrics, MultiMetrics, SingleMetrics } from "../heads/classifier-reading.js";

/**
 * Up to so many classes the whole confusion matrix is shown; for more, only what each class is most often taken for.
 */
const SHOWN_CLASSES = 12;

/** Empty for a regression. */
export function classLines(metrics: ClassifierMetrics): string[] {
  if (metrics.count === 0 || metrics.task === "regression") return [];
  return metrics.task === "single" ? singleLines(metrics) : multiLines(metrics);
}

function singleLines({ recall, confusion }: SingleMetrics): string[] {
  const names = Object.keys(recall);
  const totals = confusion.map((row) => row.reduce((sum, count) => sum + count, 0));
  const isWhole = names.length <= SHOWN_CLASSES;
  const head = [
    "class",
    "images",
    "recall",
    ...(isWhole ? names.map((name) => `as ${name}`) : ["most often taken for"]),
  ];
  const rows = names.map((name, index) => [
    name,
    String(totals[index]),
    metricText(recall[name]),
    ...(isWhole ? confusion[index].map(String) : [takenFor(names, { row: confusion[index], index })]),
  ]);
  return formatTable([head, ...rows]);
}

function takenFor(names: readonly string[], { row, index }: { row: readonly number[]; index: number }): string {
  const wrong = row.map((count, column) => (column === index ? 0 : count));
  const most = Math.max(...wrong);
  return most === 0 ? "-" : `${names[wrong.indexOf(most)]} (${most})`;
}

function multiLines({ recall, prevalence, averagePrecision, auc }: MultiMetrics): string[] {
  const rows = Object.keys(recall).map((name) => [
    name,
    metricText(prevalence[name]),
    metricText(recall[name]),
    metricText(averagePrecision[name]),
    metricText(auc[name]),
  ]);
  return formatTable([["class", "share", "recall", "average precision", "area under ROC"], ...rows]);
}
