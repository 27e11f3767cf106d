/** Attribution maps of a class's logit at the image, as the published baselines define them, of any trained model. */

import * as tf from "@tensorflow/tfjs";
import { answer } from "aspectlens";
import { sideOf } from "../internals.js";

/** @import { Engine, Model, NdArrays, TensorFunction, Tensors } from "aspectlens" */

/** Of the path from black to the image, by the midpoint rule. */
const STEPS = 20;
/** Rows of one call of a gradient graph. */
const ROWS = 4;

/** @typedef {{ pixels: Uint8Array, target: number }} Asked an image `[S, S, 3]` RGB 0..255, and a class. */

/**
 * Compiles what the maps need; whoever opened it disposes it.
 *
 * @param {{ engine: Engine, model: Model, parameters: NdArrays }} of
 * @returns by method, a signed map `[S * S]` of each image and class.
 */
export async function openAttributions({ engine, model, parameters }) {
  const size = sideOf(model.spec.trunk.inputSize);
  const classCount = model.classifier.spec.classes.length;
  const inputs = { image: [ROWS, size, size, 3], target: [ROWS, classCount] };
  const compile = (/** @type {TensorFunction} */ fn, /** @type {string} */ name) =>
    engine.compile(fn, { inputs, constants: parameters, name });
  const gradient = await compile(imageGradient(model, "gradient"), "gradient");
  const guided = await compile(imageGradient(model, "guided"), "guided gradient");
  const cam = await compile(gradCam(model), "grad-cam");

  /**
   * Runs a graph on rows in batches of `ROWS`.
   *
   * @param {typeof gradient} graph @param {readonly { image: ArrayLike<number>, target: number }[]} rows
   * @returns {Promise<Float32Array[]>} its one output for each row.
   */
  const runRows = async (graph, rows) => {
    const results = [];
    for (let start = 0; start < rows.length; start += ROWS) {
      const some = rows.slice(start, start + ROWS);
      const image = new Float32Array(ROWS * size * size * 3);
      const target = new Float32Array(ROWS * classCount);
      for (const [row, given] of some.entries()) {
        image.set(given.image, row * size * size * 3);
        target[row * classCount + given.target] = 1;
      }
      const { map } = await graph.run({
        image: { shape: inputs.image, data: image },
        target: { shape: inputs.target, data: target },
      });
      const length = map.data.length / ROWS;
      for (const row of some.keys())
        results.push(Float32Array.from(map.data.subarray(row * length, (row + 1) * length)));
    }
    return results;
  };
  const asRows = (/** @type {readonly Asked[]} */ asked) =>
    asked.map(({ pixels, target }) => ({ image: pixels, target }));

  return {
    /** @param {readonly Asked[]} asked */
    async "input x gradient"(asked) {
      const gradients = await runRows(gradient, asRows(asked));
      return gradients.map((values, row) => overChannels(values, asked[row].pixels));
    },
    /** The baseline is black. @param {readonly Asked[]} asked */
    async "integrated gradients"(asked) {
      const maps = [];
      for (const { pixels, target } of asked) {
        const path = Array.from({ length: STEPS }, (_, step) => ({
          image: Float32Array.from(pixels, (value) => (value * (step + 0.5)) / STEPS),
          target,
        }));
        const sum = new Float32Array(size * size);
        for (const values of await runRows(gradient, path))
          for (const [at, value] of overChannels(values, pixels).entries()) sum[at] += value / STEPS;
        maps.push(sum);
      }
      return maps;
    },
    /** @param {readonly Asked[]} asked */
    async "Grad-CAM"(asked) {
      return (await runRows(cam, asRows(asked))).map((values) => enlarged(values, size));
    },
    /** @param {readonly Asked[]} asked */
    async "guided Grad-CAM"(asked) {
      const cams = (await runRows(cam, asRows(asked))).map((values) => enlarged(values, size));
      const gradients = await runRows(guided, asRows(asked));
      return gradients.map((values, row) => overChannels(values).map((value, at) => value * cams[row][at]));
    },
    async dispose() {
      for (const graph of [gradient, guided, cam]) await graph.dispose();
    },
  };
}

/**
 * d logit / d image, `[rows, S, S, 3]`.
 *
 * @param {Model} model @param {"gradient" | "guided"} rectifier
 * @returns {TensorFunction}
 */
function imageGradient(model, rectifier) {
  return ({ inputs, constants }) =>
    tf.tidy(() => {
      const logit = (/** @type {tf.Tensor} */ image) =>
        logitOf(model, { constants, inputs, layer: "input", features: image, rectifier });
      return { outputs: { map: tf.grad(logit)(inputs.image) } };
    });
}

/**
 * Grad-CAM at the trunk's last layer (Selvaraju et al. 2017, arXiv:1610.02391, eq. 1 and 2), `[rows, h, w]`.
 *
 * @param {Model} model @returns {TensorFunction}
 */
function gradCam(model) {
  const layer = model.trunk.output;
  return ({ inputs, constants }) =>
    tf.tidy(() => {
      const image = /** @type {tf.Tensor4D} */ (inputs.image);
      const features = model.trunk.run(constants, { input: image }, [layer])[layer];
      const logit = (/** @type {tf.Tensor} */ at) => logitOf(model, { constants, inputs, layer, features: at });
      const weights = tf.mean(tf.grad(logit)(features), [1, 2], true);
      return { outputs: { map: tf.relu(tf.sum(tf.mul(weights, features), 3)) } };
    });
}

/**
 * The sum of the rows' logits, each of its own class, as a function of a layer.
 *
 * @param {Model} model
 * @param {object} at
 * @param {Tensors} at.constants
 * @param {Tensors} at.inputs
 * @param {string} at.layer
 * @param {tf.Tensor} at.features of that layer.
 * @param {"gradient" | "guided"} [at.rectifier]
 */
function logitOf({ trunk, classifier }, { constants, inputs, layer, features, rectifier = "gradient" }) {
  const values = { [layer]: /** @type {tf.Tensor4D} */ (features) };
  const read = trunk.run(constants, values, classifier.spec.taps, { rectifier });
  return tf.sum(tf.mul(answer(classifier, constants, read), inputs.target));
}

/**
 * @param {ArrayLike<number>} values `[S * S * 3]`. @param {ArrayLike<number>} [times] factors of the same shape.
 * @returns {Float32Array} `[S * S]`.
 */
function overChannels(values, times) {
  const sums = new Float32Array(values.length / 3);
  for (let at = 0; at < values.length; at++) sums[Math.floor(at / 3)] += values[at] * (times ? times[at] : 1);
  return sums;
}

/**
 * A square map at another size: bilinear between the centres of its cells.
 *
 * @param {ArrayLike<number>} map `[h * h]`. @param {number} size
 */
export function enlarged(map, size) {
  const side = Math.round(Math.sqrt(map.length));
  const places = Array.from({ length: size }, (_, at) => {
    const place = Math.min(side - 1, Math.max(0, ((at + 0.5) * side) / size - 0.5));
    const low = Math.min(side - 1, Math.floor(place));
    return { low, high: Math.min(side - 1, low + 1), part: place - low };
  });
  const result = new Float32Array(size * size);
  for (const [y, row] of places.entries())
    for (const [x, column] of places.entries()) {
      const along = (/** @type {number} */ r) =>
        map[r * side + column.low] * (1 - column.part) + map[r * side + column.high] * column.part;
      result[y * size + x] = along(row.low) * (1 - row.part) + along(row.high) * row.part;
    }
  return result;
}
