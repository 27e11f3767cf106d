/** `bundle.json`: what a bundle says of itself, and the checks that it must pass before anything else is read. */

import { type Absences, areAbsences } from "../core/absences.js";
import { checkKeys } from "../core/check-keys.js";
import { BundleError } from "../core/errors.js";
import { parseJson } from "../core/json.js";
import { isCount, isCounts, isNumber, isRecord, isStrings } from "../core/json-values.js";
import { shown } from "../core/message-text.js";
import { isScoreScale, type RelevanceScales, TARGET_GROUPS } from "../core/relevance-scale.js";
import { isSize, type Size, sizeKey } from "../core/size.js";
import { RESIZE_KERNEL } from "../dataset/resize-image.js";
import { type MaskingName, maskingsOf, SALIENCY_NAMES, type SaliencyName } from "../explain/methods.js";
import type { ModelSpec } from "../model/model-spec.js";
import type { Provenance } from "../model/trained-model.js";
import type { Layouts } from "./bundled-weights.js";
import { checkModel, type Refuse } from "./check-model.js";
import { isSafeName } from "./zip.js";

export const BUNDLE_FORMAT = "aspectlens-bundle/2";
export const FILES = {
  description: "bundle.json",
  explain: "explain.onnx",
  predict: "predict.onnx",
  weights: "weights.safetensors",
  modelCard: "MODEL_CARD.md",
  licence: "LICENSE",
} as const;
export const GOLDENS = "goldens/";

/** From an image file to the graphs' input; enough to do it in another language. */
export interface Preprocessing {
  /** Of the input in pixels: the side of a square, or `[height, width]`. */
  readonly size: Size;
  /** Whether all of the image is stretched to it, or its middle is resized. */
  readonly fit: "stretch" | "crop";
  /** Of `crop`: how much of the largest square, or rectangle of the shape of `size`, in the image is seen. */
  readonly centerCrop?: number;
  /** As sharp and libvips name it. */
  readonly kernel: string;
  readonly channels: "rgb";
  readonly range: readonly [low: 0, high: 255];
  /** EXIF orientation is applied; transparent pixels lie over white. */
  readonly orientation: "exif";
  readonly background: "#ffffff";
}

/** The content of `bundle.json`; docs/formats.md describes its keys. */
export interface BundleDescription {
  readonly format: typeof BUNDLE_FORMAT;
  readonly name: string;
  /** Trunk, source layer, and every head with its kind, taps and threshold; the classes stand in the head `class`. */
  readonly model: ModelSpec;
  readonly preprocessing: Preprocessing;
  readonly saliency: SaliencyName;
  readonly masking: MaskingName;
  /** What scores mean, by saliency method and kind of target; uncalibrated where there is none. */
  readonly scales: RelevanceScales;
  /** Which answers need that an aspect is absent; bundles of earlier versions have none. */
  readonly absences?: Absences;
  readonly provenance: Provenance;
  /** Orders of axes in `weights.safetensors`; its `reference/<tap>` hold the references. */
  readonly layouts: Layouts;
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
}

const KEYS = [
  "format",
  "name",
  "model",
  "preprocessing",
  "saliency",
  "masking",
  "scales",
  "absences",
  "provenance",
  "layouts",
  "files",
];

/** @throws BundleError where it is no JSON, of another version, or lacks something. */
export function parseDescription(bytes: Uint8Array, path: string): BundleDescription {
  const where = `${path}: ${FILES.description}`;
  const value = parseJson(bytes, { where, error: BundleError, cure: "Copy or export the bundle again." });
  const format = typeof value === "object" && value !== null && "format" in value ? value.format : undefined;
  if (format !== BUNDLE_FORMAT) {
    throw new BundleError(`${where}: format ${shown(format)}, expected "${BUNDLE_FORMAT}".`, {
      cure: "Use the version of aspectlens that wrote it, or export it again.",
    });
  }
  checkKeys(value, KEYS, where, BundleError);
  for (const key of KEYS)
    if (key !== "absences" && !Object.hasOwn(value, key))
      throw new BundleError(`${where}: "${key}" is missing.`, { cure: "Export it again." });
  const refuse: Refuse = (key, expected) =>
    new BundleError(`${where}: ${key}: expected ${expected}.`, { cure: "Export the bundle again." });
  checkModel(value.model, refuse);
  checkFiles(value.files, where, refuse);
  if (!isText(value.name)) throw refuse("name", "a text");
  checkMethod(value, refuse);
  checkPreprocessing(value.preprocessing, refuse);
  checkProvenance(value.provenance, refuse);
  if (!isRecord(value.layouts) || !Object.values(value.layouts).every(isCounts)) {
    throw refuse("layouts", "a list of axes for each parameter");
  }
  // Every field that this program reads was checked.
  return value as unknown as BundleDescription;
}

