/**
 * Does each rule of the score earn its place? Measures every variant of `variants.js` on the models of
 * `bench/faithfulness`, keeps what they said in `runs/relevance/<condition>.json`, and writes the table of all,
 * `bench/results/relevance.md`.
 *
 *     npm run build && node examples/composites/make.js
 *     node bench/faithfulness/run.js --train-only && node bench/relevance/run.js
 *
 * It can be stopped at any time; finished conditions are not repeated. Names of conditions as arguments select some;
 * `--again` measures again.
 */

import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  batches,
  compareWithGroundTruth,
  createModel,
  explainConstants,
  openDataset,
  overSamples,
  readExplanation,
  readTrainedModel,
  selectEngine,
} from "aspectlens";
import { CONDITIONS } from "../faithfulness/conditions.js";
import { writeJson } from "../harness.js";
import { firstSamples, halfNegated, overRandomizedModels } from "../internals.js";
import { variantSums } from "./sums.js";
import { writeTable } from "./table.js";
import { VARIANTS } from "./variants.js";

/** @import { Model, NdArrays, Sample, Split } from "aspectlens" */
/** @import { Condition } from "../faithfulness/conditions.js" */

const IMAGES = 400;
const RANDOMIZED = { images: 16, classifiers: 24 };
const BATCH = 8;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: "string", default: "data" },
    runs: { type: "string", default: "runs/faithfulness" },
    kept: { type: "string", default: "runs/relevance" },
    results: { type: "string", default: "bench/results" },
    again: { type: "boolean", default: false },
  },
});
const folder = options.kept;
await mkdir(folder, { recursive: true });
for (const condition of CONDITIONS.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
  const result = join(folder, `${condition.name}.json`);
  const run = join(options.runs, condition.name);
  if (existsSync(result) && !options.again) continue;
  if (!existsSync(join(run, "best/model.json"))) {
    console.log(`${condition.name}: skipped, ${run} holds no model. Train it first: bench/faithfulness/run.js`);
    continue;
  }
  const begun = performance.now();
  await writeJson(result, await measure(condition, run));
  console.log(`${condition.name}: measured in ${Math.round((performance.now() - begun) / 1000)} s`);
}
console.log(`table of all: ${await writeTable(folder, join(options.results, "relevance.md"))}`);

/**
 * Of each image that is answered right, what every variant says of each aspect that is labelled present and read.
 *
 * @param {Condition} condition @param {string} run
 */
async function measure({ name, family, data, unranked = [] }, run) {
  const { spec, parameters, references } = await readTrainedModel(join(run, "best"));
  const dataset = await openDataset(join(options.data, data));
  const model = createModel(spec);
  const engine = await selectEngine();
  try {
    const { causes } = dataset.manifest;
    const images = [];
    const stream = (/** @type {Split} */ split, /** @type {number} */ limit) =>
      firstSamples(batches(dataset, { split, batchSize: BATCH, inputSize: spec.trunk.inputSize }), limit);
    const fn = variantSums(model);
    const constants = explainConstants({ parameters, references });
    const known = { engine, constants, fn, batchSize: BATCH, samples: stream("test", IMAGES), name: "variants" };
    for await (const { sample, outputs } of overSamples(model, known)) {
      const { explanation } = read(model, outputs, sample);
      const comparison = compareWithGroundTruth(explanation, { sample, causes });
      if (!comparison.isRight || comparison.possibleCauses === null) continue;
      const own = scored(model, outputs, sample).filter((aspect) => !unranked.includes(aspect.name));
      const isNamed = (/** @type {readonly string[]} */ names) => own.filter((aspect) => names.includes(aspect.name));
      images.push({ causes: isNamed(comparison.causes), distractors: isNamed(comparison.distractors) });
    }
    const randomized = [];
    const chance = {
      engine,
      fn: variantSums(model),
      parameters,
      references,
      samples: () => stream("validation", RANDOMIZED.images),
      randomizations: halfNegated(RANDOMIZED.classifiers),
      batchSize: BATCH,
    };
    for await (const { sample, outputs } of overRandomizedModels(model, chance))
      randomized.push(...scored(model, outputs, sample).filter((aspect) => !unranked.includes(aspect.name)));
    return { format: "aspectlens-bench/1", work: name, family, images, randomized };
  } finally {
    await engine.dispose();
  }
}

/** @param {Model} model @param {NdArrays} outputs @param {Sample} sample */
function read({ spec }, outputs, sample) {
  return readExplanation(outputs, { spec, scale: { kind: "uncalibrated" }, image: sample.path });
}

/** Every variant's score of each aspect that can be read, four digits. @param {Model} model @param {NdArrays} outputs @param {Sample} sample */
function scored(model, outputs, sample) {
  const { aspects } = read(model, outputs, sample).explanation;
  const seen = aspects.flatMap(({ name, score }) => {
    const head = model.spec.heads.find((one) => one.name === name);
    return score === null || !head ? [] : [{ name, layers: head.taps }];
  });
  const byVariant = Object.entries(VARIANTS).map(([variant, scoresOf]) => [variant, scoresOf(outputs, seen)]);
  return seen.map(({ name }, index) => ({
    name,
    scores: Object.fromEntries(
      byVariant.map(([variant, scores]) => [variant, Number(Number(scores[index]).toPrecision(4))]),
    ),
  }));
}
