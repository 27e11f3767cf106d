/** From what every variant said on every model to one table: the line is chosen on half of the models, shown on the other. */

import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { random } from "../../examples/support/random.js";
import { mean, percent } from "./numbers.js";
import { fewImages, ownLines, reliabilityOf, withoutCauses } from "./reliability.js";

/**
 * @typedef {{ name: string, scores: Readonly<Record<string, number>> }} Scored
 * @typedef {{ work: string, family: string, randomized: Scored[], images: { causes: Scored[], distractors: Scored[] }[] }} Measured
 */

const DRAWS = 200;
/** Where another cause is the reason, a model goes by a shortcut on purpose: told apart. */
const SHORTCUTS = ["shortcut", "always-tagged"];

/** @param {string} folder of what was measured. @param {string} path of the table. @returns that path. */
export async function writeTable(folder, path) {
  const all = readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => /** @type {Measured} */ (JSON.parse(readFileSync(join(folder, name), "utf8"))));
  const models = all.filter(
    ({ work, images }) => !SHORTCUTS.includes(work) && images.some(({ causes }) => causes.length > 0),
  );
  if (models.length < 2) return path;
  const halves = [models.filter((_, index) => index % 2 === 0), models.filter((_, index) => index % 2 === 1)];
  const variants = Object.keys(models[0].randomized[0].scores);
  const rows = variants.map((variant) => {
    const lines = halves.map((half) => bestLine(half, variant));
    // Each half is judged by the line of the other.
    const judged = halves.flatMap((half, index) => half.map((model) => judge(model, variant, lines[1 - index])));
    const balanced = judged.map((one) => one.balanced);
    const interval = bootstrap(halves, variant, lines);
    const worst = judged.reduce((a, b) => (b.balanced < a.balanced ? b : a));
    return [
      variant,
      lines.map((line) => Number(line.toPrecision(2))).join(" / "),
      `${percent(mean(balanced))} (${interval.map(percent).join(" to ")})`,
      `${percent(worst.balanced)} (${worst.work})`,
      percent(mean(judged.map((one) => one.causes))),
      percent(mean(judged.map((one) => one.distractors))),
      percent(mean(judged.map((one) => one.without).filter((share) => !Number.isNaN(share)))),
      percent(mean(judged.map((one) => one.randomized))),
      percent(Math.min(...judged.map((one) => one.first).filter((share) => !Number.isNaN(share)))),
    ];
  });
  const titles = [
    ...["variant", "line chosen on one half / the other", "balanced accuracy on the other half", "worst model"],
    ...["causes", "distractors", "in answers no cause made", "randomized", "cause first, worst model"],
  ];
  const own = halves.flatMap((half, index) => {
    const line = bestLine(halves[1 - index], variants[0]);
    return half.map((model) => {
      const { work, balanced, causes, distractors, without, randomized, first } = judge(model, variants[0], line);
      return [work, ...[balanced, causes, distractors, without, randomized, first].map(percent)];
    });
  });
  const few = await fewImages(models, variants[0]);
  const lines = Object.fromEntries(variants.map((variant) => [variant, bestLine(models, variant)]));
  const apart = ownLines(models, lines);
  const reliability = await reliabilityOf(models, variants[0]);
  const apartFromCauses = withoutCauses(models, variants[0]);
  const text = [
    "# Does each rule of the score earn its place?",
    "",
    "Made by `bench/relevance/run.js`, which says how. One line for all models: chosen on every second model for the highest",
    "mean balanced accuracy of causes against distractors, answers that no cause made and randomized models together, and",
    "shown on the others. Intervals: bootstrap over models and images, 5 to 95 %.",
    "",
    markdown(titles, rows),
    "",
    "## With a line for each model",
    "",
    "As training sets it: fitted on every second image, the variant's line of all models as the prior; shown on the others.",
    "",
    markdown(apart.titles, apart.rows),
    "",
    "## As defined, model by model",
    "",
    markdown(
      ["model", "balanced accuracy", "causes", "distractors", "no cause made", "randomized", "cause first"],
      own,
    ),
    "",
    "## One scale",
    "",
    reliability.text,
    "",
    markdown(reliability.titles, reliability.rows),
    "",
    "## Where no cause is known",
    "",
    "Causes / distractors that are relevant from what 3 % of the aspects reach under randomized classifiers on, but at least",
    "a share of the line of all models. A third of it, 0.0067, is the default.",
    "",
    markdown(apartFromCauses.titles, apartFromCauses.rows),
    "",
    "## How many images calibration needs",
    "",
    "With the line fitted to so many images: mean balanced accuracy of the models of the one half / of the other, and of the",
    "worst model.",
    "",
    markdown(few.titles, few.rows),
    "",
  ];
  await writeFile(path, text.join("\n"));
  return path;
}

