/**
 * Every public name, grouped by subject in the order of the work. `aspectlens/explainer` has those that need no
 * TensorFlow.js.
 *
 * @module aspectlens
 */

// Each plain comment below heads a group of the API reference, with its text and its example: scripts/api/subjects.js.

/*
 * Data. Draws, checks and opens datasets, and reads their samples batch by batch.
 * Run it first: the others use the dataset that it draws.
 *
 * @example examples/api/data.ts
 */

export type { Annotation, AspectKind, ClassAnnotation, Sample, Task } from "./core/annotation.js";
export type { Crop, Symmetry } from "./core/augmented-view.js";
export type { Box } from "./core/box.js";
export type { CenterCrop } from "./core/center-crop.js";
export { imageBatch } from "./core/image-batch.js";
export type { MappingKind } from "./core/mapping-kind.js";
export type { Sides, Size } from "./core/size.js";
export type { Augment, Turn } from "./dataset/augment.js";
export { type BatchOptions, batches } from "./dataset/batches.js";
export { type CheckOptions, checkDataset, type DatasetReport } from "./dataset/check.js";
export { type Dataset, openDataset, type Splits, splitSize } from "./dataset/dataset.js";
export type { DatasetSummary, HeadSummary, StateCounts } from "./dataset/dataset-summary.js";
export type { Fault } from "./dataset/fault.js";
export type { DataFingerprint, HeadFingerprint, Spread } from "./dataset/fingerprint.js";
export type { Fold } from "./dataset/folds.js";
export type { GroupSummary } from "./dataset/group-counts.js";
export type { AspectDeclaration, DatasetSource, Manifest } from "./dataset/manifest.js";
export { type DecodedImage, decodeImage } from "./dataset/open-image.js";
export type { ImageLimits } from "./dataset/open-part.js";
export type { Orientation } from "./dataset/orientation.js";
export type { Split } from "./dataset/record.js";
export type { RenderOptions } from "./dataset/resize-image.js";
export { type Synthesized, type SynthesizeOptions, synthesize } from "./dataset/synth/synthesize.js";
export type { Cause, TissueOptions } from "./dataset/synth/tissue.js";

/*
 * Pre-trained weights. Lists weights, pulls known ones, imports others, and loads them into a trunk.
 *
 * @example examples/api/weights.ts
 */

export { decodeSafetensors, type EncodeOptions, encodeSafetensors, type Metadata } from "./core/safetensors.js";
export { inspectWeights, type WeightsDescription } from "./trunk/formats/inspect-weights.js";
export { type LoadedWeights, type LoadWeightsOptions, loadWeights } from "./trunk/formats/load-weights.js";
export { readWeights } from "./trunk/formats/read-weights.js";
export { readTrunkFile, TRUNK_FILE, type TrunkMetadata, writeTrunkFile } from "./trunk/formats/trunk-file.js";
export type { WeightsFile } from "./trunk/formats/weights-file.js";
export { CATALOGUE, type CatalogueEntry, catalogued } from "./weights/catalogue.js";
export type { WeightsCheck } from "./weights/check-weights.js";
export type { DownloadOptions, Fingerprint } from "./weights/download/download.js";
export type { FetchOptions } from "./weights/download/fetch-files.js";
export { type Imported, type ImportOptions, importWeights } from "./weights/import-weights.js";
export { type PullOptions, pullWeights } from "./weights/pull.js";
export { listStored, locateWeights, readStored, type StoredWeights, storeFolder } from "./weights/store.js";

/*
 * Train and evaluate. Trains from a configuration to a run folder, and measures a model on a split.
 * Needs the dataset of "Data".
 *
 * @example examples/api/train.ts
 */

export type { EpochRecord } from "./core/epoch-record.js";
export type { BoxesEvaluation } from "./evaluation/boxes-tally.js";
export type { HeadEvaluation, HeadResult } from "./evaluation/create-tally.js";
export type { MultiEvaluation } from "./evaluation/multi-tally.js";
export type { AmountEvaluation, RegressionEvaluation } from "./evaluation/number-tally.js";
export type { PresenceEvaluation } from "./evaluation/presence-tally.js";
export type { SegmentationEvaluation } from "./evaluation/segmentation-tally.js";
export type { SingleEvaluation } from "./evaluation/single-tally.js";
export type { GroupMetrics, SplitEvaluation } from "./evaluation/split-evaluation.js";
export type { LayerPair } from "./mapping/fit-linear.js";
export type { Interval } from "./metrics/bootstrap.js";
export type { ReliabilityBin } from "./metrics/calibration-error.js";
export {
  type Provenance,
  readTrainedModel,
  type TrainedModel,
  writeTrainedModel,
} from "./model/trained-model.js";
export { checkConfig, type RawConfig, type TrainConfig } from "./train/config.js";
export type { HeadConfig } from "./train/config-heads.js";
export type { RawStages, StageConfig } from "./train/config-stages.js";
export type { TrainProgress } from "./train/epoch.js";
export { readConfig } from "./train/read-config.js";
export type { Comparison } from "./workflows/compare-with-original.js";
export { type EvaluateOptions, type Evaluation, evaluateModel } from "./workflows/evaluate-model.js";
export { type ImportedNetwork, type ImportNetworkOptions, importNetwork } from "./workflows/import-network.js";
export {
  type ImageSizes,
  type LabelledImages,
  type MapOptions,
  type MappedModel,
  mapNetworks,
  type OutputKind,
  type TriedPair,
} from "./workflows/map-networks.js";
export { type MappingRequest, writeMappedRun } from "./workflows/mapped-run.js";
export { readModel } from "./workflows/read-model.js";
export type { TrainPlan } from "./workflows/train-plan.js";
export { type RunOptions, runTraining } from "./workflows/train-run.js";

