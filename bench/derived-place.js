/**
 * Where an aspect by presence is derived to be, beside its true mask: pointing game and IoU at several shares of the
 * peak. Writes `bench/results/derived-place.json`.
 *
 *     npm run build && node bench/derived-place.js
 *
 * Draws synthetic tissue, of which every thing has a mask, declares all of them as presence, trains (some minutes each),
 * and measures on the test images in which the thing is marked and seen. Data and runs are kept in `--folder`.
 */

import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  batches,
  checkConfig,
  createModel,
  explainConstants,
  explainFunction,
  openDataset,
  overSamples,
  readExplanation,
  readModel,
  runTraining,
  selectEngine,
  synthesize,
} from "aspectlens";
import { writeJson } from "./harness.js";
import { evidenceDensity, SHARE_OF_PEAK, sideOf, tapOffset } from "./internals.js";

const { folder } = parseArgs({ options: { folder: { type: "string", default: "runs/derived-place" } } }).values;

const SHARES = [0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6];
/** Zhang et al. 2016, arXiv:1608.00507, cut at a multiple of the mean. */
const MEANS = [1, 2, 3];
/** Of its masks at the model's size. */
const MARKED = 0.5;

/** @type {Record<string, object>} */
const RUNS = {
  "all layers, stride 8, 128 px": {
    source: "conv_pw_5",
    trunk: { inputSize: 128 },
    stages: [{ train: "all", epochs: 10, batchNorm: "batch", learningRate: 0.003 }],
  },
  "defaults, stride 16, 224 px": {
    trunk: { inputSize: 224 },
    stages: { 0: { epochs: 12 }, 1: { epochs: 6 } },
  },
};

const engine = await selectEngine();
const data = join(folder, "tissue");
if (!existsSync(join(data, "dataset.json"))) await drawByPresence(data);
/** @type {Record<string, unknown>} */
const models = {};
for (const [index, [name, config]] of Object.entries(RUNS).entries()) {
  const out = join(folder, `run-${index + 1}`);
  if (!existsSync(join(out, "best", "model.json")))
    await runTraining(checkConfig({ dataset: data, out, batchSize: 8, ...config }), { engine });
  models[name] = await measure(out);
  console.log(name, JSON.stringify(models[name], null, 1));
}
await engine.dispose();
await writeJson("bench/results/derived-place.json", { images: 120, seed: 11, models });

/** Every thing as presence, with its mask beside. @param {string} directory */
async function drawByPresence(directory) {
  await synthesize(directory, { count: 800, seed: 11 });
  const file = join(directory, "dataset.json");
  const manifest = JSON.parse(await readFile(file, "utf8"));
  for (const aspect of manifest.aspects) if (aspect.kind !== "amount") aspect.kind = "presence";
  await writeFile(file, JSON.stringify(manifest));
}

/** @param {string} run */
async function measure(run) {
  const trained = await readModel(run);
  const { spec } = trained;
  const model = createModel(spec);
  const size = sideOf(spec.trunk.inputSize);
  const dataset = await openDataset(data);
  const samples = batches(dataset, { split: "test", batchSize: 8, inputSize: size, annotations: "all" });
  const given = { engine, fn: explainFunction(model), constants: explainConstants(trained), samples };
  /** @type {Record<string, ReturnType<typeof tally>>} */
  const tallies = {};
  for await (const { sample, outputs } of overSamples(model, given)) {
    const { explanation, maps } = readExplanation(outputs, {
      spec,
      scale: { kind: "uncalibrated" },
      image: sample.path,
    });
    for (const { name, isPresent, isPlaceDerived } of explanation.aspects) {
      const mask = sample.aspects[name]?.mask;
      if (!isPresent || !isPlaceDerived || !mask?.some((share) => share >= MARKED)) continue;
      const head = model.aspects.find(({ spec: { name: own } }) => own === name);
      const overlaps = (head?.spec.taps ?? []).map((tap, index) => ({
        ...{ tap, index },
        overlap: outputs[`${name}/overlap/${tap}`],
      }));
      const density = evidenceDensity(overlaps, { size });
      const moved = movedBy(density, { size, pixels: Math.round(size * tapOffset(spec.trunk, overlaps[0].tap)) });
      tallies[name] ??= tally();
      tallies[name].add({ density, moved, mask, derived: maps.regions[name], size });
    }
  }
  return Object.fromEntries(Object.entries(tallies).map(([name, { result }]) => [name, result()]));
}

