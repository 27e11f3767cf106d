/** What a model answers to every picture, and how each method explains it; kept line by line, so that it can go on. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { answer, decodeImage, imageBatch } from "aspectlens";
import { sideOf } from "../internals.js";
import { openAttributions } from "./attributions.js";
import { contrastPair, PARTS } from "./birds.js";
import { eachOnce } from "./each-once.js";
import { openOwn } from "./own-numbers.js";
import { dilatedThings, FIRST_OBJECT, readMap, sumsOverThings, visibleObjects } from "./part-maps.js";
import { imagePath, mapPath, objectPath, partsPath, SUBSETS } from "./pictures.js";

/** @import { Engine, Model, TrainedModel } from "aspectlens" */
/** @import { Bird } from "./birds.js" */
/** @import { Shot } from "./pictures.js" */
/** @import { Explanation, Judged } from "./protocols.js" */

/**
 * @typedef {object} Setting
 * @property {Engine} engine
 * @property {Model} model
 * @property {TrainedModel} trained
 * @property {string} data folder of the set.
 * @property {readonly Bird[]} classes
 */
/** @typedef {Pick<Judged, "kept" | "objects">} Answers */
/** @typedef {Explanation & { method: string, label: number }} Given by a method, of a class. */

/** Images of one call. */
const BATCH = 16;

/**
 * The logits of each image and of its removals.
 *
 * @param {readonly Shot[]} shots @param {Setting} setting @param {string} file
 * @returns {Promise<readonly Answers[]>}
 */
export async function measureAnswers(shots, { engine, model, trained, data }, file) {
  const size = sideOf(model.spec.trunk.inputSize);
  const { classifier, trunk } = model;
  const graph = await engine.compile(
    ({ inputs, constants }) => {
      const image = /** @type {import("@tensorflow/tfjs").Tensor4D} */ (inputs.image);
      const read = trunk.run(constants, { input: image }, classifier.spec.taps);
      return { outputs: { logits: answer(classifier, constants, read) } };
    },
    { inputs: { image: [BATCH, size, size, 3] }, constants: trained.parameters, name: "answers" },
  );
  /** @param {readonly string[]} paths @returns {Promise<number[][]>} */
  const logitsOf = async (paths) => {
    const results = [];
    for (let start = 0; start < paths.length; start += BATCH) {
      const some = paths.slice(start, start + BATCH);
      const samples = await Promise.all(some.map((path) => sampleOf(join(data, path), size)));
      const { logits } = await graph.run({ image: imageBatch(samples, { size, batchSize: BATCH }) });
      const length = logits.data.length / BATCH;
      for (const row of some.keys())
        results.push(Array.from(logits.data.slice(row * length, (row + 1) * length), rounded));
    }
    return results;
  };
  try {
    return await eachOnce(shots, file, async (shot) => {
      const kept = await logitsOf(SUBSETS.map((some) => partsPath(shot, some)));
      // An object that is not seen leaves the picture as it is.
      const seen = visibleObjects(await readMap(join(data, mapPath(shot))));
      const without = await logitsOf(seen.map((object) => objectPath(shot, object)));
      const objects = shot.scene.objects.map((_, object) => without[seen.indexOf(object)] ?? kept[SUBSETS.length - 1]);
      return { kept, objects };
    });
  } finally {
    await graph.dispose();
  }
}

/**
 * Explains each image for its class, the answer, and its pair, by our own numbers.
 *
 * @param {readonly Shot[]} shots
 * @param {Setting & { answers: readonly Answers[], scale: "log-odds" | "logit" }} setting
 * @param {string} file
 * @returns {Promise<readonly (readonly Given[])[]>} of each image.
 */
export async function explainByOwn(shots, { answers, classes, data, ...setting }, file) {
  const own = await openOwn(setting);
  const size = sideOf(setting.model.spec.trunk.inputSize);
  try {
    return await eachOnce(shots, file, async (shot, at) => {
      const asked = classesOf(shot, answers[at], classes);
      const { image } = await sampleOf(join(data, imagePath(shot)), size);
      return own.explain(image, asked, shot.scene.objects.length);
    });
  } finally {
    await own.dispose();
  }
}

/**
 * The same by attribution maps, summed over part maps.
 *
 * @param {readonly Shot[]} shots @param {Setting & { answers: readonly Answers[] }} setting @param {string} file
 * @returns {Promise<readonly (readonly Given[])[]>}
 */
export async function explainByAttributions(shots, { answers, classes, data, engine, model, trained }, file) {
  const { dispose, ...methods } = await openAttributions({ engine, model, parameters: trained.parameters });
  const size = sideOf(model.spec.trunk.inputSize);
  try {
    return await eachOnce(shots, file, async (shot, at) => {
      const asked = classesOf(shot, answers[at], classes);
      const { image } = await sampleOf(join(data, imagePath(shot)), size);
      const things = dilatedThings(await readMap(join(data, mapPath(shot)), size));
      const given = [];
      for (const [method, mapsOf] of Object.entries(methods)) {
        const maps = await mapsOf(asked.map((target) => ({ pixels: image, target })));
        for (const [row, label] of asked.entries())
          given.push({ method, label, ...overThings(maps[row], things, shot.scene.objects.length) });
      }
      return given;
    });
  } finally {
    await dispose();
  }
}

/**
 * @param {Float32Array} map @param {ReturnType<typeof dilatedThings>} things @param {number} objectCount
 * @returns {Explanation}
 */
function overThings(map, things, objectCount) {
  const sums = sumsOverThings(map, things);
  return {
    parts: PARTS.map((_, part) => sums.get(part + 1) ?? 0),
    objects: Array.from({ length: objectCount }, (_, object) => sums.get(FIRST_OBJECT + object) ?? 0),
    sum: map.reduce((sum, value) => sum + value, 0),
  };
}

/**
 * The class, the answer, and the pair of target sensitivity, which is measured on test images alone.
 *
 * @param {Shot} shot @param {Answers} answers @param {readonly Bird[]} classes @returns {number[]} without repeats.
 */
function classesOf({ split, label }, { kept }, classes) {
  const whole = kept[SUBSETS.length - 1];
  const pair = split === "test" ? contrastPair(classes, label) : undefined;
  return [...new Set([label, whole.indexOf(Math.max(...whole)), ...(pair ? [pair.a, pair.b] : [])])];
}

/** As many digits as a logit has. @param {number} value */
function rounded(value) {
  return Number(value.toPrecision(7));
}

/** @param {string} path @param {number} size */
async function sampleOf(path, size) {
  if (!existsSync(path)) throw new Error(`${path} is not drawn yet: node bench/funnybirds/make.js`);
  const { pixels } = await decodeImage(path, { size });
  return { path, image: pixels, target: {}, aspects: {} };
}
