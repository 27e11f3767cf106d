/**
 * The table of all conditions that are measured: `node bench/faithfulness/table.js` writes it anew from the results.
 */

import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CONDITIONS } from "./conditions.js";

/** @import { Faithfulness, FaithfulnessMethod, ScoreScale } from "aspectlens" */
/** @typedef {{ work: string, family: string, faithfulness: Faithfulness, withoutCauses: FaithfulnessMethod }} Result */

/**
 * @param {string} folder of results
 * @returns {Promise<string>} the file that it wrote.
 */
export async function writeTable(folder) {
  const there = await readdir(join(folder, "faithfulness"));
  /** @type {Result[]} */
  const results = [];
  for (const { name } of CONDITIONS) {
    if (!there.includes(`${name}.json`)) continue;
    results.push(JSON.parse(await readFile(join(folder, "faithfulness", `${name}.json`), "utf8")));
  }
  const path = join(folder, "faithfulness.md");
  const parts = [
    "# Does an explanation name the cause?",
    "Written by `node bench/faithfulness/run.js`; each row's numbers lie in `faithfulness/<condition>.json`. Line: the score from which an aspect is relevant, and what set it; with / without known causes, on the validation split, which holds other images.",
    "## The default, condition by condition",
    table(CONDITION_COLUMNS, results.map(conditionRow)),
    "## Controls",
    table(CONTROL_COLUMNS, results.map(controlRow)),
    "## Aspect by aspect",
    "Of the correctly classified images in which it is labelled and seen: called relevant by the default; where it was painted over, what the target lost and how many answers changed. A model that does not need an aspect loses nothing by it.",
    table(ASPECT_COLUMNS, results.flatMap(aspectRows)),
    "## Every pair of method and masking",
    "Over the conditions of the third column, among those on which every method was measured: share of images whose first aspect is a cause, and the worst condition's; AUC's worst; at each method's own line, the shares of causes and of distractors that are relevant. Relevance depends on the method alone, survival on the masking too.",
    table(PAIR_COLUMNS, pairRows(withCauses(results).filter(hasOtherMethods))),
  ];
  await writeFile(path, `${parts.join("\n\n")}\n`);
  return path;
}

const CONDITION_COLUMNS = [
  "condition",
  "accuracy",
  "images",
  "cause first",
  "cause relevant",
  "distractor relevant",
  "AUC",
  "line, with / without known causes",
  "without known causes: cause / distractor relevant",
  "all of several causes",
  "all of several used ones",
  "unexplained, cause has a head",
  "much or all elsewhere, cause has a head",
  "unexplained, it has none",
];

/** @param {Result} result */
function conditionRow({ work, faithfulness, withoutCauses: blind }) {
  const own = ownOf(faithfulness);
  const { count, counts, classifier } = faithfulness;
  return [
    work,
    percent(classifier.accuracy),
    String(count || counts.withoutCause),
    percent(own.namedCause),
    percent(own.causeRelevant),
    percent(own.distractorNamed),
    decimal(own.auc),
    `${line(own.scale)} / ${line(blind.scale)}`,
    `${percent(blind.causeRelevant)} / ${percent(blind.distractorNamed)}`,
    several(own.allCausesRelevant, counts.severalCauses),
    several(own.allUsedCausesRelevant, counts.severalUsedCauses),
    percent(own.unexplainedWithCause),
    percent(own.elsewhereWithCause),
    own.unexplainedWithoutCause === null
      ? "–"
      : `${percent(own.unexplainedWithoutCause)}; ${percent(blind.unexplainedWithoutCause)}`,
  ];
}

const CONTROL_COLUMNS = [
  "condition",
  "cause first at random",
  "by presence",
  "by survival",
  "by randomized classifiers",
  "called relevant by them",
  "by randomized heads",
  "called relevant by them",
  "coverage",
];

/** @param {Result} result */
function controlRow({ work, faithfulness }) {
  const { chance, controls, coverage } = faithfulness;
  const { presenceOnly, survival, randomClassifier, randomHeads } = controls;
  return [
    work,
    percent(chance.namedCause),
    percent(presenceOnly.namedCause),
    percent(survival.namedCause),
    percent(randomClassifier?.namedCause ?? null),
    percent(randomClassifier?.relevant ?? null),
    percent(randomHeads?.namedCause ?? null),
    percent(randomHeads?.relevant ?? null),
    percent(coverage),
  ];
}

