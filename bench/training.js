/** The joint training step as a user's training runs it, ready to be called again and again. */

import {
  answerInputShapes,
  firstMoment,
  modelInputShapes,
  ndArray,
  secondMoment,
  trainableNames,
  trainingStep,
} from "./built.js";
import { freshParameters, mobileNet, pixels } from "./models.js";

/**
 * Everything learns: trunk, classifier of ten classes, one default segmentation head; Adam in the graph.
 *
 * @typedef {{ alpha: number, inputSize: number, batchSize: number, batchNorm: "frozen" | "batch" }} StepOptions `frozen`: folded.
 */

/**
 * The step's function, and what it reads.
 *
 * @param {StepOptions} options
 */
export function stepParts({ alpha, inputSize, batchSize, batchNorm }) {
  const model = mobileNet({ alpha, inputSize, classes: 10, masks: 1 });
  const parameters = freshParameters(model, { isFolded: batchNorm === "frozen" });
  const trainable = trainableNames(model, parameters, { train: "all" });
  const moments = trainable.flatMap((name) =>
    [firstMoment(name), secondMoment(name)].map((moment) => [moment, ndArray(parameters[name].shape)]),
  );
  /** @type {{ kind: "image" }} */
  const input = { kind: "image" };
  const shapes = { ...modelInputShapes(model, input, batchSize), ...answerInputShapes(model, batchSize) };
  const fn = trainingStep(model, { input, batchSize, trainable, batchNorm, weights: { class: 1, "aspect 0": 1 } });

  const answers = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, ndArray(shape)]));
  for (let row = 0; row < batchSize; row++) answers["answer/class/target"].data[row * 10 + (row % 10)] = 1;
  for (const name of ["answer/class/labelled", "answer/aspect 0/labelled"]) answers[name].data.fill(1);
  const mask = answers["answer/aspect 0/mask"].data;
  for (let i = 0; i < mask.length; i++) mask[i] = i % inputSize > inputSize / 2 ? 1 : 0;
  const rate = ndArray([], Float32Array.of(1e-4));
  /** @type {Record<string, import("../src/core/nd-array.js").NdArray>} */
  const inputs = { ...answers, image: pixels(shapes.image), "rate/trunk": rate, "rate/heads": rate };
  return { fn, shapes, stateValues: { ...parameters, ...Object.fromEntries(moments) }, inputs };
}

/**
 * @param {import("../src/engine/engine.js").Engine} engine
 * @param {StepOptions} options
 */
export async function prepareStep(engine, options) {
  const { fn, shapes, stateValues, inputs } = stepParts(options);
  const state = await engine.createState(stateValues);
  const started = performance.now();
  const compiled = await engine.compile(fn, { name: "joint step", inputs: shapes, state });
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
