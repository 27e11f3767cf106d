/** `MODEL_CARD.md`: what is known of a model, from its training alone; what was not measured is said to be so. */

import type { HeadSpec } from "../heads/head.js";
import { besideText, type TrainedModel } from "../trained-model.js";

/** @returns Markdown. */
export function modelCard({ spec, threshold, provenance }: TrainedModel, { name }: { name: string }): string {
  const { dataset, metrics, warnings } = provenance;
  const counts = Object.entries(dataset.counts).map(([split, count]) => `${count} ${split}`);
  const size = spec.trunk.inputSize;
  return [
    `# ${oneLine(name)}`,
    "",
    "An image classifier with aspect heads on one trunk. Beside its answer it says which aspects the answer relied on.",
    "",
    "## Model",
    "",
    `- Trunk: ${spec.trunk.name}, width ${spec.trunk.alpha}, input ${size} x ${size} pixels RGB; started from ${oneLine(provenance.weights)}.`,
    `- Source layer: ${spec.source}.`,
    ...spec.heads.map((head) => `- ${headLine(head)}`),
    `- Relevance threshold: ${threshold.value.toFixed(3)}${besideText(threshold)}, ${threshold.isCalibrated ? "calibrated on validation data" : "not calibrated: treat what is called relevant as a hint"}.`,
    "",
    "## Training",
    "",
    `- Dataset: ${oneLine(dataset.name)} (${counts.join(", ") || "counts unknown"}), hash ${dataset.hash}.`,
    `- ${provenance.epochs} epochs, seed ${provenance.seed}.`,
    "",
    "## Metrics",
    "",
    ...metricLines(metrics),
    "",
    "## Limits",
    "",
    ...(warnings.length > 0
      ? warnings.map((warning) => `- ${oneLine(warning)}`)
      : ["- No head gave cause for a warning in training."]),
    "- Images of another kind than the dataset's were not evaluated.",
    "- An aspect that has no head here cannot be named, whatever the answer relied on.",
    "",
  ].join("\n");
}

function headLine(head: HeadSpec): string {
  const taps = head.taps.join(", ");
  if (head.kind !== "classifier")
    return `Aspect ${oneLine(head.name)}: ${head.kind}, on ${taps}, from ${head.threshold}.`;
  const classes = head.classes.length > 0 ? `: ${head.classes.map(oneLine).join(", ")}` : "";
  return `Classifier, ${head.task}, on ${taps}${classes}.`;
}

/** A table for each split; the metrics of a split are `aspectlens-metrics/1`, its name the key. */
function metricLines(metrics: Readonly<Record<string, unknown>>): string[] {
  const tables = Object.entries(metrics).flatMap(([split, value]) => {
    const heads = isRecord(value) && isRecord(value.heads) ? value.heads : undefined;
    if (!heads) return [];
    const rows = Object.entries(heads).flatMap(([head, numbers]) => metricRows(head, numbers));
    return [`On the split \`${split}\`:`, "", "| head | metric | value | labelled |", "|---|---|---|---|", ...rows, ""];
  });
  return tables.length > 0 ? tables.slice(0, -1) : ["Not evaluated."];
}

function metricRows(head: string, numbers: unknown): string[] {
  if (!isRecord(numbers)) return [];
  const count = typeof numbers.count === "number" ? String(numbers.count) : "unknown";
  return Object.entries(numbers)
    .filter(([metric, value]) => metric !== "count" && (value === null || typeof value === "number"))
    .map(([metric, value]) => {
      const shown = typeof value === "number" ? Number(value.toPrecision(4)).toString() : "not evaluated";
      return `| ${oneLine(head)} | ${metric} | ${shown} | ${count} |`;
    });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Names come from datasets: no line breaks, and nothing that would break a table. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").replaceAll("|", "\\|").trim();
}
