/**
 * One pet is striped (or red) and makes the class, another on the same picture is plain: do the scores of the pet
 * head's instances distinguish them? Uses the models of `run.js striped red`; writes
 * `bench/results/faithfulness-instances.json`.
 *
 *     node bench/faithfulness/run.js --train-only striped red && node bench/faithfulness/instances.js
 */

import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  areaUnderCurve,
  batches,
  createModel,
  explainConstants,
  explainFunction,
  openDataset,
  overSamples,
  readExplanation,
  readTrainedModel,
  selectEngine,
} from "aspectlens";
import sharp from "sharp";
import { writeJson } from "../harness.js";

/** @import { InstanceExplanation } from "aspectlens" */

/** Of the pixels of an instance that show a pet, this share must agree: two pets in one instance are no question. */
const SHARE = 0.9;
/** Bits of the mask's values: `examples/composites/attributes.js`. */
const BITS = { red: 2, striped: 4 };

const { values: options } = parseArgs({
  options: {
    data: { type: "string", default: "data/composites" },
    runs: { type: "string", default: "runs/faithfulness" },
    results: { type: "string", default: "bench/results/faithfulness-instances.json" },
  },
});
const engine = await selectEngine();
const rows = [];
for (const cause of /** @type {const} */ (["striped", "red"])) {
  const trained = await readTrainedModel(join(options.runs, cause, "best"));
  const dataset = await openDataset(join(options.data, cause));
  const { spec, parameters, references, scales } = trained;
  const scale = scales.evidence?.class ?? { kind: /** @type {const} */ ("uncalibrated") };
  const line = "line" in scale ? scale.line : null;
  const model = createModel(spec);
  const samples = batches(dataset, { split: "test", batchSize: 8, inputSize: spec.trunk.inputSize });
  const constants = explainConstants({ parameters, references });
  const run = { engine, constants, samples, fn: explainFunction(model), name: "instances" };
  let [images, right] = [0, 0];
  /** @type {{ score: number, isPositive: boolean }[]} */
  const ranked = [];
  const fromLine = { causing: 0, causingCount: 0, harmless: 0, harmlessCount: 0 };
  for await (const { sample, outputs } of overSamples(model, run)) {
    const { explanation } = readExplanation(outputs, { spec, scale, image: sample.path });
    const { prediction, aspects } = explanation;
    if (!("class" in prediction) || prediction.class !== "with" || sample.target.label !== "with") continue;
    const pet = aspects.find(({ name }) => name === "pet");
    const mask = await maskOf(join(dataset.directory, sample.path.replace("images", "masks")));
    const comparison = (pet?.instances ?? []).flatMap((instance) => {
      const isCausing = hasBit(instance, { mask, bit: BITS[cause] });
      return instance.score === null || isCausing === null ? [] : [{ score: instance.score, isCausing }];
    });
    const scores = (/** @type {boolean} */ kind) =>
      comparison.filter(({ isCausing }) => isCausing === kind).map(({ score }) => score);
    if (scores(true).length === 0 || scores(false).length === 0) continue;
    images++;
    if (Math.max(...scores(true)) > Math.max(...scores(false))) right++;
    for (const { score, isCausing } of comparison) {
      ranked.push({ score, isPositive: isCausing });
      const kind = isCausing ? "causing" : "harmless";
      fromLine[`${kind}Count`]++;
      if (line !== null && score >= line) fromLine[kind]++;
    }
  }
  const row = {
    cause,
    images,
    causingFirst: right / images,
    auc: areaUnderCurve(ranked),
    causingFromLine: fromLine.causing / fromLine.causingCount,
    harmlessFromLine: fromLine.harmless / fromLine.harmlessCount,
    line,
  };
  console.log(row);
  rows.push(row);
}
await engine.dispose();
const work = "instances of pets, one with the attribute that causes the class and one without, on the same image";
await writeJson(options.results, { format: "aspectlens-bench/1", work, rows });

/** @param {string} path */
async function maskOf(path) {
  const { data, info } = await sharp(path).raw().toBuffer({ resolveWithObject: true });
  return { data, size: info.width, channels: info.channels };
}

/**
 * Whether the pets in an instance's box have the attribute; `null` where some do and some do not.
 *
 * @param {InstanceExplanation} instance
 * @param {{ mask: Awaited<ReturnType<typeof maskOf>>, bit: number }} options
 */
function hasBit({ box }, { mask, bit }) {
  const [top, left, bottom, right] = box.map((edge) => Math.round(edge * mask.size));
  let [pets, withBit] = [0, 0];
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const value = mask.data[(y * mask.size + x) * mask.channels];
      if (value > 0) pets++;
      if (value & bit) withBit++;
    }
  }
  if (pets === 0) return null;
  const share = withBit / pets;
  return share >= SHARE ? true : share <= 1 - SHARE ? false : null;
}
