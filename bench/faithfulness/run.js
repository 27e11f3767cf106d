/**
 * Does an explanation name the cause? Trains the models of `conditions.js`, measures every method and masking on each,
 * and writes `bench/results/faithfulness/<condition>.json` and the table of all, `bench/results/faithfulness.md`.
 *
 *     npm run build && node examples/composites/make.js && node bench/faithfulness/run.js
 *
 * Hours. It can be stopped at any time: finished work is not repeated, and a training continues where it was. Names of
 * conditions as arguments select some; `--train-only` leaves the measuring for later; `--again` measures again.
 */

import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  allowsCam,
  batches,
  calibrate,
  comparePairedModels,
  createModel,
  faithfulnessOf,
  openDataset,
  readTrainedModel,
  SALIENCY_NAMES,
  selectEngine,
} from "aspectlens";
import { aspectlens } from "../../examples/support/command-line.js";
import { writeJson } from "../harness.js";
import { CONDITIONS } from "./conditions.js";
import { writeTable } from "./table.js";

/** @import { TrainedModel } from "aspectlens" */
/** @import { Dataset } from "aspectlens" */
/** @import { Engine } from "aspectlens" */
/** @import { Condition } from "./conditions.js" */

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: "string", default: "data" },
    runs: { type: "string", default: "runs/faithfulness" },
    results: { type: "string", default: "bench/results" },
    "train-only": { type: "boolean", default: false },
    again: { type: "boolean", default: false },
  },
});
const folder = join(options.results, "faithfulness");
await mkdir(folder, { recursive: true });
await mkdir(options.runs, { recursive: true });
const unknown = positionals.filter((name) => !CONDITIONS.some((condition) => condition.name === name));
if (unknown.length > 0)
  throw new Error(`no condition ${unknown.join(", ")}; there are ${CONDITIONS.map(({ name }) => name).join(", ")}`);
const chosen = CONDITIONS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
for (const condition of chosen) {
  const result = join(folder, `${condition.name}.json`);
  if (existsSync(result) && !options.again) continue;
  const data = join(options.data, condition.data);
  if (!existsSync(join(data, "dataset.json"))) {
    if (!condition.synth) {
      console.log(`${condition.name}: skipped, ${data} is absent. Make it first: node examples/composites/make.js`);
      continue;
    }
    await mkdir(join(options.data, "tissue"), { recursive: true });
    aspectlens("data", "synth", data, ...condition.synth);
  }
  const run = join(options.runs, condition.name);
  if (!existsSync(join(run, "best/model.json"))) await train(condition, { data, run });
  if (options["train-only"]) continue;
  const begun = performance.now();
  await writeJson(result, await measure(condition, { data, run }));
  console.log(`${condition.name}: measured in ${Math.round((performance.now() - begun) / 1000)} s`);
}
console.log(`table of all: ${await writeTable(options.results)}`);

/**
 * @param {Condition} condition
 * @param {{ data: string, run: string }} where
 */
async function train({ config }, { data, run }) {
  await writeFile(`${run}.json`, `${JSON.stringify({ dataset: data, out: run, ...config }, null, 2)}\n`);
  aspectlens("train", `${run}.json`, ...(existsSync(join(run, "checkpoint")) ? ["--resume"] : []));
}

/**
 * @param {Condition} condition
 * @param {{ data: string, run: string }} where
 */
async function measure({ name, family, unranked, twin, hasAllMethods }, { data, run }) {
  const asTrained = await readTrainedModel(join(run, "best"));
  const dataset = await openDataset(data);
  const engine = await selectEngine();
  try {
    // Recomputed, so that a changed definition of relevance needs no new training.
    const trained = { ...asTrained, scales: (await calibrated(asTrained, { engine, dataset, unranked })).scales };
    const model = createModel(trained.spec);
    const others = hasAllMethods ? SALIENCY_NAMES.filter((method) => method !== "cam" || allowsCam(model)) : [];
    const { faithfulness } = await faithfulnessOf(trained, { engine, dataset, unranked, others });
    const without = await calibrated(trained, { engine, dataset, unranked, knowsCauses: false });
    const blind = { ...trained, scales: without.scales };
    const { faithfulness: blindly } = await faithfulnessOf(blind, { engine, dataset, unranked, draws: 0 });
    const [method] = blindly.methods.filter(({ isDefault }) => isDefault);
    const twins = twin ? await twinsOf(twin, { trained, dataset, engine }) : null;
    return {
      format: "aspectlens-bench/1",
      work: name,
      family,
      faithfulness: { ...faithfulness, twins },
      withoutCauses: method,
    };
  } finally {
    await engine.dispose();
  }
}

/**
 * @param {string} name
 * @param {{ trained: TrainedModel, dataset: Dataset, engine: Engine }} own
 */
async function twinsOf(name, { trained, dataset, engine }) {
  const [condition] = CONDITIONS.filter((other) => other.name === name);
  const other = {
    trained: await readTrainedModel(join(options.runs, name, "best")),
    dataset: await openDataset(join(options.data, condition.data)),
  };
  return comparePairedModels({ trained, dataset }, other, { engine });
}

/**
 * The scale as `train` sets it, or as it would be set if the causes of the classes were unknown.
 *
 * @param {TrainedModel} trained
 * @param {{ engine: Engine, dataset: Dataset, unranked?: readonly string[], knowsCauses?: boolean }} options
 */
function calibrated({ spec, parameters, references }, { engine, dataset, unranked, knowsCauses = true }) {
  const samples = async function* () {
    const { inputSize } = spec.trunk;
    for await (const batch of batches(dataset, { split: "validation", batchSize: 8, inputSize }))
      yield knowsCauses ? batch : batch.map(({ causes, ...rest }) => rest);
  };
  const causes = knowsCauses ? dataset.manifest.causes : undefined;
  return calibrate(createModel(spec), { engine, parameters, references, samples, causes, unranked });
}