function checkMethod({ saliency, masking, scales, absences }: Record<string, unknown>, refuse: Refuse): void {
  const saliencyName = SALIENCY_NAMES.find((name) => name === saliency);
  if (!saliencyName) throw refuse("saliency", `one of ${SALIENCY_NAMES.join(", ")}`);
  const valid = maskingsOf(saliencyName);
  if (!valid.some((name) => name === masking)) throw refuse("masking", `one of ${valid.join(", ")}`);
  const isScales = isRecord(scales) && Object.values(scales).every(areScales);
  if (!isScales) throw refuse("scales", "by method and kind of target a kind, a line and a slope");
  if (absences !== undefined && !areAbsences(absences))
    throw refuse("absences", "by class and aspect a share of 0 to 1");
}

function areScales(byGroup: unknown): boolean {
  if (!isRecord(byGroup)) return false;
  return Object.entries(byGroup).every(
    ([group, scale]) => TARGET_GROUPS.some((name) => name === group) && isScoreScale(scale),
  );
}

/** Whether this version does what it asks for is said elsewhere, where images are read. */
function checkPreprocessing(preprocessing: unknown, refuse: Refuse): void {
  if (!isRecord(preprocessing) || !isSize(preprocessing.size) || typeof preprocessing.kernel !== "string")
    throw refuse("preprocessing", "a size and a kernel");
}

function checkProvenance(provenance: unknown, refuse: Refuse): void {
  if (!isRecord(provenance) || !isRecord(provenance.dataset)) throw refuse("provenance", "a dataset");
  const { dataset, seed, epochs, weights, metrics, warnings, unseen = {} } = provenance;
  const { name, hash, contentHash, counts } = dataset;
  const isDataset =
    isText(name) &&
    isText(hash) &&
    (contentHash === undefined || isText(contentHash)) &&
    isRecord(counts) &&
    Object.values(counts).every(isCount);
  if (!isDataset) throw refuse("provenance.dataset", "a name, a hash, and counts of samples");
  if (!isNumber(seed) || !isCount(epochs)) throw refuse("provenance", "a seed and a number of epochs");
  if (!isText(weights)) throw refuse("provenance.weights", "a text");
  if (!isRecord(metrics)) throw refuse("provenance.metrics", "an object");
  if (!isStrings(warnings)) throw refuse("provenance.warnings", "a list of texts");
  if (!isRecord(unseen) || !isStrings(Object.values(unseen))) throw refuse("provenance.unseen", "texts by head");
}

function checkFiles(files: unknown, where: string, refuse: Refuse): void {
  if (!isRecord(files)) throw refuse("files", "sizes and checksums by name");
  for (const [name, file] of Object.entries(files)) {
    if (!isSafeName(name))
      throw new BundleError(`${where}: files: ${shown(name)} could lie outside.`, { cure: "Export it again." });
    const isListed = isRecord(file) && isCount(file.bytes) && /^[0-9a-f]{64}$/.test(String(file.sha256));
    if (!isListed) throw refuse(`files: ${shown(name)}`, "bytes and a SHA-256");
  }
  for (const name of Object.values(FILES)) {
    if (name !== FILES.description && !Object.hasOwn(files, name)) {
      throw new BundleError(`${where}: files: ${name} is not listed.`, { cure: "Export the bundle again." });
    }
  }
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value.length <= 10_000;
}

/** How this version reads images, and older ones did; a description may leave these out. */
const FIXED = { channels: "rgb", range: [0, 255], orientation: "exif", background: "#ffffff" } as const;

/** How a model's images become what it sees. */
export function fitOf(model: ModelSpec): Pick<Preprocessing, "fit" | "centerCrop"> {
  const { centerCrop } = model.trunk.network ?? {};
  return centerCrop === undefined ? { fit: "stretch" } : { fit: "crop", centerCrop };
}

/** @throws BundleError where the bundle wants another size, resizing kernel, or way of reading. */
export function checkImageReading({ model, preprocessing }: BundleDescription, path: string): void {
  const { size, kernel } = preprocessing;
  const fixed = { ...FIXED, ...fitOf(model) };
  const other = Object.entries(fixed).find(([key, value]) => {
    const wanted = preprocessing[key as keyof typeof fixed];
    return wanted !== undefined && JSON.stringify(wanted) !== JSON.stringify(value);
  });
  if (other !== undefined) {
    throw new BundleError(
      `${path}: ${FILES.description}: preprocessing.${other[0]}: this version does ${JSON.stringify(other[1])} alone.`,
      { cure: "Export it again." },
    );
  }
  if (kernel === RESIZE_KERNEL && JSON.stringify(size) === JSON.stringify(model.trunk.inputSize)) return;
  throw new BundleError(
    `${path}: ${FILES.description}: wants images of ${shown(size)} px by kernel ${shown(kernel)}, ` +
      `this version makes ${sizeKey(model.trunk.inputSize)} px by "${RESIZE_KERNEL}".`,
    { cure: "Export it again." },
  );
}
