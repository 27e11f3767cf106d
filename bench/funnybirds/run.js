/**
 * Trains on the birds that `make.js` draws, measures every protocol on the test images, and writes
 * `bench/results/funnybirds.json` and `.md`.
 *
 *     npm run build && node bench/funnybirds/make.js data/funnybirds && node bench/funnybirds/run.js
 *
 * Hours. It can be stopped at any time: a training continues where it was, and finished images are not measured again.
 * `--train-only` leaves the measuring for later, `--again` explains again by our own numbers, `--set` changes the
 * training's configuration, `--images` and `--validation-images` measure the first ones alone.
 */

import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { createModel, readTrainedModel, selectEngine } from "aspectlens";
import { requireArchives, unpackWeights } from "../../examples/support/archives.js";
import { aspectlens } from "../../examples/support/command-line.js";
import { writeJson } from "../harness.js";
import { PARTS } from "./birds.js";
import { explainByAttributions, explainByOwn, measureAnswers } from "./measure.js";
import { shotOf, VALIDATION_REMOVALS } from "./pictures.js";
import { accuracy, backgroundIndependence, bestLevel, scoresAt } from "./protocols.js";
import { tableOf } from "./table.js";

/** @import { Judged } from "./protocols.js" */
/** @import { Shot, Split } from "./pictures.js" */
/** @import { Answers, Given } from "./measure.js" */

const { values: options } = parseArgs({
  options: {
    data: { type: "string", default: "data/funnybirds" },
    run: { type: "string", default: "runs/funnybirds" },
    results: { type: "string", default: "bench/results" },
    weights: { type: "string", default: "mobilenet_v2_0.35_224_notop_f32" },
    epochs: { type: "string", default: "12" },
    set: { type: "string", multiple: true, default: [] },
    "train-only": { type: "boolean", default: false },
    again: { type: "boolean", default: false },
    images: { type: "string", default: "500" },
    "validation-images": { type: "string", default: "100" },
  },
});
/** Strides 8 and 16 of MobileNet v2. By defaults heads of small parts read stride 4 too, at twice the time. */
const TAPS = ["block_6_expand", "block_13_expand"];
const { data, run } = options;
/** Where answers and explanations of this model are kept. */
const measured = `${run}-measured`;
const mark = join(data, "funnybirds.json");
if (!existsSync(mark)) throw new Error(`${data}: no birds. Draw them first: node bench/funnybirds/make.js ${data}`);
const { seed, classes } = JSON.parse(await readFile(mark, "utf8"));
if (!existsSync(join(run, "best/model.json"))) await train();
if (!options["train-only"]) await measure();

async function train() {
  const root = dirname(run);
  if (!existsSync(join(root, "weights", options.weights))) {
    requireArchives(["weights_mobilenet_tfjs"]);
    await unpackWeights(options.weights, { root });
  }
  const config = {
    dataset: data,
    out: run,
    batchSize: 32,
    trunk: { weights: join(root, "weights", options.weights), inputSize: 192 },
    ...(options.weights.startsWith("mobilenet_v2") && {
      heads: Object.fromEntries(PARTS.map((part) => [part, { tap: TAPS }])),
    }),
    stages: [{ train: "all", epochs: Number(options.epochs), learningRate: 0.003, batchNorm: "batch" }],
    score: "class",
    // A crop would cut parts away that the class depends on.
    augment: { flip: true, turn: "none", crop: 0, colour: 0.1 },
  };
  await mkdir(root, { recursive: true });
  await writeFile(`${run}.json`, `${JSON.stringify(config, null, 2)}\n`);
  const changes = options.set.flatMap((change) => ["--set", change]);
  aspectlens("train", `${run}.json`, ...changes, ...(existsSync(join(run, "checkpoint")) ? ["--resume"] : []));
}

async function measure() {
  const trained = await readTrainedModel(join(run, "best"));
  const model = createModel(trained.spec);
  const engine = await selectEngine();
  const setting = { engine, model, trained, data, classes };
  try {
    /** @param {Split} split @param {number} count */
    const judgedBy = async (split, count) => {
      const shots = Array.from({ length: count }, (_, at) => shotOf(split, at, { seed, classCount: classes.length }));
      const file = (/** @type {string} */ name) => join(measured, `${split}-${name}.jsonl`);
      const answers = await measureAnswers(shots, setting, file("answers"));
      /** @type {(readonly (readonly Given[])[])[]} */
      const given = [];
      for (const scale of /** @type {const} */ (["logit", "log-odds"])) {
        if (options.again) await rm(file(scale), { force: true });
        given.push(await explainByOwn(shots, { ...setting, answers, scale }, file(scale)));
      }
      given.push(await explainByAttributions(shots, { ...setting, answers }, file("attributions")));
      return byMethod(
        shots,
        answers,
        shots.map((_, at) => given.flatMap((group) => group[at])),
      );
    };
    const test = await judgedBy("test", Math.min(Number(options.images), await drawnCount("test")));
    const validation = await judgedBy(
      "validation",
      Math.min(
        Number(options["validation-images"]),
        VALIDATION_REMOVALS * classes.length,
        await drawnCount("validation"),
      ),
    );
    const [anyMethod] = Object.values(test);
    const rows = Object.entries(test).map(([method, images]) => ({
      method,
      ...scoresAt(images, classes, bestLevel(images, classes)),
      byValidation: scoresAt(images, classes, bestLevel(validation[method], classes)),
    }));
    const result = {
      format: "aspectlens-bench/1",
      work: "FunnyBirds, in our own rendering",
      trunk: trained.spec.trunk,
      trainingImages: await drawnCount("train"),
      images: anyMethod.length,
      accuracy: accuracy(anyMethod),
      backgroundIndependence: backgroundIndependence(anyMethod),
      rows,
    };
    await writeJson(join(options.results, "funnybirds.json"), result);
    await writeFile(join(options.results, "funnybirds.md"), tableOf(result));
    console.log(tableOf(result));
  } finally {
    await engine.dispose();
  }
}

/** Images of a split in the dataset. @param {Split} split */
async function drawnCount(split) {
  const lines = (await readFile(join(data, "samples.jsonl"), "utf8")).split("\n").filter((line) => line !== "");
  return lines.filter((line) => JSON.parse(line).split === split).length;
}

/**
 * @param {readonly Shot[]} shots @param {readonly Answers[]} answers
 * @param {readonly (readonly Given[])[]} given of each image.
 * @returns {Record<string, Judged[]>} by method.
 */
function byMethod(shots, answers, given) {
  const methods = new Set(given[0].map(({ method }) => method));
  return Object.fromEntries(
    [...methods].map((name) => [
      name,
      shots.map(({ label }, at) => {
        const own = given[at].filter(({ method }) => method === name);
        return { label, ...answers[at], explained: new Map(own.map((one) => [one.label, one])) };
      }),
    ]),
  );
}
