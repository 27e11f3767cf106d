/** The compared results as a Markdown page. */

/** @typedef {import("./compare-files.js").Item} Item */
/** @typedef {import("./run-build.js").Outcome} Outcome */

/** Of each kind of remark; the rest is counted. */
const MOST_SHOWN = 60;

/**
 * @param {readonly Item[]} items
 * @param {{ models: readonly string[], outcomes: readonly Outcome[], base: string, seconds: number }} of
 * @returns {string}
 */
export function resultsPage(items, { models, outcomes, base, seconds }) {
  const columns = [...models, "others"];
  const kinds = [...new Set(items.map(({ kind }) => kind))];
  const columnOf = (/** @type {Item} */ { model }) => (models.includes(model) ? model : "others");
  const rows = kinds.map((kind) => [
    kind,
    ...columns.map((column) => cell(items.filter((item) => item.kind === kind && columnOf(item) === column))),
  ]);
  const different = items.filter(({ verdict }) => verdict === "different");
  /** @type {Map<number | null, number>} */
  const codes = new Map();
  for (const { code } of outcomes) codes.set(code, (codes.get(code) ?? 0) + 1);
  const line = (/** @type {readonly string[]} */ cells) => `| ${cells.join(" | ")} |`;
  return [
    `# Same results as ${base}?`,
    "",
    different.length === 0
      ? `Yes: none of ${items.length} comparisons differs.`
      : `No: ${different.length} of ${items.length} comparisons differ.`,
    `Took ${seconds} s; ${outcomes.length} command lines, whose exit codes before were ` +
      `${[...codes].map(([code, count]) => `${code} (${count} times)`).join(", ")}.`,
    "",
    line(["", ...columns]),
    line(["---", ...columns.map(() => "---")]),
    ...rows.map(line),
    ...remarks("Different", different),
    ...remarks("Reworded, with the same numbers", chosen(items, "words")),
    ...remarks("Pages and pictures for people that look otherwise", chosen(items, "looks")),
    ...remarks("Graphs whose bytes differ; their outputs are compared above", chosen(items, "names")),
    "",
  ].join("\n");
}

/** @param {readonly Item[]} items @param {Item["verdict"]} verdict */
function chosen(items, verdict) {
  return items.filter((item) => item.verdict === verdict);
}

/** @param {readonly Item[]} items */
function cell(items) {
  if (items.length === 0) return "";
  const counts = /** @type {const} */ (["equal", "words", "looks", "names", "different"]).map((verdict) => {
    const count = chosen(items, verdict).length;
    return count === 0 ? "" : `${count} ${verdict === "different" ? "DIFFERENT" : verdict}`;
  });
  return counts.filter(Boolean).join(", ");
}

/** @param {string} title @param {readonly Item[]} items */
function remarks(title, items) {
  if (items.length === 0) return [];
  const lines = items.map(({ kind, name, where }) => `- ${kind}: \`${name}\`${where ? `: ${where}` : ""}`);
  const rest = lines.length > MOST_SHOWN ? [`- and ${lines.length - MOST_SHOWN} more`] : [];
  return ["", `## ${title}`, "", ...lines.slice(0, MOST_SHOWN), ...rest];
}
