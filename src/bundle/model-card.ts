/** `MODEL_CARD.md`: what is known of a model, from its training alone; what was not measured is said to be so. */

import { isNumber } from "../core/json-values.js";
import { metricNumbers } from "../core/metric-numbers.js";
import { ownValue } from "../core/own-value.js";
import { scaleIn, scaleText } from "../core/relevance-scale.js";
import { sizeText } from "../core/size.js";
import { DEFAULT_SALIENCY } from "../explain/methods.js";
import type { HeadSpec } from "../heads/head-spec.js";
import type { NetworkSpec } from "../model/model-spec.js";
import { metricsOf, type Provenance, type TrainedModel } from "../model/trained-model.js";

/** @returns Markdown. */
export function modelCard({ spec, scales, provenance }: TrainedModel, { name }: { name: string }): string {
  const { dataset, warnings } = provenance;
  const counts = Object.entries(dataset.counts).map(([split, count]) => `${count} ${split}`);
  const content = dataset.contentHash === undefined ? "" : `, of its content ${dataset.contentHash}`;
  const hashes = `hash ${dataset.hash}${content}`;
  const size = sizeText(spec.trunk.inputSize);
  return [
    `# ${oneLine(name)}`,
    "",
    `An image classifier with aspect heads${spec.networks ? ", some of them on networks of their own" : " on one trunk"}. ` +
      "Beside its answer it says which aspects the answer relied on.",
    "",
    "## Model",
    "",
    `- Trunk: ${spec.trunk.name}, width ${spec.trunk.alpha}, input ${size} pixels RGB; ` +
      `started from ${oneLine(provenance.weights)}.`,
    `- Source layer: ${spec.source}.`,
    ...spec.heads.map((head) => `- ${headLine(head)}`),
    ...(spec.networks ?? []).map((network) => `- ${networkLine(network)}`),
    `- Relevance: ${scaleText(scaleIn(scales, DEFAULT_SALIENCY, "class"))}.`,
    "",
    "## Training",
    "",
    `- Dataset: ${oneLine(dataset.name)} (${counts.join(", ") || "counts unknown"}), ${hashes}.`,
    `- ${provenance.epochs} epochs, seed ${provenance.seed}.`,
    "",
    "## Metrics",
    "",
    ...metricLines(provenance),
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

/** A network of aspects, and how well the classifier's features reach it. */
function networkLine({ name, trunk, mapping: { kind, from, to, quality } }: NetworkSpec): string {
  const agreements = Object.entries(quality?.agreement ?? {}).map(
    ([aspect, value]) => `${oneLine(aspect)} ${value === null ? "not known" : value.toFixed(2)}`,
  );
  const measured = quality
    ? `; on ${quality.images} held-out images R2 ${quality.r2.toFixed(2)}, agreement ${agreements.join(", ")}`
    : "";
  return (
    `Network ${name}: ${oneLine(trunk.name)}, input ${sizeText(trunk.inputSize)} pixels; ` +
    `mapping ${kind}, from ${from} to ${to}${measured}.`
  );
}

function headLine(head: HeadSpec): string {
  const taps = head.taps.join(", ") + (head.network === undefined ? "" : ` of network ${head.network}`);
  if (head.kind !== "classifier")
    return `Aspect ${oneLine(head.name)}: ${head.kind}, on ${taps}, from ${head.threshold}.`;
  const classes = head.classes.length > 0 ? `: ${head.classes.map(oneLine).join(", ")}` : "";
  return `Classifier, ${head.task}, on ${taps}${classes}.`;
}

/** A table for each split that was evaluated. */
function metricLines(provenance: Provenance): string[] {
  const tables = metricsOf(provenance).flatMap(({ split, heads }) => {
    const rows = Object.entries(heads).flatMap(([head, numbers]) => metricRows(head, numbers));
    return [
      `On the split \`${oneLine(split)}\`:`,
      "",
      "| head | metric | value | labelled |",
      "|---|---|---|---|",
      ...rows,
      "",
    ];
  });
  return tables.length > 0 ? tables.slice(0, -1) : ["Not evaluated."];
}

/** A row for each number, those of the classes too. */
function metricRows(head: string, metrics: object): string[] {
  const { count = "unknown", intervals = {} } = metrics as { count?: number; intervals?: Record<string, unknown> };
  if (count === 0) return [`| ${oneLine(head)} | | not evaluated (0 labels) | 0 |`];
  return metricNumbers(metrics, { byClass: true }).map(([metric, value]) => {
    const shown = value === null ? "not evaluated" : short(value) + intervalText(ownValue(intervals, metric));
    return `| ${oneLine(head)} | ${oneLine(metric)} | ${shown} | ${count} |`;
  });
}

function short(value: number): string {
  return Number(value.toPrecision(4)).toString();
}

/** Behind a value, " (0.93 to 0.98)". */
function intervalText(interval: unknown): string {
  const isInterval = Array.isArray(interval) && interval.length === 2 && interval.every(isNumber);
  return isInterval ? ` (${interval.map(short).join(" to ")})` : "";
}

/** Names come from datasets: no line breaks, and nothing that would break a table. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").replaceAll("|", "\\|").trim();
}
