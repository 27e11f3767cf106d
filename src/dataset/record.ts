/** One line of the samples file: an image's path, its split and its labels, not yet decoded. */

import type { ClassAnnotation, Task } from "../core/annotation.js";
import type { Box } from "../core/box.js";
import { checkKeys, normalizeKeys } from "../core/check-keys.js";
import { DatasetError } from "../core/errors.js";
import { parseJson } from "../core/json.js";
import { type Groups, parseGroups } from "./groups.js";
import { type AspectDeclaration, knownName, type Manifest, parseAspectNames } from "./manifest.js";
import { checkPath } from "./paths.js";

export const SPLITS = ["train", "validation", "test"] as const;
/** A part of a dataset. */
export type Split = (typeof SPLITS)[number];

/**
 * The annotations as written, with paths instead of pixels. An aspect may have several; its kind decides which one is
 * learned from.
 */
export interface AspectRecord {
  readonly mask?: string | null;
  /** Pixel values of the mask that mean the aspect; by default as `foregroundOf` decides. */
  readonly values?: readonly number[];
  /** Pixel values of the mask or map that are void: they say neither. */
  readonly ignore?: readonly number[];
  readonly boxes?: readonly Box[];
  /** Beside `boxes`: regions that are void. */
  readonly ignoredBoxes?: readonly Box[];
  readonly present?: boolean;
  readonly amount?: number;
  readonly map?: string;
}

export interface SampleRecord {
  /** Relative to the dataset's folder. */
  readonly image: string;
  readonly split: Split;
  readonly target: ClassAnnotation;
  readonly aspects: Readonly<Record<string, AspectRecord>>;
  readonly causes?: readonly string[];
  /** The patient, site or device that the image is from, by the group's name. */
  readonly groups?: Groups;
  /** Of the manifest's `sources`, by name. */
  readonly source?: string;
  /** `samples.jsonl:12`, for messages. */
  readonly where: string;
}

const ASPECT_KEYS = ["mask", "values", "ignore", "boxes", "ignoredBoxes", "present", "amount", "map"];
/** They say how another key is read. */
const MODIFIERS = ["values", "ignore", "ignoredBoxes"];
const LABEL_KEY: Readonly<Record<Task, string>> = { single: "label", multi: "labels", regression: "value" };
/** Training computes with 32 bits, and squares differences of values. */
const LARGEST_VALUE = 1e15;
/** Boxes made from pixels may be off by rounding. */
const ROUNDING = 1e-6;

/**
 * @param where file and line, for messages.
 * @throws DatasetError in one line that names the place, what is wrong, and the cure.
 */
export function parseRecord(bytes: Uint8Array, manifest: Manifest, where: string): SampleRecord {
  return toRecord(parseLine(bytes, where), manifest, where);
}

/** The first half of `parseRecord`: any JSON. */
export function parseLine(bytes: Uint8Array, where: string): unknown {
  return parseJson(bytes, { where, error: DatasetError, cure: "Put one sample, as JSON, on each line." });
}

/** The second half: what a sample must hold. */
export function toRecord(value: unknown, manifest: Manifest, where: string): SampleRecord {
  checkKeys(
    value,
    ["image", "split", LABEL_KEY[manifest.task], "aspects", "causes", "groups", "source"],
    where,
    DatasetError,
  );
  const image = checkPath(value.image, where, "image");
  const split = knownName(value.split, SPLITS, `${where}: split`);
  const target = parseTarget(value, manifest, where);
  const given = normalizeKeys(value.aspects ?? {});
  checkKeys(
    given,
    manifest.aspects.map((aspect) => aspect.name),
    `${where}: aspects`,
    DatasetError,
  );
  const aspects = Object.fromEntries(
    Object.entries(given).map(([name, entry]) => [name, parseAspect(entry, `${where}: aspect "${name}"`)]),
  );
  const causes =
    value.causes === undefined ? undefined : parseAspectNames(value.causes, manifest.aspects, `${where}: causes`);
  const groups = value.groups === undefined ? undefined : parseGroups(value.groups, where);
  const sources = (manifest.sources ?? []).map(({ name }) => name);
  const source = value.source === undefined ? undefined : knownName(value.source, sources, `${where}: source`);
  return {
    ...{ image, split, target, aspects, where },
    ...(causes === undefined ? {} : { causes }),
    ...(groups === undefined ? {} : { groups }),
    ...(source === undefined ? {} : { source }),
  };
}

