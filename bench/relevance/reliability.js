/**
 * Is a relevance of 0.5 the line, and does 0.9 mean 90 %, in every model? The scale of each model is decided as training
 * does it, on every second of its images, and shown on the others. Beside it the line and slope that are likeliest on
 * every second model, shown on the other models.
 */

import {
  balancedAccuracy,
  decideScale,
  fitLine,
  GENERAL_LINES,
  lineAgainstRandomized,
  relevanceOf,
} from "../internals.js";
import { mean, percent } from "./numbers.js";

/** @import { Measured } from "./table.js" */
/** @typedef {{ score: number, isPositive: boolean }} Ranked */
/** @typedef {{ line: number, slope: number, by?: string }} Scale */

/** The models on which the line and slope of all models were chosen. */
const CHOSEN_ON = ["cat", "cat-early", "cat-v2", "nucleus-or-vessel", "striped"];
const BINS = 10;
/** Of the lines of models around the general one, tried as the prior. */
const SPREADS = [0.5, 0.7, 1, 1.4, 2];
const SLOPES = [1, 1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 5];

/**
 * @param {readonly Measured[]} models @param {string} variant
 * @returns {Promise<{ titles: string[], rows: string[][], text: string }>}
 */
export async function reliabilityOf(models, variant) {
  const halves = [0, 1].map((half) => models.filter((_, index) => index % 2 === half));
  const generals = halves.map((half) => generalOf(half.map((model) => rankedOf(model, variant))));
  /** @type {string[][]} */
  const rows = [];
  /** @type {{ relevance: number, isPositive: boolean, weight: number }[]} */
  const judged = [];
  /** @type {typeof judged} */
  const fresh = [];
  for (const [index, model] of models.entries()) {
    const general = GENERAL_LINES.evidence;
    const ofOthers = generals[1 - (index % 2)];
    const shown = rankedOf(model, variant, (image) => image % 2 === 1);
    const seen = [
      ...rankedOf(model, variant, (image) => image % 2 === 0),
      ...uncaused(model, variant, (image) => image % 2 === 0),
    ];
    const others = uncaused(model, variant, (image) => image % 2 === 1).map(({ score }) => score);
    const randomized = model.randomized.map(({ scores }) => scores[variant]);
    const decided = await decideScale({
      general,
      known: seen,
      randomized: async () => randomized,
    });
    if (decided.kind !== "probability") continue;
    const floored = { ...decided, line: Math.max(decided.line, lineAgainstRandomized(randomized) ?? 0) };
    const { slope } = general;
    const own = { line: fitLine(seen, { slope }) ?? Number.POSITIVE_INFINITY, slope };
    judged.push(...weighed(shown, decided));
    const hadPart = CHOSEN_ON.includes(model.work);
    if (!hadPart) fresh.push(...weighed(shown, decided));
    rows.push([
      model.work + (hadPart ? " *" : ""),
      `${digits(decided.line)} (${decided.by})`,
      cell(shown, decided),
      share(others, decided),
      cell(shown, ofOthers),
      cell(shown, floored),
      `${cell(shown, own)}, ${digits(own.line)}`,
      share(randomized, decided),
      percent(expectedError(weighed(shown, decided))),
    ]);
  }
  return {
    titles: [
      ...[
        "model",
        "line as decided",
        "causes / distractors relevant",
        "in answers no cause made",
        "by the line of the other models alone",
      ],
      ...["never below what randomized models reach", "by its own scores alone", "of randomized models", "ECE"],
    ],
    rows,
    text:
      `The scale of each model is decided as training does it, on every second of its images, and shown on the others;
the models marked with a star took part in the choice of the line (${digits(GENERAL_LINES.evidence.line ?? 0)}) and slope ` +
      `(${GENERAL_LINES.evidence.slope}) of all
models. Expected calibration error, causes and distractors weighing the same: ${percent(expectedError(judged))} over all models, ` +
      `${percent(expectedError(fresh))}
over those without a star. The likeliest lines and slopes on every second model are ` +
      `${generals.map(({ line, slope }) => `${digits(line)}, ${slope}`).join(" and ")}.`,
  };
}

/**
 * How many images calibration needs, and how much the line of all models should say: the balanced accuracy on every second
 * image, with the line fitted to the first few of the others with a cause, and as many that no aspect caused.
 *
 * @param {readonly Measured[]} models @param {string} variant
 */