/** @param {Measured} model @param {string} variant @param {number} line */
function judge({ work, images, randomized }, variant, line) {
  const scoreOf = (/** @type {Scored} */ { scores }) => scores[variant];
  const reached = (/** @type {Scored[]} */ aspects) =>
    aspects.length > 0 ? aspects.filter((aspect) => scoreOf(aspect) >= line).length / aspects.length : Number.NaN;
  const caused = images.filter(({ causes }) => causes.length > 0);
  const causes = reached(caused.flatMap((image) => image.causes));
  const distractors = reached(caused.flatMap((image) => image.distractors));
  const both = caused.filter((image) => image.distractors.length > 0);
  const firsts = both.filter(
    (image) => Math.max(...image.causes.map(scoreOf)) > Math.max(...image.distractors.map(scoreOf)),
  );
  return {
    work,
    causes,
    distractors,
    without: reached(images.filter((image) => image.causes.length === 0).flatMap((image) => image.distractors)),
    randomized: reached(randomized),
    first: both.length > 0 ? firsts.length / both.length : Number.NaN,
    balanced: (causes + 1 - distractors) / 2,
  };
}

/** @param {Measured[]} models @param {string} variant */
function bestLine(models, variant) {
  const scores = models.flatMap(({ images }) =>
    images.flatMap(({ causes }) => causes.map((one) => one.scores[variant])),
  );
  const candidates = [...new Set(scores.filter((score) => score > 0))].sort((a, b) => a - b);
  const some = candidates.filter((_, index) => index % Math.ceil(candidates.length / 100) === 0);
  const judged = some.map((line) => {
    const all = models.map((model) => judge(model, variant, line));
    const wrong = all.map(({ distractors, without, randomized }) =>
      mean([distractors, without, randomized].filter((share) => !Number.isNaN(share))),
    );
    return { line, value: mean(all.map(({ causes }, index) => (causes + 1 - wrong[index]) / 2)) };
  });
  // The best is flat: its middle, on the logarithm, of all that come within a tenth of a point.
  const most = Math.max(...judged.map(({ value }) => value));
  const good = judged.filter(({ value }) => value >= most - 0.001).map(({ line }) => line);
  return Math.sqrt(good[0] * good[good.length - 1]);
}

/** @param {Measured[][]} halves @param {string} variant @param {readonly number[]} lines */
function bootstrap(halves, variant, lines) {
  const stream = random("bench", "relevance");
  const pick = (/** @type {any[]} */ list) => list.map(() => list[stream.integer(list.length)]);
  const means = Array.from({ length: DRAWS }, () =>
    mean(
      halves.flatMap((half, index) =>
        pick(half).map((model) => judge({ ...model, images: pick(model.images) }, variant, lines[1 - index]).balanced),
      ),
    ),
  ).sort((a, b) => a - b);
  return [means[Math.floor(0.05 * DRAWS)], means[Math.floor(0.95 * DRAWS)]];
}

/** @param {readonly string[]} titles @param {readonly (readonly string[])[]} rows */
function markdown(titles, rows) {
  return [titles, titles.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}