/** The state of the annotation that a head of this aspect learns from. */
export function annotationState(
  record: AspectRecord | undefined,
  kind: AspectDeclaration["kind"],
): "labelled" | "empty" | "unlabelled" {
  if (!record) return "unlabelled";
  const { mask, boxes, ignoredBoxes = [], present, amount, map } = record;
  const state = (isEmpty: boolean) => (isEmpty ? "empty" : "labelled");
  switch (kind) {
    case "segmentation":
      return mask === undefined ? "unlabelled" : state(mask === null);
    case "boxes":
      return boxes === undefined ? "unlabelled" : state(boxes.length === 0);
    case "amount":
      if (map !== undefined) return "labelled";
      return amount === undefined ? "unlabelled" : state(amount === 0);
    case "presence":
      if (present !== undefined) return state(!present);
      if (boxes?.length === 0 && ignoredBoxes.length > 0) return "unlabelled";
      if (boxes !== undefined) return state(boxes.length === 0);
      return mask === undefined ? "unlabelled" : state(mask === null);
  }
}

function parseTarget(value: Record<string, unknown>, { task, classes }: Manifest, where: string): ClassAnnotation {
  if (value[LABEL_KEY[task]] === undefined) return {};
  if (task === "single") return { label: knownName(value.label, classes, `${where}: label`) };
  if (task === "regression") {
    if (typeof value.value === "number" && Math.abs(value.value) <= LARGEST_VALUE) return { value: value.value };
    if (typeof value.value === "number" && !Number.isNaN(value.value))
      throw new DatasetError(
        `${where}: value ${value.value} is larger than ${LARGEST_VALUE.toExponential()} in magnitude.`,
        {
          cure: "Give it in a larger unit.",
        },
      );
    throw new DatasetError(`${where}: value ${JSON.stringify(value.value)} is not a number.`, {
      cure: "Leave the key out if the value is unknown.",
    });
  }
  if (!Array.isArray(value.labels)) {
    throw new DatasetError(`${where}: labels is ${JSON.stringify(value.labels)}.`, {
      cure: "List classes; [] where none applies.",
    });
  }
  return { labels: [...new Set(value.labels.map((label: unknown) => knownName(label, classes, `${where}: labels`)))] };
}

function parseAspect(value: unknown, where: string): AspectRecord {
  checkKeys(value, ASPECT_KEYS, where, DatasetError);
  const { mask, values, ignore, boxes, ignoredBoxes, present, amount, map } = value;
  if (Object.keys(value).every((key) => MODIFIERS.includes(key))) {
    throw new DatasetError(`${where}: has no annotation.`, {
      cure: "Leave the aspect out if it is unlabelled.",
    });
  }
  if (values !== undefined) checkValues(values, mask, where);
  if (ignore !== undefined) checkIgnore(value, where);
  if (ignoredBoxes !== undefined && boxes === undefined) {
    throw new DatasetError(`${where}: ignoredBoxes without boxes.`, {
      cure: 'Write "boxes": [] if there is none outside of them.',
    });
  }
  if (present !== undefined && typeof present !== "boolean") {
    throw new DatasetError(`${where}: present is ${JSON.stringify(present)}.`, { cure: "Write true or false." });
  }
  if (amount !== undefined && !(typeof amount === "number" && amount >= 0 && amount <= 1)) {
    throw new DatasetError(`${where}: amount is ${JSON.stringify(amount)}.`, { cure: "Give a number in 0..1." });
  }
  return {
    ...(mask === undefined ? {} : { mask: mask === null ? null : checkPath(mask, where, "mask") }),
    // Checked by `checkValues`.
    ...(values === undefined ? {} : { values: values as number[] }),
    // Checked by `checkIgnore`.
    ...(ignore === undefined ? {} : { ignore: ignore as number[] }),
    ...(boxes === undefined ? {} : { boxes: parseBoxes(boxes, { where, key: "boxes" }) }),
    ...(ignoredBoxes === undefined ? {} : { ignoredBoxes: parseBoxes(ignoredBoxes, { where, key: "ignoredBoxes" }) }),
    ...(present === undefined ? {} : { present }),
    ...(amount === undefined ? {} : { amount }),
    ...(map === undefined ? {} : { map: checkPath(map, where, "map") }),
  };
}