/*
 * Bundles. Exports a trained model as one file, reads it, and checks that it still answers as it did.
 * Needs the run of "Train and evaluate".
 *
 * @example examples/api/bundles.ts
 */

export type { Layouts } from "./bundle/bundled-weights.js";
export type { BundleDescription, Preprocessing } from "./bundle/description.js";
export type { Deviation } from "./bundle/deviation.js";
export { type ExportOptions, exportBundle } from "./bundle/export-bundle.js";
export { type Bundle, readBundle, readBundledModel, readGraph } from "./bundle/read-bundle.js";
export { type GoldenDeviation, type Verification, type VerifyOptions, verifyBundle } from "./bundle/verify-bundle.js";
export { type ExportRunOptions, exportRun } from "./workflows/export-run.js";

/*
 * Explain with a bundle. Opens a bundle and explains images with it. `aspectlens/explainer` has these names too, and
 * loads no TensorFlow.js.
 * Needs the bundle of "Bundles".
 *
 * @example examples/api/explain.ts
 */

export {
  type ExplainAllRequest,
  type ExplainedImage,
  type Explainer,
  type ExplainerOptions,
  type ExplainRequest,
  type ImageSource,
  type Outcome,
  openExplainer,
  type Picture,
} from "./bundle/explainer.js";
export type { Absences } from "./core/absences.js";
export type {
  RelevanceScale,
  RelevanceScales,
  ScaleSource,
  ScoreScale,
  TargetGroup,
} from "./core/relevance-scale.js";
export type {
  AspectExplanation,
  AspectMapping,
  ClassPrediction,
  Explained,
  Explanation,
  ExplanationMaps,
  Headline,
  HeadlineCase,
  InstanceExplanation,
  LabelsPrediction,
  MethodChoice,
  Prediction,
  RegionExplanation,
  Strength,
  TargetAspect,
  ValuePrediction,
} from "./explain/explanation.js";
export {
  DEFAULT_MASKING,
  DEFAULT_SALIENCY,
  defaultMaskingOf,
  type Granularity,
  granularityOf,
  MAPPING_NAMES,
  MASKING_NAMES,
  type MappingName,
  type MaskingName,
  maskingsOf,
  SALIENCY_NAMES,
  type SaliencyName,
} from "./explain/methods.js";
export type { DrawnRegion, RegionAspect } from "./explain/reading/drawn-region.js";
export type { ClassTarget, InnerTarget, Target } from "./explain/target.js";

/*
 * Draw and write. An explanation as a picture, a table of text, files, and XMP in its image. `aspectlens/explainer` has
 * these names too.
 * Needs the bundle of "Bundles".
 *
 * @example examples/api/explain.ts
 */

export { type AnnotateImageOptions, annotateImage } from "./annotate/annotate-image.js";
export { openResultFolder, type ResultContent, type ResultFolder } from "./core/result-folder.js";
export { explanationTable } from "./pictures/explanation-table.js";
export { renderOverlay } from "./pictures/overlay.js";
export type { RgbImage } from "./pictures/painting.js";
export type { PictureSource, Shape } from "./pictures/shown-image.js";
export { type WriteExplanationOptions, writeExplanation } from "./pictures/write-explanation.js";

/*
 * Faithfulness. Measures whether explanations name the aspects that caused the answers.
 * Needs the dataset and the run of "Data" and "Train and evaluate".
 *
 * @example examples/api/faithfulness.ts
 */

export { areaUnderCurve, type Ranked } from "./core/ranking.js";
export {
  type ClassCauses,
  compareWithGroundTruth,
  type GroundTruthComparison,
} from "./explain/calibration/ground-truth.js";
export type { Scored } from "./explain/reading/read-scores.js";
export type { Case } from "./faithfulness/compare-methods.js";
export type { Curves } from "./faithfulness/deletion-curves.js";
export type {
  Faithfulness,
  FaithfulnessAspect,
  FaithfulnessMethod,
  RandomControl,
  RemovedAspects,
} from "./faithfulness/faithfulness.js";
export { measureFaithfulness } from "./faithfulness/measure-faithfulness.js";
export {
  type FaithfulnessOfModel,
  type FaithfulnessOptions,
  faithfulnessOf,
} from "./faithfulness/measure-model.js";
export { comparePairedModels, type PairedModel, type PairedModels } from "./faithfulness/paired-models.js";
export type { Verdict, VerdictCase } from "./faithfulness/verdict.js";

