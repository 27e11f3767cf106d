/** `dataset.json`, the description of a dataset, checked key by key. */

import { join } from "node:path";
import { ASPECT_KINDS, type AspectKind, TASKS, type Task } from "../core/annotation.js";
import { checkKeys, nearest, normalizeKeys } from "../core/check-keys.js";
import { DatasetError, inFile } from "../core/errors.js";
import { parseJson } from "../core/json.js";
import { LIMITS } from "../core/limits.js";
import { readWhole } from "../core/read-whole.js";
import { clashingName } from "../core/result-file-names.js";
import { checkPath } from "./paths.js";

export const DATASET_FORMAT = "aspectlens-dataset/1";
export const MANIFEST_FILE = "dataset.json";

/** An aspect as `dataset.json` declares it. */
export interface AspectDeclaration {
  readonly name: string;
  readonly kind: AspectKind;
}

/** The content of `dataset.json`; docs/formats.md describes its keys. */
export interface Manifest {
  readonly name: string;
  readonly task: Task;
  /** Empty for a regression. */
  readonly classes: readonly string[];
  /** Path of the JSON-Lines file, relative to the dataset's folder. */
  readonly samples: string;
  readonly aspects: readonly AspectDeclaration[];
  /** For each class, the aspects that cause it, if known. */
  readonly causes?: Readonly<Record<string, readonly string[]>>;
  /** Whether images, masks and samples file may be links that lead out of the folder. */
  readonly allowLinks?: boolean;
  /** Where the samples come from, if they were imported. */
  readonly sources?: readonly DatasetSource[];
}

/** An export of another tool that samples were imported from. */
export interface DatasetSource {
  readonly name: string;
  /** Such as `coco`. */
  readonly tool?: string;
  readonly licence?: string;
}

/** `$schema` is for editors, and not read. */
const KEYS = ["format", "name", "task", "classes", "samples", "aspects", "causes", "allowLinks", "sources", "$schema"];
/** Names of aspects are keys of records, parts of file names (`x.nucleus.png`) and of parameters (`head/nucleus/...`). */
export const DATASET_NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u;

/**
 * Reads and checks `dataset.json` of a folder.
 *
 * @returns the manifest, and the bytes that it was read from (for the hash).
 * @throws DatasetError in one line that names the file, what is wrong, and the cure.
 */
export async function readManifest(directory: string): Promise<{ manifest: Manifest; bytes: Uint8Array }> {
  const file = join(directory, MANIFEST_FILE);
  const bytes = await readWhole(file, {
    limit: LIMITS.jsonFileBytes,
    ErrorClass: DatasetError,
    absenceCure: `A dataset is a folder with a ${MANIFEST_FILE}; "aspectlens data synth DIR" generates one.`,
  });
  const parse = () => parseManifest(parseJson(bytes, { where: file, error: DatasetError }), file);
  return { manifest: inFile({ file }, parse), bytes };
}

/** @param file named in messages. @throws DatasetError */
export function parseManifest(value: unknown, file: string): Manifest {
  checkKeys(value, KEYS, file, DatasetError);
  const { format, task = "single" } = value;
  if (format !== DATASET_FORMAT) {
    throw new DatasetError(`${file}: format is ${JSON.stringify(format) ?? "missing"}, expected "${DATASET_FORMAT}".`, {
      cure: 'Add it; "aspectlens data synth DIR" generates a dataset to compare with.',
    });
  }
  if (typeof value.name !== "string" || value.name.trim() === "") {
    throw new DatasetError(`${file}: "name" is ${JSON.stringify(value.name) ?? "missing"}.`, {
      cure: "Give the dataset a name.",
    });
  }
  const { allowLinks } = value;
  if (allowLinks !== undefined && typeof allowLinks !== "boolean") {
    throw new DatasetError(`${file}: "allowLinks" is ${JSON.stringify(allowLinks)}.`, { cure: "Write true or false." });
  }
  const knownTask = knownName(task, TASKS, `${file}: task`);
  const aspects = parseAspects(value.aspects ?? [], file);
  const classes = parseClasses(value.classes, knownTask, file);
  return {
    name: value.name,
    task: knownTask,
    classes,
    samples: checkPath(value.samples ?? "samples.jsonl", file, "samples"),
    aspects,
    ...(value.causes === undefined ? {} : { causes: parseCauses(value.causes, { classes, aspects, file }) }),
    ...(allowLinks === undefined ? {} : { allowLinks }),
    ...(value.sources === undefined ? {} : { sources: parseSources(value.sources, file) }),
  };
}

