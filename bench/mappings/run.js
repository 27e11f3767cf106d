/**
 * Is the cause named through a mapping too? Trains classifiers alone, and aspects alone on other images of the same kind
 * (`conditions.js`), maps one to the other on images without labels, and measures on test images of the classifier's
 * data. Keeps each result in `runs/mappings/results/<condition>.json`, and writes the table of all,
 * `bench/results/mappings.md`.
 *
 *     npm run build && node examples/composites/make.js && node bench/faithfulness/run.js --train-only
 *     node bench/mappings/run.js
 *
 * Hours. It can be stopped at any time; finished work is not repeated. Names of conditions as arguments select some;
 * `--again` measures again.
 */

import { existsSync } from "node:fs";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import * as tf from "@tensorflow/tfjs";
import {
  batches,
  calibrate,
  compareWithGroundTruth,
  createModel,
  explainConstants,
  openDataset,
  overSamples,
  readTrainedModel,
  selectEngine,
} from "aspectlens";
import { aspectlens, node } from "../../examples/support/command-line.js";
import { writeJson } from "../harness.js";
import {
  imageSizes,
  linearFits,
  mapNetworks,
  measureMapping,
  ofMethod,
  RANDOMIZATION,
  randomizedScores,
  rankedScores,
  readScores,
  severalMethods,
} from "../internals.js";
import { CONDITIONS, MODELS } from "./conditions.js";
import { pageOf } from "./table.js";

/** @import { Dataset, Model, Sample, TrainedModel } from "aspectlens" */
/** @import { Condition } from "./conditions.js" */
/** @import { Found, Row } from "./table.js" */

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: "string", default: "data" },
    runs: { type: "string", default: "runs" },
    results: { type: "string", default: "bench/results" },
    again: { type: "boolean", default: false },
  },
});
const BATCH = 8;
/** Images that mappings are learned from, unless their number is what is measured. */
const IMAGES = 1000;
/** Of these the control and the counts of images are measured on. */
const CONTROLLED = "cat";
const COUNTS = [100, 300, 1000, 3000];

const folder = join(options.runs, "mappings");
const kept = join(folder, "results");
await mkdir(kept, { recursive: true });
const fileOf = (/** @type {string} */ name) => join(kept, `${name.replaceAll(/\W+/g, "-")}.json`);
const engine = await selectEngine();
try {
  for (const condition of CONDITIONS.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
    const file = fileOf(condition.name);
    if (existsSync(file) && !options.again) continue;
    await writeJson(file, await measure(condition));
    console.log(`${condition.name}: measured`);
  }
} finally {
  await engine.dispose();
}
/** @type {Row[]} */
const rows = [];
for (const { name } of CONDITIONS) {
  const file = fileOf(name);
  if (existsSync(file)) rows.push(JSON.parse(await readFile(file, "utf8")));
}
await writeJson(join(options.results, "mappings.json"), { format: "aspectlens-bench/1", rows });
await writeFile(join(options.results, "mappings.md"), pageOf(rows));
console.log(pageOf(rows));

/** @param {Condition} condition @returns {Promise<Row>} */
async function measure({ name, classifier, aspects, unranked = [], shared, kind = "linear" }) {
  const [own, other] = [await trainedModel(classifier), await trainedModel(aspects)];
  const dataset = await openDataset(join(options.data, MODELS[classifier].data));
  const joined = await mapped(own, other, { dataset, kind });
  const found = await causesNamed(joined.trained, { dataset, unranked });
  const [{ from, to, r2, agreement }] = joined.tried;
  const run = shared === undefined ? undefined : join(options.runs, "faithfulness", shared, "best");
  const sharedFound =
    run && existsSync(run) ? await causesNamed(await readTrainedModel(run), { dataset, unranked }) : null;
  const isControlled = name === CONTROLLED;
  return {
    ...{ name, kind: joined.kind, from, to, r2, agreement, seconds: joined.seconds, found, shared: sharedFound },
    ...(isControlled && {
      randomized: await randomizedShare(joined.trained, { dataset }),
      shuffled: await shuffledNamed(joined.trained, { dataset, unranked, line: found.line }),
      counts: await byCount(own, other, { dataset, unranked }),
      together: await together(shared ?? "", other, { dataset, unranked }),
    }),
  };
}