/*
 * Explain a model in memory. What a bundle holds ready, step by step: the function behind `explain.onnx`, its
 * constants, and reading its outputs.
 * Needs the dataset and the run of "Data" and "Train and evaluate".
 *
 * @example examples/api/memory.ts
 */

export { type CalibrateOptions, type Calibration, calibrate } from "./explain/calibration/calibrate.js";
export type { RandomizationSize } from "./explain/calibration/calibration-passes.js";
export { computeReferences } from "./explain/calibration/references.js";
export {
  type ClassOf,
  overSamples,
  type SampleFunction,
  type SampleOutputs,
  type SampleStream,
} from "./explain/calibration/run-over-samples.js";
export { explainFunction } from "./explain/graph/explain-function.js";
export { allowsCam, explainedTaps, type TapOptions } from "./explain/graph/explained-taps.js";
export { explainConstants } from "./explain/graph/graph-constants.js";
export type { Mapping, MappingOf } from "./explain/graph/mapping/mapping.js";
export type { ExplainOptions } from "./explain/graph/options.js";
export { type ReadOptions, readExplanation } from "./explain/reading/read-explanation.js";

/*
 * Models as pure functions. Trunks, heads and models as functions of named parameters.
 *
 * @example examples/api/models.ts
 */

export { type NdArray, type NdArrays, ndArray } from "./core/nd-array.js";
export { type Initializer, initialize, type ParameterSpec } from "./core/parameters.js";
export type { AmountMetrics } from "./heads/amount-reading.js";
export type { BoxesMetrics } from "./heads/boxes-reading.js";
export type { ClassifierMetrics, MultiMetrics, RegressionMetrics, SingleMetrics } from "./heads/classifier-reading.js";
export { createHead } from "./heads/create-head.js";
export type { Head, HeadContext, Label } from "./heads/head.js";
export type {
  AmountSpec,
  AspectSpec,
  BoxesSpec,
  ClassifierSpec,
  HeadBase,
  HeadSpec,
  ImportedOutput,
  Pooling,
  PresenceSpec,
  SegmentationSpec,
} from "./heads/head-spec.js";
export { createMetrics, type HeadMetrics, type MetricsAccumulator } from "./heads/metrics.js";
export type { PresenceMetrics } from "./heads/presence-reading.js";
export type { SegmentationMetrics } from "./heads/segmentation-reading.js";
export type { MappedImage } from "./mapping/measure-mapping.js";
export { answer, createModel, features, type Model, predict } from "./model/model.js";
export {
  imageSizes,
  type MappingQuality,
  type MappingSpec,
  type ModelSpec,
  type NetworkSpec,
} from "./model/model-spec.js";
export type { Network } from "./model/network.js";
export type { Dropout } from "./ops/dropout.js";
export { createTrunk } from "./trunk/create-trunk.js";
export { foldBatchNorm } from "./trunk/fold-batch-norm.js";
export type { Features } from "./trunk/networks/graph-values.js";
export type { OutputScale } from "./trunk/networks/import-table.js";
export { type NetworkTable, type PixelScaling, SCALINGS } from "./trunk/networks/network-table.js";
export type { Activation, Arithmetic, FunctionName, Operation, Pads, Pair, Row } from "./trunk/networks/operation.js";
export { type NetworkForm, readNetwork } from "./trunk/networks/read-network.js";
export type { ReadNetwork } from "./trunk/networks/read-nodes.js";
export { defaultSource, type SourceLayer, sourceLayers } from "./trunk/networks/source-layers.js";
export { randomWeights } from "./trunk/random-weights.js";
export type { Rectifier } from "./trunk/rectifier.js";
export type { BatchNorm, Parameters, Tap, Trunk } from "./trunk/trunk.js";
export type { TrunkSpec } from "./trunk/trunk-spec.js";
export { TRUNK_NAMES, type TrunkName } from "./trunk/trunks.js";

/*
 * Engines. Compile a tensor function once and run it many times, in ONNX Runtime or in TensorFlow.js.
 *
 * @example examples/api/engines.ts
 */

export { exportGraph } from "./engine/compile.js";
export type { Device, RuntimeOptions } from "./engine/devices.js";
export type { Compiled, CompileOptions, Engine, TensorFunction, Tensors } from "./engine/engine.js";
export { type EngineChoice, selectEngine } from "./engine/select-engine.js";
export { openRuntime, type Runtime, type Session, type SessionOptions } from "./engine/session.js";
export type { CallOptions, StateStore } from "./engine/state-store.js";
export type { TensorInfo } from "./engine/worker-messages.js";

/*
 * Errors. One class for each cause. An `InputError` names the file, the line and the cure.
 *
 * @example examples/api/errors.ts
 */

export {
  BundleError,
  ChecksumError,
  ConfigError,
  DatasetError,
  DownloadError,
  EngineError,
  GraphError,
  ImageError,
  InputError,
  type InputErrorOptions,
  InterruptedError,
  MissingEngineError,
  ShapeError,
  TraceError,
  WeightsError,
} from "./core/errors.js";