function parseClasses(value: unknown, task: Task, file: string): string[] {
  const classes = value ?? [];
  if (!Array.isArray(classes) || classes.some((name) => typeof name !== "string" || name.trim() === "")) {
    throw new DatasetError(`${file}: "classes" is ${JSON.stringify(value)}.`, {
      cure: "List the names of the classes.",
    });
  }
  const names: string[] = classes.map((name: string) => name.normalize());
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined)
    throw new DatasetError(`${file}: class "${repeated}" is listed twice.`, { cure: "Remove one." });
  const fewest = { single: 2, multi: 1, regression: 0 }[task];
  if (classes.length < fewest || (task === "regression" && classes.length > 0)) {
    const cure =
      task === "regression"
        ? "a regression has none; remove them"
        : `it needs at least ${fewest}; list them in "classes"`;
    throw new DatasetError(`${file}: task "${task}" with ${classes.length} classes; ${cure}.`);
  }
  return names;
}

function parseAspects(value: unknown, file: string): AspectDeclaration[] {
  if (!Array.isArray(value))
    throw new DatasetError(`${file}: "aspects" is not a list.`, { cure: 'List { "name", "kind" } of each.' });
  const seen = new Set<string>();
  return value.map((entry: unknown, index) => {
    const where = `${file}: aspects[${index}]`;
    checkKeys(entry, ["name", "kind"], where, DatasetError);
    const name = typeof entry.name === "string" ? entry.name.normalize() : entry.name;
    if (typeof name !== "string" || !DATASET_NAME.test(name)) {
      throw new DatasetError(
        `${where}: name ${name === undefined ? "is missing" : `${JSON.stringify(name)} cannot be used`}.`,
        { cure: 'Use up to 64 letters, digits, spaces, ".", "-" and "_", starting with a letter or digit.' },
      );
    }
    if (name === "class")
      throw new DatasetError(`${where}: "class" is reserved for the classifier.`, { cure: "Rename the aspect." });
    if (seen.has(name)) throw new DatasetError(`${where}: aspect "${name}" is listed twice.`, { cure: "Remove one." });
    const other = clashingName(name, [...seen]);
    if (other !== undefined) {
      throw new DatasetError(`${where}: "${name}" would write its masks to the files of ${other}.`, {
        cure: "Rename the aspect.",
      });
    }
    seen.add(name);
    return { name, kind: knownName(entry.kind, ASPECT_KINDS, `${where} ("${name}"): kind`) };
  });
}

function parseSources(value: unknown, file: string): DatasetSource[] {
  if (!Array.isArray(value))
    throw new DatasetError(`${file}: "sources" is not a list.`, {
      cure: 'List { "name", "tool", "licence" } of each.',
    });
  return value.map((entry: unknown, index) => {
    const where = `${file}: sources[${index}]`;
    checkKeys(entry, ["name", "tool", "licence"], where, DatasetError);
    const texts = Object.entries(entry);
    const wrong = texts.find(([, text]) => typeof text !== "string");
    if (wrong)
      throw new DatasetError(`${where}: ${wrong[0]} is ${JSON.stringify(wrong[1])}.`, { cure: "Write a text." });
    if (typeof entry.name !== "string") throw new DatasetError(`${where}: has no name.`, { cure: "Name the source." });
    return { ...(entry as { tool?: string; licence?: string }), name: entry.name };
  });
}

function parseCauses(
  value: unknown,
  { classes, aspects, file }: { classes: readonly string[]; aspects: readonly AspectDeclaration[]; file: string },
): Record<string, string[]> {
  const byClass = normalizeKeys(value);
  checkKeys(byClass, classes, `${file}: causes`, DatasetError);
  return Object.fromEntries(
    Object.entries(byClass).map(([name, causes]) => [
      name,
      parseAspectNames(causes, aspects, `${file}: causes of "${name}"`),
    ]),
  );
}

/** A list of distinct declared aspects. @throws DatasetError */
export function parseAspectNames(value: unknown, aspects: readonly AspectDeclaration[], where: string): string[] {
  if (!Array.isArray(value))
    throw new DatasetError(`${where}: expected a list of aspects, got ${JSON.stringify(value)}.`);
  const names = value.map((name: unknown) =>
    knownName(
      name,
      aspects.map((aspect) => aspect.name),
      where,
    ),
  );
  return [...new Set(names)];
}

/**
 * @param known in the composed form (NFC); the decomposed form counts as equal.
 * @throws DatasetError that lists what is known and suggests the nearest.
 */
export function knownName<T extends string>(value: unknown, known: readonly T[], where: string): T {
  const name = typeof value === "string" ? value.normalize() : value;
  const found = known.find((candidate) => candidate === name);
  if (found !== undefined) return found;
  const near = typeof name === "string" ? nearest(name, known) : undefined;
  throw new DatasetError(`${where}: ${value === undefined ? "is missing" : `unknown ${JSON.stringify(value)}`}.`, {
    cure: `${near ? `Did you mean "${near}"? ` : ""}Known: ${known.join(", ") || "none"}.`,
  });
}
