/**
 * From which score on is an aspect relevant, where no cause is known? `npm run build && node bench/lines.js RUN DATASET
 * --name NAME [--unranked ASPECT]` sets the line in three ways on the validation images, and shows on the test images what
 * each calls relevant. Adds the model to `bench/results/lines.json`, and writes the table of all, `lines.md`.
 */

import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { batches, createModel, openDataset, readTrainedModel, selectEngine } from "aspectlens";
import { writeJson } from "./harness.js";
import { fitLine, GENERAL_LINES, knownCauses, lineAgainstRandomized, randomizedScores } from "./internals.js";

/** @import { Split } from "aspectlens" */
/** @typedef {{ line: number, causes: number | null, distractors: number | null, randomized: number }} Found shares that are relevant */
/** @typedef {{ name: string, taps: number, causes: number, distractors: number, lines: Record<string, Found | null> }} Row */

const IMAGES = 400;
const RANDOMIZATION = { images: 16, classifiers: 24 };
const BATCH = 8;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    name: { type: "string" },
    unranked: { type: "string", multiple: true, default: [] },
    results: { type: "string", default: "bench/results" },
  },
});
const [run, data] = positionals;
if (!run || !data || !options.name) throw new Error("usage: node bench/lines.js RUN DATASET --name NAME");
const { name, unranked } = options;

const { spec, parameters, references } = await readTrainedModel(
  existsSync(join(run, "best")) ? join(run, "best") : run,
);
const dataset = await openDataset(data);
const model = createModel(spec);
const engine = await selectEngine();
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
  await add({ name, taps, causes: scoresOf(true).length, distractors: scoresOf(false).length, lines });
} finally {
  await engine.dispose();
}

/** @param {Row} row */
async function add(row) {
  const path = join(options.results, "lines.json");
  /** @type {Row[]} */
  const former = existsSync(path) ? JSON.parse(await readFile(path, "utf8")).rows : [];
  const rows = [...former.filter((other) => other.name !== row.name), row];
  await writeJson(path, { format: "aspectlens-bench/1", rows });
  await writeFile(join(options.results, "lines.md"), pageOf(rows));
  console.log(pageOf([row]));
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
