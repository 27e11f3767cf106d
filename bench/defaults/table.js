/** Prints the results beside what was wanted, as Markdown: `node bench/defaults/table.js [RESULTS]`. */

import { RESULTS, readResults } from "./results.js";
import { WANTED } from "./wanted.js";

/** @typedef {import("./results.js").Result} Result */
/** @typedef {import("./wanted.js").Wanted} Wanted */

const results = readResults(process.argv[2] ?? RESULTS);
const titles = ["trained", "half", "measured on", "head", "metric", "wanted", "mean", "each seed", "met"];
printTable(titles, WANTED.map(rowOf));
const grouped = results.filter(({ groups, split }) => groups && split === "test");
if (grouped.length > 0) {
  console.log("\nBy group, on the test split, the mean over the heads of aspects:\n");
  printTable(["trained", "seed", "group", "images", "class accuracy", "metric", "aspects"], grouped.flatMap(groupRows));
}

/** @param {Wanted} wanted */
function rowOf(wanted) {
  const { set, head = "explanation", metric, split = "test", beside } = wanted;
  const own = numbersOf(wanted);
  const other = beside ? numbersOf({ ...wanted, set: beside }) : undefined;
  const both = [...own].flatMap(([seed, value]) => {
    const less = other ? other.get(seed) : 0;
    return less === undefined ? [] : [{ seed, value: value - less }];
  });
  const half = results.find((result) => result.set === set)?.half ?? "";
  const named = beside ? `${set}, less ${beside}` : set;
  const mean = both.length > 0 ? both.reduce((sum, { value }) => sum + value, 0) / both.length : undefined;
  const each = both.map(({ seed, value }) => `${shown(value)} (${seed})`).join(", ");
  const isMeasured = results.some((result) => result.set === set && result.split === split);
  const met = isMeasured ? isMet(wanted, mean) : "";
  return [named, half, split, head, metric, boundOf(wanted), shown(mean), each || "-", met];
}

/** @param {Wanted} wanted @returns {Map<number, number>} by seed. */
function numbersOf({ set, head, metric, split = "test" }) {
  const measured = results.filter((result) => result.set === set && result.split === split);
  const values = measured.map((result) => /** @type {const} */ ([result.seed, numberOf(result, head, metric)]));
  return new Map(values.flatMap(([seed, value]) => (typeof value === "number" ? [[seed, value]] : [])));
}

/** @param {Result} result @param {string | undefined} head @param {string} metric @returns {number | null | undefined} */
function numberOf({ split, heads, faithfulness, report }, head, metric) {
  if (head === undefined) return faithfulness?.[metric];
  if (!report) return heads?.[head]?.[metric];
  if (split === "separate") return report.heads[head]?.interval?.[1];
  const found = report.heads[head]?.metrics[metric];
  return found?.pooled ?? found?.mean;
}

/** @param {Result} result @returns {string[][]} */
function groupRows({ set, seed, groups = {} }) {
  return Object.values(groups).flatMap((values) =>
    Object.entries(values).map(([value, { class: classifier, ...aspects }]) => {
      const [metric] = ["iou", "ap50", "auc"].filter((name) => Object.values(aspects).some((one) => name in one));
      const numbers = Object.values(aspects).flatMap((one) => (typeof one[metric] === "number" ? [one[metric]] : []));
      const mean = numbers.length > 0 ? numbers.reduce((sum, one) => sum + one, 0) / numbers.length : undefined;
      return [
        set,
        String(seed),
        value,
        String(classifier?.count ?? ""),
        shown(classifier?.accuracy),
        metric,
        shown(mean),
      ];
    }),
  );
}

/** @param {Wanted} wanted */
function boundOf({ least, most }) {
  if (most !== undefined) return `<= ${most}`;
  return least === undefined || !Number.isFinite(least) ? "" : `>= ${least}`;
}

/** @param {Wanted} wanted @param {number | undefined} mean */
function isMet(wanted, mean) {
  if (boundOf(wanted) === "") return "";
  if (mean === undefined) return wanted.beside ? "" : "**no**";
  return mean >= (wanted.least ?? mean) && mean <= (wanted.most ?? mean) ? "yes" : "**no**";
}

/** @param {number | null | undefined} value */
function shown(value) {
  return typeof value === "number" ? value.toFixed(3) : "-";
}

/** @param {readonly string[]} titles @param {readonly (readonly string[])[]} rows */
function printTable(titles, rows) {
  for (const cells of [titles, titles.map(() => "---"), ...rows]) console.log(`| ${cells.join(" | ")} |`);
}
