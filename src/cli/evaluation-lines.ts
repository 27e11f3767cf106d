/** An evaluation as lines of text: a table for each head, with intervals and what would be reached without the model. */

import { metricText } from "../core/metric-numbers.js";
import { formatTable } from "../core/text-table.js";
import type { HeadEvaluation } from "../evaluation/create-tally.js";
import type { GroupMetrics, SplitEvaluation } from "../evaluation/split-evaluation.js";
import { meanOf } from "../metrics/weights.js";
import { classLines } from "./classifier-lines.js";
import { drawnText, rangeText } from "./interval-text.js";

/** A metric that is shown: its key, what people call it, and what is reached without the model. */
type Row = readonly [key: string, name: string, baseline?: string];

/** Groups of one name that are shown; all are in the JSON. */
const SHOWN_GROUPS = 20;

/** Every head, then the groups. */
export function evaluationLines({ heads, groups = {}, intervals }: SplitEvaluation): string[] {
  const drawn = drawnText(intervals.drawn);
  return [
    ...Object.entries(heads).flatMap(([name, result]) => headLines(name, result)),
    ...Object.entries(groups).flatMap(([name, values]) => groupLines(name, values, heads)),
    `intervals: 95 %, by drawing ${drawn} again and again (bootstrap)`,
  ];
}

function headLines(name: string, result: HeadEvaluation): string[] {
  const kind = result.kind === "classifier" ? `${result.kind}, ${result.task}` : result.kind;
  if (result.count === 0) return [`${name} (${kind}): not evaluated (0 labels)`, ""];
  const rows = rowsOf(result).map(([key, metric, baseline = ""]) => {
    const value = (result as unknown as Readonly<Record<string, number | null | undefined>>)[key] ?? null;
    const interval = result.intervals[key];
    return [metric, value === null ? "-" : metricText(value, key), rangeText(interval), value === null ? "" : baseline];
  });
  return [
    `${name} (${kind}): ${result.count} labelled ${result.count === 1 ? "image" : "images"}`,
    ...formatTable([["metric", "value", "95 % interval", "without the model"], ...rows]).map((line) => `  ${line}`),
    ...notes(result).map((line) => `  ${line}`),
    ...(result.kind === "classifier" ? classLines(result).map((line) => `  ${line}`) : []),
    "",
  ];
}

function rowsOf(result: HeadEvaluation): readonly Row[] {
  const text = metricText;
  switch (result.kind) {
    case "classifier":
      if (result.task === "regression")
        return [
          ["mae", "mean absolute error", `${text(result.maeBaseline)}, always the mean`],
          ["rmse", "root of mean squared error"],
          ["r2", "R squared", "0.000"],
          ["rankCorrelation", "rank correlation", "0.000"],
        ];
      if (result.task === "multi")
        return [
          ["meanAveragePrecision", "average precision, mean", text(meanOf(Object.values(result.prevalence)))],
          ["meanAuc", "area under ROC, mean", "0.500"],
          ["f1", "F1, all decisions"],
          ["calibrationError", "calibration error"],
        ];
      return [
        [
          "accuracy",
          "accuracy",
          `${text(result.majorityBaseline)}, always "${mostFrequent(result.confusion, result.recall)}"`,
        ],
        [
          "balancedAccuracy",
          "balanced accuracy",
          text(1 / Object.values(result.recall).filter((own) => own !== null).length),
        ],
        ["auc", "area under ROC, mean", "0.500"],
        ["f1", "F1, mean"],
        ["calibrationError", "calibration error"],
      ];
    case "segmentation":
      return [
        ["iou", "IoU", `${text(result.pixelShare)}, everywhere`],
        ["iouAtOriginalSize", "IoU at the images' own size"],
        ["iouWherePresent", "IoU of images that hold it"],
        ["dice", "Dice"],
        ["boundaryF1", "F1 of boundaries"],
        ["falseAlarmRate", "empty images with a find"],
      ];
    case "boxes":
      return [
        ["ap", "AP 0.50:0.95"],
        ["ap50", "AP50"],
        ["f1", "F1"],
        ["precision", "precision"],
        ["recall", "recall"],
      ];
    case "presence":
      return [
        ["auc", "area under ROC", "0.500"],
        ["averagePrecision", "average precision", text(result.prevalence)],
        ["f1", "F1", `${text(result.f1Baseline)}, always yes`],
        ["precision", "precision"],
        ["recall", "recall"],
        ["accuracy", "accuracy"],
        ["calibrationError", "calibration error"],
      ];
    case "amount":
      return [
        ["mae", "mean absolute error", `${text(result.maeBaseline)}, always the mean`],
        ["r2", "R squared", "0.000"],
        ["rankCorrelation", "rank correlation", "0.000"],
      ];
  }
}

function notes(result: HeadEvaluation): string[] {
  if (result.kind === "boxes") return [`the experts' boxes: ${result.instanceCount}`];
  if (result.kind !== "segmentation" || !result.tooSmallCount) return [];
  return [`too small to be found at this input size in ${result.tooSmallCount} of the images`];
}

function mostFrequent(confusion: readonly (readonly number[])[], byClass: Readonly<Record<string, unknown>>): string {
  const totals = confusion.map((row) => row.reduce((sum, count) => sum + count, 0));
  return Object.keys(byClass)[totals.indexOf(Math.max(...totals))];
}

/** Each value of a name with the headline metric of each head, and how many labelled images that is of. */
function groupLines(
  name: string,
  values: Readonly<Record<string, Readonly<Record<string, GroupMetrics>>>>,
  heads: SplitEvaluation["heads"],
): string[] {
  const measured = Object.entries(heads).filter(([, { count }]) => count > 0);
  const columns = measured.map(([head, result]) => [head, rowsOf(result)[0]] as const);
  const rows = Object.entries(values).map(([value, metrics]) => [
    value,
    ...columns.map(([head, [key]]) => `${cellText(metrics[head][key])} (${metrics[head].count})`),
  ]);
  const more = rows.length - SHOWN_GROUPS;
  return [
    `by ${name} (labelled images):`,
    ...formatTable(
      [[name, ...columns.map(([head, [, metric]]) => `${head}: ${metric}`)], ...rows.slice(0, SHOWN_GROUPS)], // biome-ignore format: one table
    ).map((line) => `  ${line}`),
    ...(more > 0 ? [`  and ${more} more, which --json and --out hold`] : []),
    "",
  ];
}

function cellText(value: number | null): string {
  return value === null ? "-" : metricText(value);
}