/** Trained if it is not yet. @param {string} name of `MODELS`. */
async function trainedModel(name) {
  const { data, learns, config } = MODELS[name];
  const directory = join(options.data, data);
  if (!existsSync(join(directory, "dataset.json"))) {
    if (data.startsWith("composites-of-aspects/"))
      node("examples/composites/make.js", join(options.data, "composites-of-aspects"), "--seed", "8");
    else if (data === "tissue/of-aspects")
      aspectlens("data", "synth", directory, "--count", "4000", "--seed", "8", "--causes", "lymphocyte");
    else throw new Error(`${directory}: is absent. Run bench/faithfulness/run.js --train-only first.`);
  }
  const run = join(folder, name);
  if (!existsSync(join(run, "best/model.json"))) {
    const dataset = learns === "class" ? await withoutAspects(directory, `${run}-data`) : directory;
    const heads = learns === "aspects" ? { heads: { class: { weight: 0 } } } : {};
    await writeFile(`${run}.json`, `${JSON.stringify({ dataset, out: run, ...config, ...heads }, null, 2)}\n`);
    aspectlens("train", `${run}.json`, ...(existsSync(join(run, "checkpoint")) ? ["--resume"] : []));
  }
  return readTrainedModel(join(run, "best"));
}

/** The same images, with their class alone. @param {string} from @param {string} to */
async function withoutAspects(from, to) {
  if (existsSync(join(to, "dataset.json"))) return to;
  await mkdir(to, { recursive: true });
  const { causes: _, ...manifest } = JSON.parse(await readFile(join(from, "dataset.json"), "utf8"));
  const lines = (await readFile(join(from, "samples.jsonl"), "utf8")).trimEnd().split("\n");
  const samples = lines.map((line) => {
    const { aspects: _, causes: __, ...sample } = JSON.parse(line);
    return JSON.stringify(sample);
  });
  if (!existsSync(join(to, "images"))) await symlink(resolve(from, "images"), join(to, "images"), "junction");
  await writeFile(join(to, "samples.jsonl"), `${samples.join("\n")}\n`);
  const own = { ...manifest, aspects: [], allowLinks: true };
  await writeFile(join(to, "dataset.json"), `${JSON.stringify(own, null, 2)}\n`);
  return to;
}

/**
 * @param {TrainedModel} classifier @param {TrainedModel} aspects
 * @param {{ dataset: Dataset, kind: "linear" | "unet" | "image", count?: number, names?: readonly string[] }} how
 */
async function mapped(classifier, aspects, { dataset, kind, count = IMAGES, names }) {
  const begun = performance.now();
  const result = await mapNetworks(classifier, aspects, {
    ...{ engine, name: "aspects", kind, aspects: names },
    images: (sizes) => unlabelled(dataset, { ...sizes, count }),
  });
  return { ...result, seconds: Math.round((performance.now() - begun) / 1000) };
}

/** Training images of the classifier, without labels. @param {Dataset} dataset @param {import("aspectlens").ImageSizes & { count: number }} how */
async function* unlabelled(dataset, { count, ...sizes }) {
  let read = 0;
  for await (const batch of batches(dataset, { split: "train", batchSize: BATCH, ...sizes, seed: 1, shuffle: true })) {
    yield batch.map((sample) => ({ ...sample, target: {}, aspects: {}, causes: undefined }));
    read += batch.length;
    if (read >= count) return;
  }
}

/**
 * On test images that are answered right; the line as training sets it, on validation images with known causes.
 *
 * @param {TrainedModel} trained
 * @param {{ dataset: Dataset, unranked: readonly string[], line?: number }} how
 * @returns {Promise<Found>}
 */
async function causesNamed({ spec, parameters, references }, { dataset, unranked, line: given }) {
  const model = createModel(spec);
  const causes = dataset.manifest.causes ?? {};
  const stream = (/** @type {"validation" | "test"} */ split) =>
    batches(dataset, { split, batchSize: BATCH, ...imageSizes(spec), seed: 1, shuffle: true });
  const common = { engine, parameters, references };
  const line = given ?? (await lineOf(model, { ...common, samples: () => stream("validation"), causes, unranked }));
  const constants = explainConstants({ parameters, references });
  const fn = severalMethods(model, ["evidence"]);
  let [images, first, none] = [0, 0, 0];
  /** @type {{ isPositive: boolean, score: number }[]} */
  const ranked = [];
  const run = overSamples(model, { engine, constants, fn, batchSize: BATCH, samples: stream("test"), name: "mapped" });
  for await (const { sample, outputs } of run) {
    const scored = readScores(ofMethod(outputs, "evidence"), model);
    const comparison = compareWithGroundTruth(scored, { sample, causes });
    if (!comparison.isRight || (comparison.causes.length === 0 && comparison.possibleCauses !== 0)) continue;
    const own = rankedScores(comparison).filter((one) => !unranked.includes(one.name));
    ranked.push(...own);
    if (!own.some(({ isPositive }) => isPositive)) continue;
    images++;
    const [best] = own.toSorted((a, b) => b.score - a.score);
    if (best?.isPositive) first++;
    if (!scored.aspects.some(({ score }) => (score ?? 0) >= line)) none++;
  }
  const relevant = (/** @type {boolean} */ isCause) => {
    const some = ranked.filter(({ isPositive }) => isPositive === isCause);
    return some.length === 0 ? null : some.filter(({ score }) => score >= line).length / some.length;
  };
  const share = (/** @type {number} */ count) => (images > 0 ? count / images : null);
  return { line, images, first: share(first), causes: relevant(true), distractors: relevant(false), none: share(none) };
}

