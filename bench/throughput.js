/**
 * Pre-training throughput: images a second of the trainer, decoding and augmentation included, against the step alone:
 * `npm run build && node bench/throughput.js`. Batch normalisation in training mode, from random weights.
 */

import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { selectEngine } from "aspectlens";
import sharp from "sharp";
import { random } from "../examples/support/random.js";
import { measure, median, rounded, writeResults } from "./harness.js";
import { prepareStep } from "./training.js";

const [IMAGES, VALIDATION, CLASSES, SIDE, BATCH, EPOCHS] = [2048, 64, 10, 64, 32, 6];
const folder = await mkdtemp(join(tmpdir(), "aspectlens-bench-"));
const data = join(folder, "data");
await drawDataset();
const rows = [];
for (const [trunk, alpha] of /** @type {const} */ ([
  ["mobilenet-v1", 0.25],
  ["mobilenet-v2", 0.35],
])) {
  const options = {
    trunk,
    alpha,
    inputSize: 128,
    batchSize: BATCH,
    masks: 0,
    batchNorm: /** @type {const} */ ("batch"),
  };
  const out = join(folder, `${trunk}`);
  const config = join(folder, `${trunk}.json`);
  await writeFile(
    config,
    JSON.stringify({
      dataset: data,
      out,
      batchSize: BATCH,
      trunk: { name: trunk, alpha, inputSize: options.inputSize, weights: "random" },
      stages: [{ train: "all", epochs: EPOCHS, batchNorm: "batch" }],
      augment: { flip: true, crop: 0.4, colour: 0.3 },
    }),
  );
  const cli = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
  const alone = await stepAlone(options);
  const { status, stderr } = spawnSync(process.execPath, [cli, "train", config], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  const alsoAlone = await stepAlone(options);
  const lines = (await readFile(join(out, "metrics.jsonl"), "utf8")).trim().split("\n");
  const seconds = lines.map((line) => Number(JSON.parse(line).seconds));
  const rate = (/** @type {number} */ time) => rounded(IMAGES / time);
  const ours = {
    stepAlone: rounded((1000 * BATCH) / Math.min(alone, alsoAlone)),
    firstEpoch: rate(seconds[0]),
    laterEpochs: rate(median(seconds.slice(1))),
  };
  const share = rounded(ours.laterEpochs / ours.stepAlone);
  const work =
    `images a second, ${trunk} ${alpha} @128, batch ${BATCH}, ` +
    `batch norm in training mode, JPEGs of ${SIDE} px augmented`;
  console.log(`${work}: ${JSON.stringify(ours)}, ${rounded(100 * share)} % of the step alone`);
  rows.push({ work, ours: { ...ours, share }, peer: null, ratio: null });
}
await rm(folder, { recursive: true });
await writeResults("throughput", rows);

/**
 * A classifier alone, as in pre-training.
 *
 * @param {import("./training.js").StepOptions} options
 * @returns {Promise<number>} median milliseconds.
 */
async function stepAlone(options) {
  const engine = await selectEngine({ engine: "onnx" });
  const step = await prepareStep(engine, options);
  const { ms } = await measure(step.run, 25, 5);
  await step.dispose();
  await engine.dispose();
  return ms;
}

/** Smooth noise in JPEGs; what is learned does not matter here. */
async function drawDataset() {
  await mkdir(join(data, "images"), { recursive: true });
  const classes = Array.from({ length: CLASSES }, (_, index) => `class ${index}`);
  const manifest = {
    format: "aspectlens-dataset/1",
    name: "noise",
    task: "single",
    classes,
    samples: "samples.jsonl",
    aspects: [],
  };
  await writeFile(join(data, "dataset.json"), JSON.stringify(manifest));
  const stream = random("bench", "throughput");
  const lines = [];
  for (let index = 0; index < IMAGES + VALIDATION; index++) {
    const numbers = Uint8Array.from({ length: 8 * 8 * 3 }, () => stream.integer(256));
    const image = sharp(numbers, { raw: { width: 8, height: 8, channels: 3 } }).resize(SIDE, SIDE);
    await image.jpeg({ quality: 90 }).toFile(join(data, "images", `${index}.jpg`));
    const split = index < IMAGES ? "train" : "validation";
    lines.push(JSON.stringify({ image: `images/${index}.jpg`, split, label: classes[index % CLASSES] }));
  }
  await writeFile(join(data, "samples.jsonl"), `${lines.join("\n")}\n`);
}
