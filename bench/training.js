/** The joint training step as in a user's training, ready to be called repeatedly. */

import { ndArray, openRuntime } from "aspectlens";
import {
  compileGraph,
  firstMoment,
  labelInputShapes,
  modelInputShapes,
  probeBlock,
  secondMoment,
  Tensor,
  trainableNames,
  trainingStep,
} from "./internals.js";
import { freshParameters, networkOf, pixels } from "./models.js";

/**
 * What learns: the trunk (of VGG the fifth block alone), a classifier of ten classes, one default segmentation head;
 * Adam in the graph.
 *
 * @typedef {object} StepOptions
 * @property {"mobilenet-v1" | "mobilenet-v2" | "vgg16"} [trunk]
 * @property {number} alpha
 * @property {number} inputSize
 * @property {number} batchSize
 * @property {number} [masks] segmentation heads, one unless said.
 * @property {"folded" | "frozen" | "batch"} batchNorm into the kernels; with moving statistics; with those of the
 *   batch.
 */

/**
 * The step's function, and what it reads.
 *
 * @param {StepOptions} options
 */
export function stepParts({ trunk = "mobilenet-v1", alpha, inputSize, batchSize, masks = 1, batchNorm }) {
  const model = networkOf({ trunk, alpha, inputSize, classes: 10, masks });
  const parameters = freshParameters(model, { isFolded: batchNorm === "folded" });
  const trainable = trainableNames(model, parameters, { train: trunk === "vgg16" ? "block5_conv1" : "all" });
  const isFrozen = (/** @type {string} */ name) => !trainable.includes(name) && !name.includes("/moving_");
  const named = (/** @type {boolean} */ isWanted) =>
    Object.fromEntries(Object.entries(parameters).filter(([name]) => isFrozen(name) === isWanted));
  const moments = trainable.flatMap((name) =>
    [firstMoment(name), secondMoment(name)].map((moment) => [moment, ndArray(parameters[name].shape)]),
  );
  /** @type {{ kind: "image" }} */
  const input = { kind: "image" };
  const shapes = { ...modelInputShapes(model, input, batchSize), ...labelInputShapes(model, batchSize) };
  const fn = trainingStep(model, {
    input,
    batchSize,
    trainable,
    batchNorm: batchNorm === "batch" ? "batch" : "frozen",
    weights: { class: 1, "aspect 0": 1 },
  });

  const arrays = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, ndArray(shape)]));
  for (let row = 0; row < batchSize; row++) arrays["label/class/target"].data[row * 10 + (row % 10)] = 1;
  arrays["label/class/labelled"].data.fill(1);
  for (let head = 0; head < masks; head++) {
    arrays[`label/aspect ${head}/labelled`].data.fill(1);
    const mask = arrays[`label/aspect ${head}/mask`].data;
    for (let i = 0; i < mask.length; i++) mask[i] = i % inputSize > inputSize / 2 ? 1 : 0;
  }
  const rate = ndArray([], Float32Array.of(1e-4));
  /** @type {Record<string, import("aspectlens").NdArray>} */
  const inputs = { ...arrays, image: pixels(shapes.image), "rate/trunk": rate, "rate/heads": rate };
  const stateValues = { ...named(false), ...Object.fromEntries(moments) };
  return { fn, shapes, constants: named(true), stateValues, inputs };
}

/**
 * The step as ONNX Runtime gets it, for measuring without worker and state store.
 *
 * @param {StepOptions} options
 * @param {{ isPortable?: boolean }} [form]
 * @returns the graph, its feeds (with the initial state), and the arrays of the state that it writes.
 */
export async function stepGraph(options, { isPortable = false } = {}) {
  const runtime = openRuntime();
  const block = isPortable ? 0 : await probeBlock(runtime);
  await runtime.dispose();
  const { fn, shapes, constants, stateValues, inputs } = stepParts(options);
  const stateShapes = Object.fromEntries(Object.entries(stateValues).map(([name, { shape }]) => [name, shape]));
  // Only the shapes of the store are read in tracing.
  const state = /** @type {import("aspectlens").StateStore} */ ({ shapes: stateShapes });
  const graph = compileGraph(fn, { inputs: shapes, constants, state, block, name: "step" });
  const tensor = (/** @type {import("aspectlens").NdArray["data"]} */ data, shape = [data.length]) =>
    new Tensor("float32", /** @type {Float32Array} */ (data), shape);
  /** @type {Record<string, import("onnxruntime-node").Tensor>} */
  const feeds = {};
  for (const [name, port] of Object.entries(graph.inputs))
    feeds[port] = tensor(inputs[name].data, [...inputs[name].shape]);
  for (const [port, name] of Object.entries(graph.reads)) feeds[port] = tensor(stateValues[name].data);
  const writes = Object.entries(graph.writes).map(([port, name]) => [
    port,
    tensor(new Float32Array(stateValues[name].data.length)),
  ]);
  return {
    model: graph.model,
    feeds,
    writes: /** @type {Record<string, import("onnxruntime-node").Tensor>} */ (Object.fromEntries(writes)),
  };
}

/**
 * @param {import("aspectlens").Engine} engine
 * @param {StepOptions} options
 */
export async function prepareStep(engine, options) {
  const { fn, shapes, constants, stateValues, inputs } = stepParts(options);
  const state = await engine.createState(stateValues);
  const started = performance.now();
  const compiled = await engine.compile(fn, { name: "joint step", inputs: shapes, constants, state });
  const compileMs = performance.now() - started;
  return {
    compileMs,
    run: () => compiled.run(inputs),
    dispose: async () => {
      await compiled.dispose();
      await state.dispose();
    },
  };
}
