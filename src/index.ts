/** Every public name, grouped by what a user does. `aspectlens/explainer` has the part that needs no TensorFlow.js. */

// Explain with a bundle
export {
  type ExplainedImage,
  type Explainer,
  type ExplainRequest,
  type ImageSource,
  type Outcome,
  openExplainer,
} from "./bundle/explainer.js";
export { type ExportOptions, exportBundle } from "./bundle/export-bundle.js";
export { type Bundle, readBundle, readBundledModel } from "./bundle/read-bundle.js";
export { type Verification, verifyBundle } from "./bundle/verify-bundle.js";
// Data
export type { Annotation, AspectKind, ClassAnnotation, Sample } from "./core/annotation.js";
export type { Box } from "./core/box.js";
export type { EpochRecord } from "./core/epoch-record.js";
// Errors
export {
  BundleError,
  ConfigError,
  DatasetError,
  EngineError,
  ImageError,
  InputError,
  InterruptedError,
  MissingEngineError,
  ShapeError,
  TraceError,
  WeightsError,
} from "./core/errors.js";
export type { NdArray, NdArrays } from "./core/nd-array.js";
export { batches } from "./dataset/batches.js";
export { checkDataset, type DatasetReport, type Fault } from "./dataset/check.js";
export { type Dataset, openDataset, splitSize } from "./dataset/dataset.js";
export { decodeImage } from "./dataset/image.js";
export { type SynthesizeOptions, synthesize } from "./dataset/synth/synthesize.js";
// Engines
export { exportGraph } from "./engine/compile.js";
export type { Compiled, CompileOptions, Engine, StateStore, TensorFunction } from "./engine/engine.js";
export { selectEngine } from "./engine/select-engine.js";
export { openRuntime, type Runtime } from "./engine/session.js";
// Explanations of a model in memory
export { type Calibration, calibrate } from "./explain/calibration/calibrate.js";
export { computeReferences } from "./explain/calibration/references.js";
export type {
  AspectExplanation,
  Explained,
  Explanation,
  ExplanationMaps,
  InstanceExplanation,
  Target,
} from "./explain/explanation.js";
export { explainFunction } from "./explain/graph/explain-function.js";
export type { ExplainOptions } from "./explain/graph/options.js";
export { readExplanation } from "./explain/reading/read-explanation.js";
export { type Faithfulness, measureFaithfulness } from "./faithfulness/faithfulness.js";
export { createHead } from "./heads/create-head.js";
export type { AspectSpec, ClassifierSpec, Head, HeadSpec } from "./heads/head.js";
export { createMetrics, type HeadMetrics } from "./heads/metrics.js";
// Models as pure functions
export { answer, createModel, features, type Model, type ModelSpec, predict } from "./model/model.js";
export {
  type Provenance,
  type RelevanceThreshold,
  readTrainedModel,
  type TrainedModel,
  writeTrainedModel,
} from "./model/trained-model.js";
export { explanationTable } from "./pictures/explanation-table.js";
// Pictures and tables
export { renderOverlay } from "./pictures/overlay.js";
export { writeExplanation } from "./pictures/write-explanation.js";
export { checkConfig, type RawConfig, type TrainConfig } from "./train/config.js";
export { readConfig } from "./train/read-config.js";
export type { TrainProgress } from "./train/stage.js";
export { createTrunk } from "./trunk/create-trunk.js";
export { foldBatchNorm } from "./trunk/fold-batch-norm.js";
export { inspectWeights } from "./trunk/formats/inspect-weights.js";
export { loadWeights } from "./trunk/formats/load-weights.js";
export { randomWeights } from "./trunk/random-weights.js";
export type { Parameters, Tap, Trunk, TrunkSpec } from "./trunk/trunk.js";
export type { TrainPlan } from "./workflows/train-plan.js";
// Train
export { type RunOptions, runTraining } from "./workflows/train-run.js";
