/**
 * A finished classifier and few annotations: classifiers are fine-tuned in PyTorch (`conditions.js`), exported to ONNX and
 * imported; aspects are added from 10, 30 and 100 annotated training images, the other images without annotations;
 * all is measured on test images. Writes `bench/results/finished.json` and the table, `finished.md`.
 *
 *     npm run build && node bench/finished/run.js FOLDER [NAME...]
 *
 * NAME is a condition, or one with its number of images, as `mobilenet-v2-cat:30`. Needs the archives in `../shared/data`
 * and a Python with PyTorch; two hours on two cores, half of them the ResNet18's training on Tiny ImageNet. Data, ONNX
 * files, runs and one result for each row stay in FOLDER; what is there is not made again, and a training that was
 * interrupted goes on. `--set KEY=VALUE` tries another configuration of the heads out, `--line 0.02` another line of
 * relevance, here the one of all models, on the same runs; results of both belong elsewhere, `--results`.
 */

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { evaluateModel, faithfulnessOf, openDataset, readTrainedModel, selectEngine } from "aspectlens";
import { archivePath } from "../../examples/support/archives.js";
import { aspectlens, node } from "../../examples/support/command-line.js";
import { writeJson } from "../harness.js";
import { findPython } from "../peer.js";
import { CONDITIONS, COUNTS, LEAST_ACCURACY } from "./conditions.js";
import { withFewAnnotations } from "./few-annotations.js";
import { pageOf } from "./table.js";

/** @import { TrainedModel } from "aspectlens" */
/** @import { Condition } from "./conditions.js" */
/** @import { Classifier, Row } from "./table.js" */

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    results: { type: "string", default: "bench/results" },
    seed: { type: "string", default: "1" },
    set: { type: "string", multiple: true, default: [] },
    line: { type: "string" },
  },
});
const [folder, ...names] = positionals;
if (!folder) throw new Error("expected a folder for data, networks and runs");
const TRUNK = "mobilenet_v2_0.35_224_notop_f32";
const TINY = "tiny_imagenet_200_trainval_full";
const tried = options.set.map((one) => `-${one.replaceAll(/\W+/g, "-")}`).join("");
const seed = Number(options.seed);
const line = options.line === undefined ? "" : `-line-${options.line}`;
const places = { data: join(folder, "data/composites"), rows: join(folder, `rows${tried}${line}`) };
for (const place of Object.values(places)) await mkdir(place, { recursive: true });
const python = await findPython();

for (const condition of CONDITIONS) {
  const { name } = condition;
  const counts = COUNTS.filter((count) => [name, `${name}:${count}`].some((one) => names.includes(one)));
  if (names.length > 0 && counts.length === 0) continue;
  const classifier = await fineTuned(condition);
  if (classifier.accuracy.test < LEAST_ACCURACY) {
    console.log(`${name}: accuracy ${classifier.accuracy.test}, its answers have no known causes; left out`);
    continue;
  }
  for (const count of names.length === 0 ? COUNTS : counts) {
    const file = join(places.rows, `${name}-${count}${seed === 1 ? "" : `-${seed}`}.json`);
    if (existsSync(file)) continue;
    await writeJson(file, await measured(condition, { count, classifier }));
    console.log(`${name}, ${count} annotated images: ${file}`);
  }
}
const rows = await keptRows();
await writeJson(join(options.results, "finished.json"), { format: "aspectlens-bench/1", rows });
await writeFile(join(options.results, "finished.md"), pageOf(rows));
console.log(pageOf(rows));

/** @returns {Promise<Row[]>} */
async function keptRows() {
  const files = CONDITIONS.flatMap(({ name }) => COUNTS.map((count) => join(places.rows, `${name}-${count}.json`)));
  const there = files.filter((file) => existsSync(file));
  return Promise.all(there.map(async (file) => JSON.parse(await readFile(file, "utf8"))));
}

/** Trained, exported and imported, if it is not yet. @param {Condition} condition @returns {Promise<Classifier>} */
async function fineTuned({ name, network, data, options: own }) {
  if (!existsSync(join(places.data, data, "dataset.json"))) node("examples/composites/make.js", places.data);
  const out = join(folder, name);
  if (!existsSync(`${out}.onnx`)) {
    const weights = network === "resnet18" ? join(folder, "resnet18-tiny.pt") : join(folder, "data/weights", TRUNK);
    if (network === "resnet18" && !existsSync(weights)) peer("tiny_imagenet.py", archivePath(TINY), weights);
    peer("fine_tune.py", network, weights, join(places.data, data), out, ...own);
  }
  const classifier = JSON.parse(await readFile(`${out}.json`, "utf8"));
  if (!existsSync(join(folder, "runs", name, "best/model.json"))) {
    await writeFile(`${out}.txt`, `${classifier.classes.join("\n")}\n`);
    const said = ["--scaling", classifier.scaling, "--classes", `${out}.txt`, "--json"];
    console.log(aspectlens("import", `${out}.onnx`, "--out", join(folder, "runs", name), ...said));
  }
  return classifier;
}

/** @param {string} script @param {...string} words */
function peer(script, ...words) {
  if (!python) process.exit(0);
  const path = fileURLToPath(new URL(`../peer/${script}`, import.meta.url));
  execFileSync(python, [path, ...words], { stdio: "inherit" });
}

/** @param {Condition} condition @param {{ count: number, classifier: Classifier }} given @returns {Promise<Row>} */
async function measured({ name, data, unranked }, { count, classifier }) {
  const whole = join(places.data, data);
  const few = join(folder, "data", `${data}-${count}-${seed}`);
  await withFewAnnotations(resolve(whole), few, { count, seed });
  const run = join(folder, "runs", `${name}-${count}-${seed}${tried}`);
  if (!existsSync(join(run, "best/model.json"))) {
    await writeFile(`${run}.json`, JSON.stringify({ dataset: few, out: run }));
    const set = options.set.flatMap((one) => ["--set", one]);
    const again = existsSync(join(run, "checkpoint")) ? ["--resume"] : [];
    aspectlens("train", `${run}.json`, "--add-heads", join(folder, "runs", name), ...set, ...again);
  }
  const trained = withLine(await readTrainedModel(join(run, "best")));
  const engine = await selectEngine();
  try {
    const { heads } = await evaluateModel(trained, whole, { engine, split: "test" });
    const dataset = await openDataset(whole);
    const sizes = { draws: 0, inpaintedImages: 0, curveImages: 0 };
    const { faithfulness } = await faithfulnessOf(trained, { engine, dataset, unranked, ...sizes });
    const { methods, counts, coverage, aspects } = faithfulness;
    const [method] = methods.filter(({ isDefault }) => isDefault);
    const { warnings } = trained.provenance;
    const found = { ...{ method, counts, coverage, aspects }, images: faithfulness.count };
    return { name, count, classifier, source: trained.spec.source, heads, found, warnings };
  } finally {
    await engine.dispose();
  }
}

/** With the line that is asked for. @param {TrainedModel} trained @returns {TrainedModel} */
function withLine(trained) {
  const { evidence } = trained.scales;
  if (options.line === undefined || evidence?.class?.kind !== "probability") return trained;
  const asked = { ...evidence.class, line: Number(options.line), by: /** @type {const} */ ("general") };
  return { ...trained, scales: { ...trained.scales, evidence: { ...evidence, class: asked } } };
}
