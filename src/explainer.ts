/**
 * Explaining images with a bundle. Nothing here loads TensorFlow.js.
 *
 * @module aspectlens/explainer
 */

/*
 * Explain with a bundle. As in `aspectlens`; the example needs the bundle of "Bundles" there.
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
export type { AspectKind, Task } from "./core/annotation.js";
export type { Crop, Symmetry } from "./core/augmented-view.js";
export type { Box } from "./core/box.js";
export type { CenterCrop } from "./core/center-crop.js";
export type { MappingKind } from "./core/mapping-kind.js";
export type {
  RelevanceScale,
  RelevanceScales,
  ScaleSource,
  ScoreScale,
  TargetGroup,
} from "./core/relevance-scale.js";
export type { Sides, Size } from "./core/size.js";
export { type DecodedImage, decodeImage } from "./dataset/open-image.js";
export type { RenderOptions } from "./dataset/resize-image.js";
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
 * Draw and write. An explanation as a picture, a table of text, files, and XMP in its image.
 */

export { type AnnotateImageOptions, annotateImage } from "./annotate/annotate-image.js";
export { openResultFolder, type ResultContent, type ResultFolder } from "./core/result-folder.js";
export { explanationTable } from "./pictures/explanation-table.js";
export { renderOverlay } from "./pictures/overlay.js";
export type { RgbImage } from "./pictures/painting.js";
export type { PictureSource, Shape } from "./pictures/shown-image.js";
export { type WriteExplanationOptions, writeExplanation } from "./pictures/write-explanation.js";

/*
 * Reports. Explains whole sets of images, and answers questions about them.
 */

export type { Interval } from "./metrics/bootstrap.js";
export type { ReportRow } from "./survey/duck.js";
export { openReport, type Report } from "./survey/open-report.js";
export type { PlannedBundle, ReportPlan } from "./survey/plan.js";
export type { QueueOptions } from "./survey/queue/queued-shards.js";
export { type SharedRoots, sharedRoots } from "./survey/queue/shared-roots.js";
export type { SimilarImage } from "./survey/similar-images.js";
export type {
  AspectCount,
  ChangedImage,
  ClassCount,
  Counted,
  Difference,
  Drift,
  GroupSurvey,
  Mistake,
  PairCount,
  ReportSummary,
  UnusualImage,
  UnusualImages,
} from "./survey/summary.js";
export { type Surveyed, type SurveyOptions, survey } from "./survey/survey.js";

/*
 * Bundles. Reads a bundle, and checks that it still answers as it did.
 */

export type { Layouts } from "./bundle/bundled-weights.js";
export type { BundleDescription, Preprocessing } from "./bundle/description.js";
export type { Deviation } from "./bundle/deviation.js";
export { type Bundle, readBundle } from "./bundle/read-bundle.js";
export { type GoldenDeviation, type Verification, type VerifyOptions, verifyBundle } from "./bundle/verify-bundle.js";
export type { NdArray, NdArrays } from "./core/nd-array.js";
export type { Device, RuntimeOptions } from "./engine/devices.js";
export { openRuntime, type Runtime, type Session, type SessionOptions } from "./engine/session.js";
export type { CallOptions, StateStore } from "./engine/state-store.js";
export type { TensorInfo } from "./engine/worker-messages.js";
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
export type { MappingQuality, MappingSpec, ModelSpec, NetworkSpec } from "./model/model-spec.js";
export type { Provenance } from "./model/trained-model.js";
export type { NetworkTable, PixelScaling } from "./trunk/networks/network-table.js";
export type { Activation, Arithmetic, FunctionName, Operation, Pads, Pair, Row } from "./trunk/networks/operation.js";
export type { TrunkSpec } from "./trunk/trunk-spec.js";
export type { TrunkName } from "./trunk/trunks.js";

/*
 * Errors. One class for each cause. An `InputError` names the file, the line and the cure.
 */

export {
  BundleError,
  ConfigError,
  EngineError,
  GraphError,
  ImageError,
  InputError,
  type InputErrorOptions,
  ShapeError,
} from "./core/errors.js";