/**
 * The same, moved right and down: where it would lie at the centres of the receptive fields.
 *
 * @param {Float32Array} density @param {{ size: number, pixels: number }} options
 */
function movedBy(density, { size, pixels }) {
  return density.map((_, pixel) => {
    const [row, column] = [Math.floor(pixel / size) - pixels, (pixel % size) - pixels];
    return density[Math.max(0, row) * size + Math.max(0, column)];
  });
}

function tally() {
  let count = 0;
  let hits = 0;
  let near = 0;
  let area = 0;
  const shown = overlap();
  const atCentres = overlap();
  const shares = SHARES.map((share) => ({ share, overlap: overlap() }));
  const means = MEANS.map((times) => ({ times, overlap: overlap() }));
  return {
    /** @param {{ density: Float32Array, moved: Float32Array, mask: ArrayLike<number>, derived: Uint8Array, size: number }} image */
    add({ density, moved, mask, derived, size }) {
      const marked = Uint8Array.from(mask, (share) => (share >= MARKED ? 1 : 0));
      const peak = density.indexOf(density.reduce((a, b) => Math.max(a, b), 0));
      const mean = density.reduce((a, b) => a + b, 0) / density.length;
      count++;
      area += marked.reduce((a, b) => a + b, 0) / marked.length;
      if (marked[peak]) hits++;
      if (isNear(marked, { peak, size, reach: size / 16 })) near++;
      shown.add((pixel) => derived[pixel] === 1, marked);
      atCentres.add((pixel) => moved[pixel] >= SHARE_OF_PEAK * density[peak], marked);
      for (const each of shares) each.overlap.add((pixel) => density[pixel] >= each.share * density[peak], marked);
      for (const each of means) each.overlap.add((pixel) => density[pixel] >= each.times * mean, marked);
    },
    result: () => ({
      count,
      meanArea: rounded(area / count),
      peakInside: rounded(hits / count),
      peakWithinSixteenth: rounded(near / count),
      iou: shown.result(),
      iouMoved: atCentres.result(),
      iouByShareOfPeak: Object.fromEntries(shares.map(({ share, overlap }) => [share, overlap.result()])),
      iouByTimesTheMean: Object.fromEntries(means.map(({ times, overlap }) => [times, overlap.result()])),
    }),
  };
}

/** Mean over the images of the intersection over union, and of the pooled pixels. */
function overlap() {
  let [count, sum, both, either] = [0, 0, 0, 0];
  return {
    /** @param {(pixel: number) => boolean} isFound @param {Uint8Array} marked */
    add(isFound, marked) {
      let [shared, union] = [0, 0];
      for (let pixel = 0; pixel < marked.length; pixel++) {
        const found = isFound(pixel);
        if (found && marked[pixel]) shared++;
        if (found || marked[pixel]) union++;
      }
      count++;
      sum += shared / union;
      both += shared;
      either += union;
    },
    result: () => ({ mean: rounded(sum / count), pooled: rounded(both / either) }),
  };
}

/** @param {Uint8Array} marked @param {{ peak: number, size: number, reach: number }} options in pixels. */
function isNear(marked, { peak, size, reach }) {
  const [row, column] = [Math.floor(peak / size), peak % size];
  return marked.some((value, pixel) => {
    const distance = Math.hypot(Math.floor(pixel / size) - row, (pixel % size) - column);
    return value === 1 && distance <= reach;
  });
}

/** @param {number} value */
function rounded(value) {
  return Math.round(value * 1000) / 1000;
}