export async function fewImages(models, variant) {
  const { slope, line = Number.NaN } = GENERAL_LINES.evidence;
  const ways = {
    "line of all models": () => line,
    ...Object.fromEntries(
      SPREADS.map((spread) => [
        `as the prior, spread ${spread}`,
        (/** @type {Ranked[]} */ known) => fitLine(known, { slope, line, spread }),
      ]),
    ),
    "own scores alone": (/** @type {Ranked[]} */ known) => fitLine(known, { slope }),
  };
  const rows = [];
  for (const count of [5, 10, 20, 40, Number.POSITIVE_INFINITY]) {
    const cells = Object.values(ways).map((way) => {
      const found = models.map((model) => {
        const of = (/** @type {boolean} */ isCaused) =>
          model.images.filter(({ causes }, index) => index % 2 === 0 && causes.length > 0 === isCaused).slice(0, count);
        const known = [
          ...rankedOf({ ...model, images: of(true) }, variant),
          ...uncaused({ ...model, images: of(false) }, variant),
        ];
        const shown = rankedOf(model, variant, (image) => image % 2 === 1);
        // Where there are too few of either, causes say nothing: the line of all models stands for what else would.
        return { work: model.work, value: balancedAccuracy(shown, way(known) ?? line) };
      });
      const worst = found.reduce((a, b) => (b.value < a.value ? b : a));
      const halves = [0, 1].map((half) =>
        mean(found.filter((_, index) => index % 2 === half).map(({ value }) => value)),
      );
      return `${halves.map(percent).join(" / ")}, ${percent(worst.value)} (${worst.work})`;
    });
    rows.push([Number.isFinite(count) ? String(count) : "all, up to 200", ...cells]);
  }
  return { titles: ["images with a cause", ...Object.keys(ways)], rows };
}

/**
 * Every variant with a line for each model, fitted on every second image with the variant's own line of all models as the
 * prior, and shown on the others.
 *
 * @param {readonly Measured[]} models @param {Readonly<Record<string, number>>} lines of all models, by variant
 */
export function ownLines(models, lines) {
  const { slope } = GENERAL_LINES.evidence;
  const rows = Object.entries(lines).map(([variant, general]) => {
    let [reached, uncausedCount] = [0, 0];
    const found = models.map((model) => {
      const isFirst = (/** @type {number} */ index) => index % 2 === 0;
      const isShown = (/** @type {number} */ index) => index % 2 === 1;
      const known = [...rankedOf(model, variant, isFirst), ...uncaused(model, variant, isFirst)];
      const line = fitLine(known, { slope, line: general }) ?? general;
      const shown = rankedOf(model, variant, isShown);
      const others = uncaused(model, variant, isShown);
      reached += others.filter(({ score }) => score >= line).length;
      uncausedCount += others.length;
      const shareOf = (/** @type {boolean} */ isPositive) => {
        const own = shown.filter((one) => one.isPositive === isPositive);
        return own.filter(({ score }) => score >= line).length / own.length;
      };
      return { balanced: balancedAccuracy(shown, line), causes: shareOf(true), distractors: shareOf(false) };
    });
    const of = (/** @type {"balanced" | "causes" | "distractors"} */ key) => found.map((one) => one[key]);
    return [
      ...[variant, percent(mean(of("balanced"))), percent(Math.min(...of("balanced")))],
      ...[mean(of("causes")), Math.min(...of("causes")), mean(of("distractors")), Math.max(...of("distractors"))].map(
        percent,
      ),
      percent(reached / uncausedCount),
    ];
  });
  const titles = [
    ...["variant", "balanced accuracy", "worst model", "causes", "worst model", "distractors", "worst model"],
    "in answers no cause made",
  ];
  return { titles, rows };
}

/**
 * Where no cause is known: causes / distractors that are relevant from the line on that 3 % of the aspects reach under
 * randomized classifiers, but at least this share of the line of all models.
 *
 * @param {readonly Measured[]} models @param {string} variant
 */