const ASPECT_COLUMNS = [
  "condition",
  "aspect",
  "images",
  "relevant",
  "painted over in",
  "target lost",
  "answers changed",
];

/** @param {Result} result */
function aspectRows({ work, faithfulness }) {
  return Object.entries(faithfulness.aspects).map(([name, { count, relevant, removal }]) => [
    work,
    name,
    String(count),
    percent(relevant),
    String(removal?.count ?? 0),
    decimal(removal?.lost ?? null),
    percent(removal?.flipped ?? null),
  ]);
}

const PAIR_COLUMNS = [
  "saliency",
  "masking",
  "conditions",
  "by relevance: mean",
  "worst",
  "worst AUC",
  "causes relevant, mean and worst",
  "distractors relevant, mean and worst",
  "by survival: mean",
  "worst",
  "worst AUC",
];

/** @param {readonly Result[]} results best first. */
function pairRows(results) {
  /** @type {Map<string, FaithfulnessMethod[]>} */
  const byPair = new Map();
  for (const { faithfulness } of results) {
    for (const method of faithfulness.methods) {
      const key = `${method.saliency} ${method.masking}`;
      byPair.set(key, [...(byPair.get(key) ?? []), method]);
    }
  }
  const rows = [...byPair].map(([key, methods]) => {
    const relevance = methods.map(({ namedCause }) => namedCause ?? 0);
    const survival = methods.map(({ bySurvival }) => bySurvival.namedCause ?? 0);
    const cells = [
      ...key.split(" "),
      String(methods.length),
      percent(mean(relevance)),
      percent(Math.min(...relevance)),
      decimal(Math.min(...methods.map(({ auc }) => auc ?? 0))),
      spread(
        methods.map(({ causeRelevant }) => causeRelevant ?? 0),
        Math.min,
      ),
      spread(
        methods.map(({ distractorNamed }) => distractorNamed ?? 0),
        Math.max,
      ),
      percent(mean(survival)),
      percent(Math.min(...survival)),
      decimal(Math.min(...methods.map(({ bySurvival }) => bySurvival.auc ?? 0))),
    ];
    return { cells, rank: [mean(relevance), mean(survival)] };
  });
  return rows.sort((a, b) => b.rank[0] - a.rank[0] || b.rank[1] - a.rank[1]).map(({ cells }) => cells);
}

/** @param {readonly Result[]} results */
function withCauses(results) {
  return results.filter(({ faithfulness }) => faithfulness.count > 0);
}

/** @param {Result} result */
function hasOtherMethods({ faithfulness: { methods } }) {
  return methods.some(({ saliency }) => saliency !== methods[0].saliency);
}

/** @param {Faithfulness} faithfulness */
function ownOf({ methods }) {
  const own = methods.find(({ isDefault }) => isDefault);
  if (!own) throw new Error("no default method among the results");
  return own;
}

/** @param {readonly string[]} head @param {readonly (readonly string[])[]} rows */
function table(head, rows) {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** @param {readonly number[]} values */
function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** @param {readonly number[]} shares @param {(...values: number[]) => number} worst */
function spread(shares, worst) {
  return `${percent(mean(shares))}, ${percent(worst(...shares))}`;
}

/** @param {number | null} share */
function percent(share) {
  return share === null ? "–" : `${(100 * share).toFixed(1)} %`;
}

/** @param {number | null} share @param {number} count */
function several(share, count) {
  return count > 0 ? `${percent(share)} of ${count}` : "–";
}

/** @param {ScoreScale | null} scale */
function line(scale) {
  if (scale === null || scale.kind === "uncalibrated") return "–";
  return `${Number(scale.line.toPrecision(2))} (${scale.kind === "probability" ? scale.by : scale.kind})`;
}

/** @param {number | null} value */
function decimal(value) {
  return value === null ? "–" : value.toFixed(3);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await writeTable("bench/results"));