/** @param {Model} model @param {Parameters<typeof calibrate>[1]} how */
async function lineOf(model, how) {
  const scale = (await calibrate(model, how)).scales.evidence?.class;
  return scale && "line" in scale ? scale.line : Number.POSITIVE_INFINITY;
}

/** How many aspects are relevant where the classifier is re-initialised. @param {TrainedModel} trained @param {{ dataset: Dataset }} how */
async function randomizedShare({ spec, parameters, references, scales }, { dataset }) {
  const scale = scales.evidence?.class;
  const line = scale && "line" in scale ? scale.line : Number.POSITIVE_INFINITY;
  const samples = () => batches(dataset, { split: "test", batchSize: BATCH, ...imageSizes(spec) });
  const setting = { engine, parameters, references, samples, limit: IMAGES, batchSize: BATCH, isAbout: () => false };
  const [scores] = await randomizedScores(
    createModel(spec),
    { ...setting, methods: /** @type {const} */ (["evidence"]) },
    RANDOMIZATION,
  );
  return scores.filter((score) => score >= line).length / Math.max(1, scores.length);
}

/** @param {TrainedModel} trained @param {{ dataset: Dataset, unranked: readonly string[], line: number }} how */
async function shuffledNamed(trained, how) {
  const wrong = await shuffled(trained, how);
  const { r2 = 0, agreement = {} } = wrong.spec.networks?.[0].mapping.quality ?? {};
  return { r2, agreement, found: await causesNamed(wrong, how) };
}

/** The mapping learned from pairs of different images. @param {TrainedModel} trained @param {{ dataset: Dataset }} how */
async function shuffled(trained, { dataset }) {
  const { spec, parameters } = trained;
  const model = createModel(spec);
  const [network] = model.networks;
  const ofOthers = {
    ...model,
    networks: [
      {
        ...network,
        ownFeatures: (/** @type {Parameters<typeof network.ownFeatures>} */ ...given) =>
          network.ownFeatures(...given).map((features) => tf.reverse(features, 0)),
      },
    ],
  };
  /** @type {Sample[][]} */
  const images = [];
  for await (const batch of unlabelled(dataset, { ...imageSizes(spec), count: IMAGES }))
    if (batch.length === BATCH) images.push(batch);
  const { from, to } = network.spec.mapping;
  const whole = { engine, parameters, batchSize: BATCH, images: () => images };
  const { name } = network.spec;
  const [solve] = await linearFits([{ from, to }], { ...whole, model: ofOthers, network: name });
  const wrong = { ...parameters, ...solve().parameters };
  // As for any mapping: how good it is decides whether its aspects are explained.
  const quality = await measureMapping({
    engine,
    model,
    network: name,
    parameters: wrong,
    images: () => images.slice(-25),
  });
  const networks = [{ ...network.spec, mapping: { ...network.spec.mapping, quality } }];
  return { ...trained, spec: { ...spec, networks }, parameters: wrong };
}

/**
 * @param {TrainedModel} classifier @param {TrainedModel} aspects
 * @param {{ dataset: Dataset, unranked: readonly string[] }} how
 */
async function byCount(classifier, aspects, { dataset, unranked }) {
  const found = [];
  for (const count of COUNTS) {
    const joined = await mapped(classifier, aspects, { dataset, kind: "linear", count });
    const [{ from, to, r2, agreement }] = joined.tried;
    const named = await causesNamed(joined.trained, { dataset, unranked });
    found.push({ count, from, to, r2, agreement, seconds: joined.seconds, found: named });
  }
  return found;
}

/**
 * A cause on the classifier's own trunk, all other aspects through a mapping.
 *
 * @param {string} shared of `bench/faithfulness`. @param {TrainedModel} aspects
 * @param {{ dataset: Dataset, unranked: readonly string[] }} how
 */
async function together(shared, aspects, { dataset, unranked }) {
  const run = join(options.runs, "faithfulness", shared, "best");
  if (shared === "" || !existsSync(run)) return null;
  const trained = await readTrainedModel(run);
  const causes = Object.values(dataset.manifest.causes ?? {}).flat();
  const heads = trained.spec.heads.filter(({ name, kind }) => kind === "classifier" || causes.includes(name));
  const names = aspects.spec.heads.flatMap(({ name, kind }) =>
    kind === "classifier" || causes.includes(name) ? [] : [name],
  );
  const own = { ...trained, spec: { ...trained.spec, heads } };
  const joined = await mapped(own, aspects, { dataset, kind: "linear", names });
  return { shared: causes, mapped: names, found: await causesNamed(joined.trained, { dataset, unranked }) };
}
