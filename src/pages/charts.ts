/** Charts of lines: their data as JSON beside an empty figure, which uPlot (MIT), written into the page, fills. */

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { escapeHtml, scriptJson } from "./html-page.js";

export interface Line {
  readonly name: string;
  /** One for each `x`; `null` leaves a gap. */
  readonly values: readonly (number | null)[];
  /** Points alone, no line between them. */
  readonly isScatter?: boolean;
  /** A guide for the eye: thin, dashed, grey. */
  readonly isGuide?: boolean;
}

export interface Chart {
  readonly title: string;
  readonly xLabel: string;
  /** In ascending order. */
  readonly x: readonly number[];
  readonly lines: readonly Line[];
  /** Lowest and highest value of the y axis; `null` follows the data. */
  readonly range?: readonly [number | null, number | null];
  readonly xRange?: readonly [number, number];
  /** Vertical lines. */
  readonly marks?: readonly { readonly x: number; readonly name: string }[];
  /** The y axis, of values above 0. */
  readonly isLogarithmic?: boolean;
  /** Numbers on the x axis are whole. */
  readonly isCounted?: boolean;
  readonly note?: string;
}

/** @returns a figure; `chartScript` draws it. */
export function chart(one: Chart): string {
  const names = one.lines.map(({ name }) => name).join(", ");
  const note = one.note === undefined ? "" : ` <span class="faint">${escapeHtml(one.note)}</span>`;
  return (
    `<figure class="chart"><figcaption><b>${escapeHtml(one.title)}</b>${note}</figcaption>` +
    `<div class="plot" role="img" aria-label="${escapeHtml(`${one.title}: ${names}`)}"></div>` +
    `<script type="application/json">${scriptJson(one)}</script></figure>`
  );
}

/** Rules for charts, beside those of uPlot. */
const STYLE = `.chart{margin:.75rem 0}.plot{min-height:250px}.uplot,.u-legend{font:12px/1.4 system-ui,sans-serif}
.u-legend{text-align:left;margin:0}.u-legend.u-inline tr{margin-right:8px}.u-legend th{font-weight:500}
.u-legend tr,.u-legend td,.u-legend th{border:0;padding:1px 2px}.uplot table{display:block;overflow:visible}
.chart noscript{color:var(--faint)}`;

/** Okabe and Ito 2008, in the order of the drawings; darker on white, lighter on black where that is needed. */
const LIGHT = ["#0072b2", "#d55e00", "#009e73", "#aa3f87", "#b07900", "#2a8fc7", "#6b7480", "#1d2329"];
const DARK = ["#56b4e9", "#f0803c", "#2ec9a0", "#df92bd", "#e69f00", "#8cc8f0", "#9ba6b1", "#e6eaee"];

