/** What callers of the library may ask of an explainer; they need not write TypeScript, so types are checked here. */

import { checkKeys, nearest } from "../core/check-keys.js";
import { InputError } from "../core/errors.js";
import { isNumber, isRecord } from "../core/json-values.js";
import { shown } from "../core/message-text.js";
import { pixelCount, type Size, sizeText } from "../core/size.js";
import { checkRuntimeOptions } from "../engine/devices.js";
import type { MethodChoice } from "../explain/explanation.js";
import { MAPPING_NAMES, MASKING_NAMES, SALIENCY_NAMES } from "../explain/methods.js";
import { innerTargetOf, type Target } from "../explain/target.js";
import type { ClassifierSpec } from "../heads/head-spec.js";

const KINDS: readonly unknown[] = ["log-odds", "margin", "logit", "value", "aspect", "image", "unit"];

/**
 * @throws InputError where the classifier has no such target; aspects and layers are checked where their graph is
 *   traced.
 */
export function checkTarget(target: Target | undefined, { task, classes }: ClassifierSpec): void {
  if (target === undefined) return;
  const refuse = (wanted: string, cure?: string) => new InputError(`target ${shown(target)}: ${wanted}.`, { cure });
  if (!isRecord(target) || !KINDS.includes(target.kind)) throw refuse(`expected { kind } of ${KINDS.join(", ")}`);
  if (innerTargetOf(target)) {
    const weights = target.kind === "image" ? [target.object, target.background] : [];
    if (!weights.every(isNumber)) throw refuse("object and background must be numbers");
    return;
  }
  if (task === "regression") {
    if (target.kind !== "value") throw refuse('this model answers with a number, so the kind must be "value"');
    return;
  }
  const names = target.kind === "margin" ? [target.class, target.other] : "class" in target ? [target.class] : [];
  if (target.kind === "value")
    throw refuse('the kind "value" is for regressions', `Name a class: ${classes.join(", ")}.`);
  if (names.length === 0 || !names.every((name) => classes.includes(name))) {
    const unknown = names.find((name) => typeof name === "string" && !classes.includes(name));
    const near = unknown === undefined ? undefined : nearest(unknown, classes);
    const cure = near ? `Did you mean "${near}"?` : "Name one of the classes.";
    throw refuse(`the classes are ${classes.join(", ")}`, cure);
  }
  if (names[0] === names[1]) throw refuse("a margin is between two classes");
}

/** @throws InputError where an explanation cannot be made so. */
export function checkMethod(method: MethodChoice): void {
  if (!isRecord(method)) throw new InputError(`method: expected an object, got ${shown(method)}.`);
  const known = { saliency: SALIENCY_NAMES, masking: MASKING_NAMES, mapping: MAPPING_NAMES };
  for (const [key, names] of Object.entries(known)) {
    const value = method[key as keyof typeof known];
    if (value !== undefined && !names.some((name) => name === value))
      throw new InputError(`${key} ${shown(value)}: expected one of ${names.join(", ")}.`);
  }
}

/** @throws InputError where it is neither a path, nor the bytes of a file, nor pixels of the model's size. */
export function checkImage(image: unknown, size: Size): void {
  if (typeof image === "string") {
    if (image === "") throw new InputError("image: the path is empty.");
    return;
  }
  if (!isRecord(image) || typeof image.name !== "string")
    throw new InputError(`image: expected a path, { name, bytes } or { name, pixels }, got ${kindOf(image)}.`);
  const { name, bytes, pixels, width, height } = image;
  if (bytes !== undefined) {
    if (!(bytes instanceof Uint8Array))
      throw new InputError(`${name}: expected the bytes of a file, got ${kindOf(bytes)}.`);
    if (pixels !== undefined) throw new InputError(`${name}: expected bytes or pixels, got both.`);
    return;
  }
  const count = pixelCount(size) * 3;
  const wanted = `expected ${sizeText(size)} RGB pixels (${count} numbers of 0..255)`;
  if (!isNumbers(pixels)) throw new InputError(`${name}: ${wanted}, got ${kindOf(pixels)}.`);
  if (pixels.length !== count) throw new InputError(`${name}: ${wanted}, got ${pixels.length} numbers.`);
  for (let index = 0; index < pixels.length; index++) {
    if (pixels[index] >= 0 && pixels[index] <= 255) continue;
    throw new InputError(`${name}: ${wanted}, got ${shown(String(pixels[index]))} at place ${index}.`);
  }
  for (const side of [width, height]) {
    if (side !== undefined && !(Number.isSafeInteger(side) && Number(side) > 0))
      throw new InputError(`${name}: width and height: expected pixels of the original, got ${shown(side)}.`);
  }
}

/** @throws InputError where a request is none, or has a key that none has. */
export function checkRequest(request: object, known: readonly string[]): void {
  if (!isRecord(request)) throw new InputError(`request: expected an object, got ${kindOf(request)}.`);
  checkKeys(request, known, "request");
}

/** @throws InputError where a name of mask files cannot begin so. */
export function checkStem(stem: unknown): void {
  if (stem === undefined) return;
  const isName = typeof stem === "string" && stem !== "" && !/[\\/]/.test(stem);
  if (!isName) throw new InputError(`stem ${shown(stem)}: expected the beginning of a file's name, without slashes.`);
}

const OPTIONS = ["method", "targets", "threads", "device", "onNotice"];

/** @throws InputError where there is no bundle, or an option is none or out of range. */
export function checkOpening(opened: unknown, options: object): void {
  const isBundle = isRecord(opened) && isRecord(opened.description) && typeof opened.path === "string";
  if (!isBundle && (typeof opened !== "string" || opened === ""))
    throw new InputError(
      `openExplainer: expected the path of a bundle, or what readBundle returned, got ${kindOf(opened)}.`,
    );
  if (!isRecord(options)) throw new InputError(`openExplainer: options: expected an object, got ${kindOf(options)}.`);
  checkKeys(options, OPTIONS, "openExplainer: options");
  checkRuntimeOptions(options, "openExplainer");
}

/** @throws InputError where images cannot be taken one after another. */
export function checkImages(images: unknown): void {
  const isMany =
    typeof images === "object" && images !== null && (Symbol.iterator in images || Symbol.asyncIterator in images);
  if (!isMany) throw new InputError(`images: expected a list of images, got ${kindOf(images)}.`);
}

function isNumbers(value: unknown): value is ArrayLike<number> {
  if (ArrayBuffer.isView(value)) return !(value instanceof DataView) && typeof (value as Uint8Array)[0] !== "bigint";
  return Array.isArray(value) && value.every((item) => typeof item === "number");
}

function kindOf(value: unknown): string {
  if (typeof value !== "object" || value === null)
    return typeof value === "string" ? "a text" : shown(value ?? String(value));
  return Array.isArray(value) ? "a list" : `an object (${shown(value.constructor?.name ?? "without a class")})`;
}
