/**
 * From which score on is an aspect relevant, where no cause is known? `npm run build && node bench/lines.js RUN DATASET
 * --name NAME [--unranked ASPECT]` sets the line in three ways on the validation images, and shows on the test images what
 * each calls relevant. Adds the model to `bench/results/lines.json`, and writes the table of all, `lines.md`.
 */

import { batches } from "aspectlens";
import {
  fitLine,
  GENERAL_LINES,
  knownCauses,
  lineAgainstRandomized,
  RANDOMIZATION,
  randomizedScores,
} from "./internals.js";
import { addRow, openNamedModel } from "./named-model.js";

/** @import { Split } from "aspectlens" */
/** @typedef {{ line: number, causes: number | null, distractors: number | null, randomized: number }} Found shares that are relevant */
/** @typedef {{ name: string, taps: number, causes: number, distractors: number, lines: Record<string, Found | null> }} Row */

const IMAGES = 400;
const BATCH = 8;

const { name, unranked, results, trained, dataset, model, engine } = await openNamedModel();
const { spec, parameters, references } = trained;
try {
  const { slope, line: general } = GENERAL_LINES.evidence;
  const causes = dataset.manifest.causes ?? {};
  const settingOf = (/** @type {Split} */ split) => ({
    engine,
    parameters,
    references,
    samples: () => batches(dataset, { split, batchSize: BATCH, inputSize: spec.trunk.inputSize }),
    methods: /** @type {const} */ (["evidence"]),
    limit: IMAGES,
    batchSize: BATCH,
    isAbout: () => false,
  });
  const scoresIn = async (/** @type {Split} */ split) =>
    (await knownCauses(model, settingOf(split), { causes, unranked })).scores[0];
  const [onValidation, onTest] = [await scoresIn("validation"), await scoresIn("test")];
  const [atRandom] = await randomizedScores(model, settingOf("validation"), RANDOMIZATION);
  const [atRandomOnTest] = await randomizedScores(model, settingOf("test"), RANDOMIZATION);
  const shareFrom = (/** @type {readonly number[]} */ scores, /** @type {number} */ line) =>
    scores.length === 0 ? null : scores.filter((score) => score >= line).length / scores.length;
  const scoresOf = (/** @type {boolean} */ isCause) =>
    onTest.filter(({ isPositive }) => isPositive === isCause).map(({ score }) => score);
  /** @param {number | null | undefined} line @returns {Found | null} */
  const found = (line) =>
    line == null
      ? null
      : {
          line,
          causes: shareFrom(scoresOf(true), line),
          distractors: shareFrom(scoresOf(false), line),
          randomized: shareFrom(atRandomOnTest, line) ?? 0,
        };
  const lines = {
    general: found(general),
    randomized: found(lineAgainstRandomized(atRandom)),
    causes: found(fitLine(onValidation, { slope })),
  };
  const taps = new Set(model.aspects.flatMap(({ spec: { taps } }) => taps)).size;
  const row = { name, taps, causes: scoresOf(true).length, distractors: scoresOf(false).length, lines };
  await addRow(row, { results, work: "lines", pageOf });
} finally {
  await engine.dispose();
}

/** @param {readonly Row[]} rows */
function pageOf(rows) {
  const percent = (/** @type {number | null} */ value) => (value === null ? "–" : (100 * value).toFixed(1));
  const cell = (/** @type {Found | null} */ found) =>
    found === null
      ? "–"
      : `${found.line.toPrecision(2)}: ${[found.causes, found.distractors, found.randomized].map(percent).join(" / ")}`;
  const header = [
    "model",
    "layers read",
    "causes, distractors",
    "of all models",
    "by randomized classifiers",
    "by known causes",
  ];
  const table = [
    header,
    header.map(() => "---"),
    ...rows.map(({ name, taps, causes, distractors, lines: { general, randomized, causes: own } }) => [
      name,
      taps,
      `${causes}, ${distractors}`,
      ...[general, randomized, own].map(cell),
    ]),
  ].map((cells) => `| ${cells.join(" | ")} |`);
  const about =
    "Written by `node bench/lines.js RUN DATASET --name NAME`. The line is set on validation images; of test images, each cell has the line and, in percent, the causes / the distractors / the aspects under randomized classifiers that are relevant from it on.";
  return `${["# From which score on", about, table.join("\n")].join("\n\n")}\n`;
}