export function withoutCauses(models, variant) {
  const { line: general = Number.NaN } = GENERAL_LINES.evidence;
  const found = models.map((model) => {
    const reached = lineAgainstRandomized(model.randomized.map(({ scores }) => scores[variant])) ?? 0;
    const shown = rankedOf(model, variant);
    return { work: model.work, reached, shown };
  });
  const lineOf = (/** @type {number} */ reached, /** @type {number} */ least) => Math.max(reached, least * general);
  const rows = found.map(({ work, reached, shown }) => [
    work + (CHOSEN_ON.includes(work) ? " *" : ""),
    digits(reached),
    ...LEAST_SHARES.map((least) => cell(shown, { line: lineOf(reached, least), slope: 1 })),
  ]);
  const means = ["", " *"].map((star) => [
    `balanced accuracy, mean of ${star === "" ? "those without a star" : "those with a star"}`,
    "",
    ...LEAST_SHARES.map((least) =>
      percent(
        mean(
          found
            .filter(({ work }) => CHOSEN_ON.includes(work) === (star !== ""))
            .map(({ reached, shown }) => balancedAccuracy(shown, lineOf(reached, least))),
        ),
      ),
    ),
  ]);
  return {
    titles: ["model", "randomized reach", ...LEAST_SHARES.map((least) => `at least ${digits(least * general)}`)],
    rows: [...rows, ...means],
  };
}

/** Of the line of all models. */
const LEAST_SHARES = [0, 0.1, 1 / 3, 0.5, 0.7, 1];

/** Causes and distractors of answers that a cause made. @param {Measured} model @param {string} variant @param {(image: number) => boolean} qualifies @returns {Ranked[]} */
function rankedOf({ images }, variant, qualifies = () => true) {
  return images
    .filter(({ causes }, index) => causes.length > 0 && qualifies(index))
    .flatMap(({ causes, distractors }) => [
      ...causes.map(({ scores }) => ({ score: scores[variant], isPositive: true })),
      ...distractors.map(({ scores }) => ({ score: scores[variant], isPositive: false })),
    ]);
}

/** Aspects of answers that no aspect caused. @param {Measured} model @param {string} variant @param {(image: number) => boolean} [qualifies] @returns {Ranked[]} */
function uncaused({ images }, variant, qualifies = () => true) {
  return images
    .filter(({ causes }, index) => causes.length === 0 && qualifies(index))
    .flatMap(({ distractors }) => distractors.map(({ scores }) => ({ score: scores[variant], isPositive: false })));
}

/** The likeliest line and slope, models weighing the same. @param {readonly (readonly Ranked[])[]} models */
function generalOf(models) {
  const likelihood = (/** @type {Scale} */ scale) =>
    models.reduce((sum, scores) => {
      for (const { relevance, isPositive, weight } of weighed(scores, scale))
        sum += weight * Math.log(Math.max(1e-3, isPositive ? relevance : 1 - relevance));
      return sum;
    }, 0);
  const lines = Array.from({ length: 60 }, (_, index) => 0.001 * 1.1 ** index);
  const all = lines.flatMap((line) => SLOPES.map((slope) => ({ line, slope })));
  return all.map((scale) => ({ scale, value: likelihood(scale) })).reduce((a, b) => (b.value > a.value ? b : a)).scale;
}

/** With weights that make causes and distractors of a model count the same, 1 in all. @param {readonly Ranked[]} scores @param {Scale} scale */
function weighed(scores, scale) {
  const causes = scores.filter(({ isPositive }) => isPositive).length;
  return scores.map(({ score, isPositive }) => ({
    relevance: relevanceOf(score, scale),
    isPositive,
    weight: 0.5 / (isPositive ? causes : scores.length - causes),
  }));
}

/** Expected calibration error (Guo et al. 2017, arXiv:1706.04599), in ten bins. @param {ReturnType<typeof weighed>} judged */
function expectedError(judged) {
  const whole = judged.reduce((sum, { weight }) => sum + weight, 0);
  let error = 0;
  for (let bin = 0; bin < BINS; bin++) {
    const own = judged.filter(({ relevance }) => Math.min(BINS - 1, Math.floor(relevance * BINS)) === bin);
    error += Math.abs(own.reduce((sum, one) => sum + one.weight * ((one.isPositive ? 1 : 0) - one.relevance), 0));
  }
  return error / whole;
}

/** @param {readonly number[]} scores @param {Scale} scale */
function share(scores, { line }) {
  return percent(scores.filter((score) => score >= line).length / scores.length);
}

/** @param {readonly Ranked[]} scores @param {Scale} scale */
function cell(scores, { line }) {
  const share = (/** @type {boolean} */ isPositive) => {
    const own = scores.filter((one) => one.isPositive === isPositive);
    return percent(own.filter(({ score }) => score >= line).length / own.length);
  };
  return `${share(true)} / ${share(false)}`;
}

/** @param {number} value */
function digits(value) {
  return String(Number(value.toPrecision(2)));
}
