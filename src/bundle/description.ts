/** `bundle.json`: what a bundle says of itself, and the checks that it must pass before anything else is read. */

import { BundleError } from "../core/errors.js";
import { parseJson } from "../core/json.js";
import { checkKeys } from "../core/keys.js";
import type { MaskingName, SaliencyName } from "../explain/reading/pairs.js";
import type { ModelSpec } from "../model.js";
import type { Provenance, RelevanceThreshold } from "../trained-model.js";
import type { Layouts } from "./weights-file.js";
import { isSafeName } from "./zip.js";

export const BUNDLE_FORMAT = "aspectlens-bundle/1";
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
  /** Height and width of the input in pixels; the image is stretched to it. */
  readonly size: number;
  readonly fit: "stretch";
  /** As sharp and libvips name it. */
  readonly kernel: string;
  readonly channels: "rgb";
  readonly range: readonly [low: 0, high: 255];
  /** EXIF orientation is applied; transparent pixels lie over white. */
  readonly orientation: "exif";
  readonly background: "#ffffff";
}

export interface BundleDescription {
  readonly format: typeof BUNDLE_FORMAT;
  readonly name: string;
  /** Trunk, source layer, and every head with its kind, taps and threshold; the classes stand in the head `class`. */
  readonly model: ModelSpec;
  readonly preprocessing: Preprocessing;
  readonly saliency: SaliencyName;
  readonly masking: MaskingName;
  readonly threshold: RelevanceThreshold;
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
  "threshold",
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
    throw new BundleError(
      `${where}: format ${JSON.stringify(format)}, expected "${BUNDLE_FORMAT}". Use the version of aspectlens that wrote it, or export it again.`,
    );
  }
  checkKeys(value, KEYS, where, BundleError);
  for (const key of KEYS) if (!(key in value)) throw new BundleError(`${where}: "${key}" is missing. Export it again.`);
  checkModel(value.model, where);
  checkFiles(value.files, where);
  const { threshold, preprocessing } = value;
  const isThreshold =
    isRecord(threshold) &&
    isShare(threshold.value) &&
    (threshold.beside === undefined || isShare(threshold.beside)) &&
    typeof threshold.isCalibrated === "boolean";
  if (!isThreshold) throw wrong(where, "threshold", "a value of 0..1 and isCalibrated");
  if (!isRecord(preprocessing) || typeof preprocessing.kernel !== "string") {
    throw wrong(where, "preprocessing", "a size and a kernel");
  }
  if (!isRecord(value.layouts) || !Object.values(value.layouts).every(isNumbers)) {
    throw wrong(where, "layouts", "a list of axes for each parameter");
  }
  // Every field that this program reads was checked; provenance is only shown.
  return value as unknown as BundleDescription;
}

function checkModel(model: unknown, where: string): void {
  if (
    !isRecord(model) ||
    !isRecord(model.trunk) ||
    !isCount(model.trunk.inputSize) ||
    typeof model.source !== "string"
  ) {
    throw wrong(where, "model", "a trunk with an inputSize, and a source");
  }
  const heads: unknown = model.heads;
  const isHead = (head: unknown) =>
    isRecord(head) &&
    isPlainName(head.name) &&
    typeof head.kind === "string" &&
    isStrings(head.taps) &&
    (head.kind === "classifier" ? isStrings(head.classes) : isShare(head.threshold));
  const isWhole = Array.isArray(heads) && heads.every(isHead);
  if (!isWhole || heads.filter((head) => head.kind === "classifier").length !== 1) {
    throw wrong(
      where,
      "model.heads",
      "one classifier and aspects, each with a name without slashes, kind, taps and threshold",
    );
  }
}

function checkFiles(files: unknown, where: string): void {
  if (!isRecord(files)) throw wrong(where, "files", "sizes and checksums by name");
  for (const [name, file] of Object.entries(files)) {
    if (!isSafeName(name)) throw new BundleError(`${where}: files: "${name}" could lie outside. Export it again.`);
    const isListed = isRecord(file) && isCount(file.bytes) && /^[0-9a-f]{64}$/.test(String(file.sha256));
    if (!isListed) throw wrong(where, `files: "${name}"`, "bytes and a SHA-256");
  }
  for (const name of Object.values(FILES)) {
    if (name !== FILES.description && !(name in files)) {
      throw new BundleError(`${where}: files: ${name} is not listed. Export the bundle again.`);
    }
  }
}

function wrong(where: string, key: string, expected: string): BundleError {
  return new BundleError(`${where}: ${key}: expected ${expected}. Export the bundle again.`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isShare(value: unknown): boolean {
  return typeof value === "number" && value >= 0 && value <= 1;
}

/** Names of aspects become names of files. */
function isPlainName(name: unknown): boolean {
  if (typeof name !== "string" || name.length === 0) return false;
  return [...name].every((character) => character >= " " && character !== "/" && character !== "\\");
}

function isStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function isNumbers(value: unknown): boolean {
  return Array.isArray(value) && value.every(isCount);
}