/** Runs in the page. */
const DRAW = `(() => {
const dark = matchMedia("(prefers-color-scheme: dark)");
const font = "11px system-ui,sans-serif", counts = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000];
const dashes = [[], [6, 4], [2, 3]];
const text = (v) => v == null ? "–" : Math.abs(v) >= 100 ? v.toFixed(0) : v.toFixed(3);
const powers = (u, all) => all.map((v) => v == null ? null : String(+v.toPrecision(3)));
const draw = (figure) => {
  const box = figure.querySelector(".plot"), c = JSON.parse(figure.querySelector("script").textContent);
  const style = getComputedStyle(document.documentElement), of = (name) => style.getPropertyValue(name).trim();
  const colours = dark.matches ? DARK : LIGHT, axis = { stroke: of("--faint"), grid: { stroke: of("--line"), width: 1 },
    ticks: { stroke: of("--line"), width: 1 }, font, labelFont: font };
  let next = 0;
  const series = c.lines.map((line) => {
    if (line.isGuide) return { label: line.name, stroke: of("--faint"), width: 1, dash: [4, 4], points: { show: false },
      value: (u, v) => text(v) };
    const at = next++, colour = colours[at % colours.length];
    return { label: line.name, stroke: colour, width: 2, dash: dashes[Math.floor(at / colours.length) % 3],
      paths: line.isScatter ? () => null : undefined, spanGaps: true, value: (u, v) => text(v),
      points: { show: line.isScatter || c.x.length < 3 || undefined, size: line.isScatter ? 4 : 6, fill: colour } };
  });
  // In the legend, whole lines are full squares, dashed ones hollow.
  const fills = series.map(({ dash, stroke }) => dash && dash.length > 0 ? "transparent" : stroke);
  const [low, high] = c.range || [null, null];
  const marks = (u) => {
    const { ctx, bbox } = u;
    ctx.save(); ctx.strokeStyle = of("--faint"); ctx.fillStyle = of("--faint"); ctx.setLineDash([3, 3]);
    ctx.font = 10 * devicePixelRatio + "px system-ui,sans-serif"; ctx.textBaseline = "top";
    for (const { x, name } of c.marks || []) {
      const at = Math.round(u.valToPos(x, "x", true));
      ctx.beginPath(); ctx.moveTo(at, bbox.top); ctx.lineTo(at, bbox.top + bbox.height); ctx.stroke();
      const isRight = at > bbox.left + bbox.width / 2; ctx.textAlign = isRight ? "right" : "left";
      ctx.fillText(name, at + (isRight ? -4 : 4) * devicePixelRatio, bbox.top + 2);
    }
    ctx.restore();
  };
  const at = c.marks && c.marks.length ? c.x.indexOf(c.marks[c.marks.length - 1].x) : -1;
  const legend = (u) => { if (at >= 0) u.setLegend({ idx: at }); };
  box.replaceChildren();
  const u = new uPlot({ width: box.clientWidth, height: 230, series: [{ label: c.xLabel, value: (u, v) =>
      v == null ? "–" : c.isCounted ? v : v.toFixed(2) }, ...series],
    scales: { x: { time: false, range: c.xRange ? () => c.xRange : undefined }, y: c.isLogarithmic ? { distr: 3 } :
      { range: (u, min, max) => {
      const from = low ?? Math.min(0, min ?? 0), to = high ?? (max > from ? max + 0.05 * (max - from) : from + 1);
      return [from, to]; } } },
    axes: [{ ...axis, label: c.xLabel, labelSize: 18, size: 32, incrs: c.isCounted ? counts : undefined },
      { ...axis, size: 48, values: c.isLogarithmic ? powers : undefined }],
    legend: { markers: { fill: (u, i) => fills[i - 1] } },
    cursor: { drag: { x: false, y: false } }, hooks: { draw: [marks], ready: [legend] } },
    [c.x, ...c.lines.map((line) => line.values)], box);
  return u;
};
const figures = [...document.querySelectorAll(".chart")], plots = figures.map(draw);
dark.addEventListener("change", () => figures.forEach((figure, i) => { plots[i].destroy(); plots[i] = draw(figure); }));
addEventListener("resize", () => plots.forEach((u) =>
  u.setSize({ width: u.root.parentNode.clientWidth, height: 230 })));
})()`;

/** What a page with charts holds once: uPlot's rules for its `style`, and the script for the end of its body. */
export async function chartParts(): Promise<{ style: string; script: string }> {
  const require = createRequire(import.meta.url);
  const [library, rules] = await Promise.all(
    [require.resolve("uplot/dist/uPlot.iife.min.js"), require.resolve("uplot/dist/uPlot.min.css")].map((file) =>
      readFile(file, "utf8"),
    ),
  );
  const colours = `const LIGHT = ${JSON.stringify(LIGHT)}, DARK = ${JSON.stringify(DARK)};`;
  const licence = "/* uPlot, MIT licence, Copyright (c) 2022 Leon Sorokin */";
  const scripts = [`${licence} ${library}`, `${colours}\n${DRAW}`];
  return { style: rules + STYLE, script: scripts.map((code) => `<script>${code}</script>`).join("\n") };
}
