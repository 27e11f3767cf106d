/**
 * The internal modules that benchmarks of the training step, of PyTorch beside a training, of derived places and of overlays need;
 * everything else is imported from "aspectlens". The step is not exported: users call `runTraining`, whose step time cannot be separated from decoding and
 * saving. Peak memory and profile need the same graph on ONNX Runtime alone, without the worker.
 */

const dist = new URL("../dist/", import.meta.url);

/** @param {string} path */
const load = (path) => import(new URL(path, dist).href);

/** @type {typeof import("../src/train/step.js")} */
export const { labelInputShapes, firstMoment, modelInputShapes, secondMoment, trainingStep } =
  await load("train/step.js");
/** @type {typeof import("../src/train/trainable.js")} */
export const { trainableNames } = await load("train/trainable.js");
/** @type {typeof import("../src/engine/compile.js")} */
export const { compileGraph } = await load("engine/compile.js");
/** @type {typeof import("../src/engine/probe-block.js")} */
export const { probeBlock } = await load("engine/probe-block.js");
/** @type {typeof import("../src/engine/threads.js")} */
export const { defaultThreads } = await load("engine/threads.js");
/** Without its telemetry. @type {typeof import("../src/engine/onnx-runtime.js")} */
export const { InferenceSession, Tensor } = await load("engine/onnx-runtime.js");
/** @type {typeof import("../src/explain/reading/derived-place.js")} */
export const { evidenceDensity } = await load("explain/reading/derived-place.js");
/** @type {typeof import("../src/explain/headline.js")} */
export const { isStable } = await load("explain/headline.js");
/** @type {typeof import("../src/trunk/tap-offset.js")} */
export const { tapOffset } = await load("trunk/tap-offset.js");
/** @type {typeof import("../src/explain/relevance-constants.js")} */
export const { GENERAL_LINES, RANDOMIZATION, SHARE_OF_PEAK } = await load("explain/relevance-constants.js");
/** @type {typeof import("../src/trunk/architecture-of.js")} */
export const { architectureOf } = await load("trunk/architecture-of.js");
/** @type {typeof import("../src/pictures/overlay.js")} */
export const { paintOverlay } = await load("pictures/overlay.js");
/** @type {typeof import("../src/train/evaluate-split.js")} */
export const { evaluateSplit, scoreOfMetrics } = await load("train/evaluate-split.js");
/** @type {typeof import("../src/explain/graph/steps.js")} */
export const { explanationSteps } = await load("explain/graph/steps.js");
/** @type {typeof import("../src/explain/graph/explain-function.js")} */
export const { explanationOutputs } = await load("explain/graph/explain-function.js");
/** @type {typeof import("../src/explain/calibration/calibration-passes.js")} */
export const { knownCauses, randomizedScores } = await load("explain/calibration/calibration-passes.js");
/** @type {typeof import("../src/explain/reading/non-negative-least-squares.js")} */
export const { nonNegativeLeastSquares } = await load("explain/reading/non-negative-least-squares.js");
/** @type {typeof import("../src/explain/calibration/randomized-models.js")} */
export const { halfNegated, overRandomizedModels, randomizeClassifier } = await load(
  "explain/calibration/randomized-models.js",
);
/** @type {typeof import("../src/explain/calibration/run-over-samples.js")} */
export const { firstSamples } = await load("explain/calibration/run-over-samples.js");
/** @type {typeof import("../src/explain/calibration/decide-scale.js")} */
export const { decideScale, lineAgainstRandomized } = await load("explain/calibration/decide-scale.js");
/** @type {typeof import("../src/explain/calibration/fit-line.js")} */
export const { balancedAccuracy, fitLine } = await load("explain/calibration/fit-line.js");
/** @type {typeof import("../src/core/relevance-scale.js")} */
export const { relevanceOf, scaleIn } = await load("core/relevance-scale.js");
/** @type {typeof import("../src/workflows/calibrate-model.js")} */
export const { calibrateModel, methodsOf } = await load("workflows/calibrate-model.js");
/** @type {typeof import("../src/explain/calibration/ground-truth.js")} */
export const { isLabelledPresent, rankedScores } = await load("explain/calibration/ground-truth.js");
/** @type {typeof import("../src/explain/calibration/measure-absences.js")} */
export const { measureAbsences } = await load("explain/calibration/measure-absences.js");
/** @type {typeof import("../src/core/absences.js")} */
export const { neededAbsences } = await load("core/absences.js");
/** @type {typeof import("../src/trunk/networks/import-table.js")} */
export const { importedTable } = await load("trunk/networks/import-table.js");
/** @type {typeof import("../src/explain/graph/several-methods.js")} */
export const { ofMethod, severalMethods } = await load("explain/graph/several-methods.js");
/** @type {typeof import("../src/explain/reading/read-scores.js")} */
export const { readScores } = await load("explain/reading/read-scores.js");
/** @type {typeof import("../src/mapping/fit-linear.js")} */
export const { linearFits } = await load("mapping/fit-linear.js");
/** @type {typeof import("../src/model/model-spec.js")} */
export const { imageSizes } = await load("model/model-spec.js");
/** @type {typeof import("../src/workflows/map-networks.js")} */
export const { mapNetworks } = await load("workflows/map-networks.js");
/** @type {typeof import("../src/mapping/measure-mapping.js")} */
export const { measureMapping } = await load("mapping/measure-mapping.js");
/** @type {typeof import("../src/core/size.js")} */
export const { sideOf } = await load("core/size.js");
