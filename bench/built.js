/** The built package, as a user has it: code from dist/, types from src/. */

const dist = new URL("../dist/", import.meta.url);

/** @param {string} path */
const load = (path) => import(new URL(path, dist).href);

/** @type {typeof import("../src/model/model.js")} */
export const { createModel } = await load("model/model.js");
/** @type {typeof import("../src/core/parameters.js")} */
export const { initialize } = await load("core/parameters.js");
/** @type {typeof import("../src/core/nd-array.js")} */
export const { ndArray, sizeOf } = await load("core/nd-array.js");
/** @type {typeof import("../src/core/random.js")} */
export const { random } = await load("core/random.js");
/** @type {typeof import("../src/core/files.js")} */
export const { writeJson } = await load("core/files.js");
/** @type {typeof import("../src/core/errors.js")} */
export const { MissingEngineError } = await load("core/errors.js");
/** @type {typeof import("../src/dataset/resize-image.js")} */
export const { RESIZE_KERNEL } = await load("dataset/resize-image.js");
/** @type {typeof import("../src/engine/select-engine.js")} */
export const { selectEngine } = await load("engine/select-engine.js");
/** @type {typeof import("../src/explain/graph/explain-function.js")} */
export const { explainFunction } = await load("explain/graph/explain-function.js");
/** @type {typeof import("../src/explain/graph/explained-taps.js")} */
export const { allowsCam, explainedTaps } = await load("explain/graph/explained-taps.js");
/** @type {typeof import("../src/train/step.js")} */
export const { answerInputShapes, evaluationStep, firstMoment, modelInputShapes, secondMoment, trainingStep } =
  await load("train/step.js");
/** @type {typeof import("../src/train/trainable.js")} */
export const { trainableNames } = await load("train/trainable.js");
/** @type {typeof import("../src/engine/compile.js")} */
export const { compileGraph } = await load("engine/compile.js");
/** @type {typeof import("../src/engine/probe-block.js")} */
export const { probeBlock } = await load("engine/probe-block.js");
/** @type {typeof import("../src/engine/session.js")} */
export const { openRuntime } = await load("engine/session.js");
/** @type {typeof import("../src/engine/threads.js")} */
export const { defaultThreads } = await load("engine/threads.js");
/** @type {typeof import("../src/bundle/export-bundle.js")} */
export const { exportBundle } = await load("bundle/export-bundle.js");
/** @type {typeof import("../src/bundle/explainer.js")} */
export const { openExplainer } = await load("bundle/explainer.js");
/** @type {typeof import("../src/bundle/read-bundle.js")} */
export const { readBundle, readGraph } = await load("bundle/read-bundle.js");
/** @type {typeof import("../src/trunk/create-trunk.js")} */
export const { createTrunk } = await load("trunk/create-trunk.js");
/** @type {typeof import("../src/trunk/fold-batch-norm.js")} */
export const { foldBatchNorm } = await load("trunk/fold-batch-norm.js");
/** @type {typeof import("../src/trunk/formats/inspect-weights.js")} */
export const { inspectWeights } = await load("trunk/formats/inspect-weights.js");
/** @type {typeof import("../src/trunk/formats/load-weights.js")} */
export const { loadWeights } = await load("trunk/formats/load-weights.js");
/** @type {typeof import("../src/trunk/formats/read-weights.js")} */
export const { readWeights } = await load("trunk/formats/read-weights.js");
/** @type {typeof import("../src/dataset/batches.js")} */
export const { batches } = await load("dataset/batches.js");
/** @type {typeof import("../src/dataset/dataset.js")} */
export const { openDataset } = await load("dataset/dataset.js");
/** @type {typeof import("../src/explain/calibration/calibrate.js")} */
export const { calibrate } = await load("explain/calibration/calibrate.js");
/** @type {typeof import("../src/faithfulness/measure-model.js")} */
export const { faithfulnessOf } = await load("faithfulness/measure-model.js");
/** @type {typeof import("../src/explain/methods.js")} */
export const { SALIENCY_NAMES } = await load("explain/methods.js");
/** @type {typeof import("../src/model/trained-model.js")} */
export const { readTrainedModel } = await load("model/trained-model.js");
/** @type {typeof import("../src/faithfulness/paired-models.js")} */
export const { compareTwins } = await load("faithfulness/paired-models.js");
/** @type {typeof import("../src/core/ranking.js")} */
export const { areaUnderCurve } = await load("core/ranking.js");
/** @type {typeof import("../src/explain/graph/graph-constants.js")} */
export const { explainConstants } = await load("explain/graph/graph-constants.js");
/** @type {typeof import("../src/explain/calibration/run-over-samples.js")} */
export const { overSamples } = await load("explain/calibration/run-over-samples.js");
/** @type {typeof import("../src/explain/reading/read-explanation.js")} */
export const { readExplanation } = await load("explain/reading/read-explanation.js");
/** Without its telemetry. @type {typeof import("../src/engine/onnx-runtime.js")} */
export const { InferenceSession, Tensor } = await load("engine/onnx-runtime.js");
