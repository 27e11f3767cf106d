/** Curves of a run over its epochs: the loss of each head, and its score on the validation images. */

import { ownValue } from "../core/own-value.js";
import { type HeadMetrics, scoreOf } from "../heads/metrics.js";
import { bestIndex, type RunFacts } from "../review/run-facts.js";
import { type Chart, chart } from "./charts.js";

/** Losses of which the highest is so many times the lowest are drawn on a logarithmic axis. */
const LOGARITHMIC_FROM = 10;

export function runCurves(run: RunFacts): string {
  const { history, heads, score } = run;
  if (history.length === 0) return '<p class="faint">No epoch is complete yet.</p>';
  const x = history.map((_, index) => index + 1);
  const common = { xLabel: "epoch", x, xRange: rangeOf(x.length), marks: marksOf(run), isCounted: true };
  const scoreOfHead = (name: string) =>
    history.map(({ validation }) => {
      const metrics = ownValue((validation ?? {}) as Readonly<Record<string, HeadMetrics>>, name);
      return metrics ? scoreOf(metrics) : null;
    });
  const scores = heads.map(({ name }) => ({ name, values: scoreOfHead(name) })).filter(isMeasured);
  const overall = { name: `score (${score})`, values: history.map((record) => record.score) };
  const losses = ["total", ...heads.map(({ name }) => name)]
    .map((name) => ({ name, values: history.map((record) => ownValue(record.losses, name) ?? null) }))
    .filter(isMeasured);
  const values = losses.flatMap((line) => line.values.filter((value) => value !== null));
  const isWide = Math.min(...values) > 0 && Math.max(...values) > LOGARITHMIC_FROM * Math.min(...values);
  const shown: Chart[] = [
    ...(scores.length > 0
      ? [
          {
            ...common,
            title: "Validation score",
            note: "0 to 1, higher is better",
            lines: [overall, ...scores],
            range: [0, 1] as const,
          },
        ]
      : []),
    {
      ...common,
      title: "Training loss",
      note: isWide ? "lower is better; logarithmic" : "lower is better",
      lines: losses,
      isLogarithmic: isWide,
    },
  ];
  const none = scores.length > 0 ? "" : "<p>Not evaluated: no labelled sample has the split “validation”.</p>";
  return `${none}<div class="grid">${shown.map(chart).join("\n")}</div>`;
}

const isMeasured = ({ values }: { values: readonly (number | null)[] }) => values.some((value) => value !== null);

/** A little room on both sides, so that a single epoch is a point in the middle. */
function rangeOf(count: number): [number, number] {
  return count === 1 ? [0.5, 1.5] : [1, count];
}

/** Where a stage begins, and the best epoch. */
function marksOf(run: RunFacts): NonNullable<Chart["marks"]> {
  const { history } = run;
  const starts = history.flatMap(({ stage }, index) =>
    index > 0 && stage !== history[index - 1].stage ? [{ x: index + 0.5, name: `stage ${stage + 1}` }] : [],
  );
  const best = bestIndex(run);
  return [...starts, ...(best < 0 ? [] : [{ x: best + 1, name: "best" }])];
}