function checkPixelValues(values: unknown, where: string): asserts values is number[] {
  const isPixelValue = (item: unknown) => Number.isInteger(item) && Number(item) >= 0 && Number(item) <= 65535;
  if (Array.isArray(values) && values.length > 0 && values.every(isPixelValue)) return;
  throw new DatasetError(`${where} is ${JSON.stringify(values)}.`, { cure: "List whole pixel values in 0..65535." });
}

function checkIgnore({ ignore, values, mask, map }: Record<string, unknown>, where: string): void {
  checkPixelValues(ignore, `${where}: ignore`);
  if (typeof mask === "string" && map !== undefined) {
    throw new DatasetError(`${where}: ignore beside both a mask and a map.`, {
      cure: "Keep the one that it is meant for.",
    });
  }
  if (typeof mask !== "string" && map === undefined) {
    throw new DatasetError(`${where}: ignore without a mask or map.`, {
      cure: `Name the file, or remove "ignore"; regions beside boxes are "ignoredBoxes".`,
    });
  }
  const both = Array.isArray(values) ? ignore.find((value) => values.includes(value)) : undefined;
  if (both !== undefined) {
    throw new DatasetError(`${where}: ${both} is in both "values" and "ignore".`, { cure: "Remove it from one." });
  }
}

function checkValues(values: unknown, mask: unknown, where: string): void {
  checkPixelValues(values, `${where}: values`);
  if (typeof mask !== "string") {
    throw new DatasetError(`${where}: values without a mask.`, { cure: `Name the mask's file, or remove "values".` });
  }
}

function parseBoxes(value: unknown, { where, key }: { where: string; key: "boxes" | "ignoredBoxes" }): Box[] {
  if (!Array.isArray(value))
    throw new DatasetError(`${where}: ${key} is no list.`, { cure: "Write [] where there is none." });
  const what = key === "boxes" ? "box" : "ignored box";
  return value.map((box: unknown, index) => {
    const text = `${where}: ${what} ${index + 1} ${JSON.stringify(box)}`;
    if (
      !Array.isArray(box) ||
      box.length !== 4 ||
      !box.every((edge) => typeof edge === "number" && Number.isFinite(edge))
    ) {
      throw new DatasetError(`${text} is not four numbers.`, { cure: "Write [yMin, xMin, yMax, xMax] in 0..1." });
    }
    if (box.some((edge) => edge < -ROUNDING || edge > 1 + ROUNDING)) {
      throw new DatasetError(`${text} reaches outside the image.`, {
        cure: "Write [yMin, xMin, yMax, xMax] in 0..1: pixels divided by the image's height and width.",
      });
    }
    const [yMin, xMin, yMax, xMax] = box.map((edge) => Math.min(1, Math.max(0, edge)));
    if (yMin >= yMax || xMin >= xMax) {
      throw new DatasetError(`${text} has no area.`, { cure: "The order is [yMin, xMin, yMax, xMax]." });
    }
    return [yMin, xMin, yMax, xMax];
  });
}
