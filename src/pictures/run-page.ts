/**
 * `run.html` of a run folder: losses and validation score by epoch, the metrics of the best epoch, the configuration.
 */

import type { EpochRecord } from "../core/epoch-record.js";
import { metricNumbers, metricText } from "../core/metric-numbers.js";
import { ownValue } from "../core/own-value.js";
import { escapeHtml, htmlPage } from "./html-page.js";

const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#000000"];
const WIDTH = 640;
const HEIGHT = 240;
const LEFT = 52;
const BOTTOM = 24;

interface Line {
  readonly name: string;
  readonly values: readonly (number | null)[];
}

/** The data of a run that the page shows. */
export interface ShownRun {
  readonly title: string;
  readonly heads: readonly string[];
  /** The metric that the score is: `mean`, or a head. */
  readonly score: string;
  readonly stageCount: number;
  /** The configuration with all defaults filled in. */
  readonly config: object;
}

/** @returns a page that loads nothing. */
export function runPage(
  run: ShownRun,
  { history, best }: { history: readonly EpochRecord[]; best: Pick<EpochRecord, "stage" | "epoch"> | null },
): string {
  const losses = run.heads.map((name) => ({
    name,
    values: history.map((record) => ownValue(record.losses, name) ?? null),
  }));
  const scores = [{ name: `score (${run.score})`, values: history.map((record) => record.score) }];
  const bestAt = history.findIndex((record) => record.stage === best?.stage && record.epoch === best.epoch);
  const bestText = bestAt < 0 ? "" : `; best: epoch ${bestAt + 1}, score ${metricText(history[bestAt].score)}`;
  const stages = `${run.stageCount} ${run.stageCount === 1 ? "stage" : "stages"}`;
  return htmlPage(
    run.title,
    `<p>${history.length} epochs in ${stages}${bestText}.</p>
<h2>Validation score</h2>
${chart(scores, { mark: bestAt, from: 0 })}
<h2>Training loss of each head</h2>
${chart(losses, { mark: bestAt })}
<h2>Metrics of the best epoch, validation</h2>
${metricsTable(history[bestAt])}
<h2>Configuration</h2>
<pre>${escapeHtml(JSON.stringify(run.config, null, 2))}</pre>`,
  );
}

function chart(lines: readonly Line[], { mark, from }: { mark: number; from?: number }): string {
  const all = lines.flatMap((line) => line.values.filter((value) => value !== null));
  if (all.length === 0) return "<p>Not evaluated.</p>";
  const count = Math.max(...lines.map((line) => line.values.length));
  const low = from ?? Math.min(0, ...all);
  const high = Math.max(...all, low + 1e-9);
  const x = (index: number) => LEFT + ((WIDTH - LEFT - 8) * (index + 0.5)) / count;
  const y = (value: number) => HEIGHT - BOTTOM - ((HEIGHT - BOTTOM - 8) * (value - low)) / (high - low);
  const colourOf = (index: number) => COLOURS[index % COLOURS.length];
  const paths = lines.map((line, index) => {
    const points = line.values.flatMap((value, at) =>
      value === null ? [] : [`${x(at).toFixed(1)},${y(value).toFixed(1)}`],
    );
    return `<polyline fill="none" stroke="${colourOf(index)}" stroke-width="2" points="${points.join(" ")}"/>`;
  });
  const write = (text: string, place: { x: number; y: number; anchor?: "end" }) =>
    `<text x="${place.x}" y="${place.y}" font-size="11"${place.anchor ? ' text-anchor="end"' : ""}>${text}</text>`;
  const ticks = [low, (low + high) / 2, high].map(
    (value) =>
      write(value.toFixed(2), { x: LEFT - 6, y: y(value) + 4, anchor: "end" }) +
      `<path d="M${LEFT} ${y(value)}H${WIDTH - 8}" stroke="#ddd"/>`,
  );
  const marked = mark < 0 ? "" : `<path d="M${x(mark)} 8V${HEIGHT - BOTTOM}" stroke="#999" stroke-dasharray="4"/>`;
  const ends =
    write("epoch 1", { x: x(0), y: HEIGHT - 6 }) + write(`${count}`, { x: x(count - 1), y: HEIGHT - 6, anchor: "end" });
  const legend = lines.map((line, index) => `<span style="color:${colourOf(index)}">■</span> ${escapeHtml(line.name)}`);
  return (
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">${ticks.join("")}${marked}${paths.join("")}${ends}</svg>` +
    `<p>${legend.join(" &nbsp; ")}</p>`
  );
}

function metricsTable(record: EpochRecord | undefined): string {
  if (!record?.validation) return "<p>Not evaluated.</p>";
  const rows = Object.entries(record.validation).map(([head, metrics]) => {
    const numbers = metricNumbers(metrics as object).map(([name, value]) => `${escapeHtml(name)} ${metricText(value)}`);
    return `<tr><th>${escapeHtml(head)}</th><td>${numbers.join(", ")}</td></tr>`;
  });
  return `<table>${rows.join("")}</table>`;
}
