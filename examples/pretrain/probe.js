/**
 * What a trunk has learned, as a linear probe: a logistic regression on its pooled last features, learned on the pets'
 * training and validation photographs, tested on their test photographs.
 *
 * node examples/pets/make.js && node examples/pretrain/probe.js random data/weights/mobilenet_v2_0.35_224_notop_f32
 * runs/pretrain-v1-0.25
 *
 * Each argument is a file or folder of weights, a `builtin:` name, a run folder, or `random`; `--size 160` the side of
 * the images; `--json` prints one object.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import * as tf from "@tensorflow/tfjs";
import {
  batches,
  createTrunk,
  foldBatchNorm,
  imageBatch,
  inspectWeights,
  loadWeights,
  locateWeights,
  openDataset,
  randomWeights,
  readTrainedModel,
  readWeights,
  selectEngine,
} from "aspectlens";

/** @import { NdArrays } from "aspectlens" */
/** @import { Trunk } from "aspectlens" */
/** @typedef {{ features: Float32Array, label: number }} Example */

const BATCH = 16;
/**
 * Strengths of the penalty that are tried; the best on the validation split is taken for all of training and
 * validation.
 */
const PENALTIES = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1];
const STEPS = 400;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: "string", default: "160" },
    dataset: { type: "string", default: "data/pets" },
    alpha: { type: "string", default: "0.25" },
    json: { type: "boolean", default: false },
  },
});
const size = Number(options.size);
const dataset = await openDataset(options.dataset);
const { classes } = dataset.manifest;
const engine = await selectEngine({ engine: "onnx" });
/** @type {{ weights: string, size: number, accuracy: number, penalty: number }[]} */
const rows = [];
for (const source of positionals.length > 0 ? positionals : ["random"]) {
  const { trunk, parameters } = await trunkOf(source);
  const examples = await examplesOf(trunk, parameters);
  const scores = PENALTIES.map((penalty) => accuracy(examples.validation, learn(examples.train, penalty)));
  const penalty = PENALTIES[scores.indexOf(Math.max(...scores))];
  const whole = [...examples.train, ...examples.validation];
  const result = accuracy(examples.test, learn(whole, penalty));
  rows.push({ weights: source, size, accuracy: result, penalty });
  if (options.json) continue;
  console.log(
    `${source}: ${(100 * result).toFixed(1)} % of ${examples.test.length} test images at ${size} px (penalty ${penalty}, ${whole.length} learned from)`,
  );
}
await engine.dispose();
if (options.json) console.log(JSON.stringify({ testImages: 298, rows }));

/**
 * @param {string} source
 * @returns {Promise<{ trunk: Trunk, parameters: NdArrays }>} parameters with batch norm folded.
 */
async function trunkOf(source) {
  if (source === "random") {
    const trunk = createTrunk({ name: "mobilenet-v1", alpha: Number(options.alpha), inputSize: size });
    return { trunk, parameters: foldBatchNorm(trunk, randomWeights(trunk, { seed: 7 })) };
  }
  if (existsSync(join(source, "best"))) {
    const { spec, parameters } = await readTrainedModel(join(source, "best"));
    return { trunk: createTrunk({ ...spec.trunk, inputSize: size }), parameters };
  }
  const file = await readWeights(await locateWeights(source));
  const { name, alpha, convention } = await inspectWeights(file);
  const trunk = createTrunk({ name, alpha, inputSize: size, convention });
  return { trunk, parameters: foldBatchNorm(trunk, (await loadWeights(trunk, file)).parameters) };
}

/**
 * @param {Trunk} trunk
 * @param {NdArrays} parameters
 */
async function examplesOf(trunk, parameters) {
  const names = trunk.foldedParameters.map((spec) => spec.name);
  const constants = Object.fromEntries(names.map((name) => [name, parameters[name]]));
  const compiled = await engine.compile(
    ({ inputs, constants }) => ({
      outputs: tf.tidy(() => {
        const values = { input: /** @type {tf.Tensor4D} */ (inputs.image) };
        return { pooled: tf.mean(trunk.run(constants, values, [trunk.output])[trunk.output], [1, 2]) };
      }),
    }),
    { name: "pooled features", inputs: { image: [BATCH, size, size, 3] }, constants },
  );
  /** @type {Record<"train" | "validation" | "test", Example[]>} */
  const examples = { train: [], validation: [], test: [] };
  for (const split of /** @type {const} */ (["train", "validation", "test"])) {
    for await (const samples of batches(dataset, { split, batchSize: BATCH, inputSize: size })) {
      const { pooled } = await compiled.run({ image: imageBatch(samples, { size, batchSize: BATCH }) });
      const width = pooled.shape[1];
      for (const [row, { target }] of samples.entries()) {
        const features = /** @type {Float32Array} */ (pooled.data.slice(row * width, (row + 1) * width));
        examples[split].push({ features, label: classes.indexOf(target.label ?? "") });
      }
    }
  }
  await compiled.dispose();
  return examples;
}

/**
 * Multinomial logistic regression on standardised features, by gradient descent with momentum from zero.
 *
 * @param {readonly Example[]} examples
 * @param {number} penalty half the squared weights times this is added to the mean loss.
 */
function learn(examples, penalty) {
  const width = examples[0].features.length;
  const mean = new Float64Array(width);
  const deviation = new Float64Array(width);
  for (const { features } of examples) for (let k = 0; k < width; k++) mean[k] += features[k] / examples.length;
  for (const { features } of examples) {
    for (let k = 0; k < width; k++) deviation[k] += (features[k] - mean[k]) ** 2 / examples.length;
  }
  const scale = deviation.map((variance) => (variance > 1e-12 ? 1 / Math.sqrt(variance) / Math.sqrt(width) : 0));
  const inputs = examples.map(({ features }) =>
    Float64Array.from(features, (value, k) => (value - mean[k]) * scale[k]),
  );
  const weights = classes.map(() => new Float64Array(width + 1)); // the last is the bias
  const speed = classes.map(() => new Float64Array(width + 1));
  for (let step = 0; step < STEPS; step++) {
    const gradient = classes.map((_, k) => weights[k].map((weight, i) => (i < width ? (penalty / width) * weight : 0)));
    for (const [index, input] of inputs.entries()) {
      const chances = softmax(scoresOf(input, weights));
      for (const [k, chance] of chances.entries()) {
        const error = (chance - Number(k === examples[index].label)) / inputs.length;
        for (let i = 0; i < width; i++) gradient[k][i] += error * input[i];
        gradient[k][width] += error;
      }
    }
    for (const [k, row] of weights.entries()) {
      for (let i = 0; i <= width; i++) {
        speed[k][i] = 0.9 * speed[k][i] - 0.5 * gradient[k][i];
        row[i] += speed[k][i];
      }
    }
  }
  return { mean, scale, weights };
}

/**
 * @param {readonly Example[]} examples
 * @param {ReturnType<typeof learn>} model
 */
function accuracy(examples, { mean, scale, weights }) {
  const right = examples.filter(({ features, label }) => {
    const scores = scoresOf(
      Float64Array.from(features, (value, k) => (value - mean[k]) * scale[k]),
      weights,
    );
    return scores.indexOf(Math.max(...scores)) === label;
  });
  return right.length / examples.length;
}

/**
 * @param {Float64Array} input
 * @param {readonly Float64Array[]} weights
 */
function scoresOf(input, weights) {
  return weights.map((row) => input.reduce((sum, value, i) => sum + value * row[i], row[input.length]));
}

/** @param {readonly number[]} scores */
function softmax(scores) {
  const largest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
