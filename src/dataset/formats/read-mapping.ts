/** Reads a mapping file; every error has its line and column. */

import { ASPECT_KINDS } from "../../core/annotation.js";
import { ConfigError } from "../../core/errors.js";
import { clashingName } from "../../core/result-file-names.js";
import { DATASET_NAME } from "../manifest.js";
import { SPLITS, type Split } from "../record.js";
import {
  type AspectMapping,
  type ClassMapping,
  type ClassSource,
  DEFAULT_SPLITS,
  type GroupRule,
  type Mapping,
  type SplitMapping,
  type Unmarked,
} from "./mapping.js";
import { checkYamlKeys, parseYaml, type YamlValue, yamlText, yamlTexts, yamlWord } from "./yaml.js";

const KEYS = ["name", "class", "aspects", "drop", "groups", "splits", "licences"];
const STATES = ["empty", "unlabelled"] as const;

/**
 * @param text of the file.
 * @param file named in messages.
 * @returns the mapping, and the file's content with its places.
 * @throws ConfigError with file, line and column.
 */
export function parseMapping(text: string, file: string): { mapping: Mapping; root: YamlValue } {
  const root = parseYaml(text, { file, error: ConfigError });
  const top = checkYamlKeys(root, KEYS, "the mapping");
  const groups = readGroups(top.get("groups"));
  const aspects = readAspects(top.get("aspects"));
  const given = top.get("class");
  const classes = given === undefined || given.kind === "nothing" ? undefined : readClass(given);
  const drop = top.get("drop");
  const name = top.get("name");
  const mapping = {
    name: name === undefined ? "imported" : yamlText(name, "name"),
    ...(classes && { classes }),
    aspects,
    drop: isGiven(drop) ? namesIn(drop, "drop") : [],
    groups,
    splits: readSplits(top.get("splits")),
    licences: readLicences(top.get("licences")),
  };
  return { mapping, root };
}

function isGiven(value: YamlValue | undefined): value is YamlValue {
  return value !== undefined && value.kind !== "nothing";
}

/** As the names of categories are, in NFC. */
function namesIn(value: YamlValue, what: string): string[] {
  return yamlTexts(value, what).map(({ text }) => text.normalize());
}

function readClass(value: YamlValue): ClassMapping {
  const keys = checkYamlKeys(value, ["task", "from", "attribute", "classes", "unmarked", "unannotated"], "class");
  const source = readSource(keys, value);
  const given = keys.get("task");
  const task = given === undefined ? "single" : yamlWord(given, ["single", "multi"], "task");
  const list = keys.get("classes");
  if (list?.kind !== "map")
    throw (list ?? value).fail(
      "class has no classes.",
      "Write each with its categories, as in classes: { ill: [tumour] }.",
    );
  const classes = [...list.entries].map(([written, words]) => {
    const name = written.normalize();
    if (name.trim() === "") throw words.fail("a class without a name.", "Name it.");
    // A class of no word is what `unmarked` names.
    return { name, of: words.kind === "nothing" ? [] : namesIn(words, `class "${name}"`) };
  });
  const fewest = task === "single" ? 2 : 1;
  const names = classes.map(({ name }) => name);
  const state = (key: string): Unmarked => readUnmarked(keys.get(key), { task, names });
  const [unmarked, unannotated] = [state("unmarked"), state("unannotated")];
  const missing = [unmarked, unannotated].flatMap((one) =>
    one.is === "class" && !names.includes(one.name) ? [one.name] : [],
  );
  const all = [...classes, ...[...new Set(missing)].map((name) => ({ name, of: [] }))];
  if (all.length < fewest)
    throw list.fail(
      `task ${task} with ${all.length} classes.`,
      `It needs at least ${fewest}; with two, name one in "unmarked".`,
    );
  return { ...source, task, classes: all, unmarked, unannotated };
}

function readUnmarked(
  value: YamlValue | undefined,
  { task, names }: { task: "single" | "multi"; names: readonly string[] },
): Unmarked {
  if (!isGiven(value)) return { is: "unlabelled" };
  const text = yamlText(value, "it").normalize();
  if (text === "unlabelled") return { is: "unlabelled" };
  if (task === "multi") {
    if (text === "empty") return { is: "empty" };
    throw value.fail(`"${text}" is no state of labels.`, "Write empty or unlabelled.");
  }
  if (text === "empty" && !names.includes(text))
    throw value.fail("an image of one class cannot be empty.", "Write a class, or unlabelled.");
  return { is: "class", name: text };
}

function readSource(keys: YamlValue["entries"], value: YamlValue): ClassSource {
  const from = keys.get("from");
  if (!isGiven(from)) throw value.fail('class has no "from".', "Write tags, marks, attribute or folder.");
  const word = yamlWord(from, ["tags", "marks", "attribute", "folder"], "from");
  if (word !== "attribute") return { from: word };
  const attribute = keys.get("attribute");
  if (!isGiven(attribute)) throw from.fail("from: attribute names none.", "Add attribute: NAME.");
  return { from: word, attribute: yamlText(attribute, "attribute") };
}

function readAspects(value: YamlValue | undefined): AspectMapping[] {
  if (!isGiven(value)) return [];
  if (value.kind !== "map") throw value.fail("aspects is no map.", "Write each as name: { kind, categories }.");
  const seen: string[] = [];
  return [...value.entries].map(([written, entry]) => {
    const name = written.normalize();
    const place = value.keys.get(written) ?? entry;
    if (!DATASET_NAME.test(name) || name === "class")
      throw place.fail(
        `the aspect name ${JSON.stringify(name)} cannot be used.`,
        'Use up to 64 letters, digits, spaces, ".", "-" and "_", starting with a letter or digit; not "class".',
      );
    const other = clashingName(name, seen);
    if (other !== undefined)
      throw place.fail(`"${name}" would write its masks to the files of ${other}.`, "Rename it.");
    seen.push(name);
    return readAspect(name, entry);
  });
}

function readAspect(name: string, value: YamlValue): AspectMapping {
  const what = `aspect "${name}"`;
  const keys = checkYamlKeys(value, ["kind", "categories", "unmarked", "unannotated", "boxes"], what);
  const kind = keys.get("kind");
  if (!isGiven(kind)) throw value.fail(`${what} has no kind.`, `Write one of: ${ASPECT_KINDS.join(", ")}.`);
  const categories = keys.get("categories");
  const unmarked = keys.get("unmarked");
  const unannotated = keys.get("unannotated");
  const boxes = keys.get("boxes");
  return {
    name,
    kind: yamlWord(kind, ASPECT_KINDS, `kind of ${what}`),
    categories: isGiven(categories) ? namesIn(categories, `categories of ${what}`) : [name],
    unmarked: isGiven(unmarked) ? yamlWord(unmarked, STATES, "unmarked") : "empty",
    unannotated: isGiven(unannotated) ? yamlWord(unannotated, STATES, "unannotated") : "unlabelled",
    fillBoxes: isGiven(boxes) && yamlWord(boxes, ["fill", "ignore"], "boxes") === "fill",
  };
}

function readGroups(value: YamlValue | undefined): Record<string, GroupRule> {
  if (!isGiven(value)) return {};
  if (value.kind !== "map") throw value.fail("groups is no map.", "Write each as name: { attribute: patient }.");
  return Object.fromEntries(
    [...value.entries].map(([name, entry]) => {
      const place = value.keys.get(name) ?? entry;
      if (!DATASET_NAME.test(name))
        throw place.fail(`the group name ${JSON.stringify(name)} cannot be used.`, "Use letters, digits and spaces.");
      return [name, readGroup(name, entry)];
    }),
  );
}

function readGroup(name: string, value: YamlValue): GroupRule {
  const keys = [...checkYamlKeys(value, ["attribute", "name", "folder"], `group "${name}"`)];
  const [[key, given] = ["", value]] = keys;
  if (keys.length !== 1)
    throw value.fail(`group "${name}" has ${keys.length} rules.`, "Write one of attribute, name or folder.");
  const text = yamlText(given, key);
  if (key === "attribute") return { by: "attribute", attribute: text };
  if (key === "folder") {
    const place = Number(text);
    if (Number.isInteger(place) && place !== 0) return { by: "folder", place };
    throw given.fail(`folder is "${text}".`, "Write 1 for the first folder of the image's name, -1 for the last.");
  }
  try {
    return { by: "name", pattern: new RegExp(text, "u") };
  } catch (cause) {
    throw given.fail(`"${text}" is no regular expression (${(cause as Error).message}).`, "Correct it.");
  }
}

function readSplits(value: YamlValue | undefined): SplitMapping {
  if (!isGiven(value)) return DEFAULT_SPLITS;
  const keys = checkYamlKeys(value, ["keep", ...SPLITS, "seed", "by"], "splits");
  const keep = keys.get("keep");
  const number = (key: string, fallback: number) => {
    const given = keys.get(key);
    if (!isGiven(given)) return fallback;
    const text = yamlText(given, key);
    const read = Number(text);
    if (text.trim() !== "" && read >= 0 && (key === "seed" ? Number.isInteger(read) : read <= 1)) return read;
    throw given.fail(`${key} is "${text}".`, key === "seed" ? "Write a whole number." : "Write a share from 0 to 1.");
  };
  const isDrawn = SPLITS.some((split) => isGiven(keys.get(split)));
  const shares = Object.fromEntries(
    SPLITS.map((split) => [split, number(split, isDrawn ? 0 : DEFAULT_SPLITS.shares[split])]),
  ) as Record<Split, number>;
  const sum = SPLITS.reduce((total, split) => total + shares[split], 0);
  if (Math.abs(sum - 1) > 1e-6) throw value.fail(`the shares sum to ${Number(sum.toFixed(6))}.`, "Let them sum to 1.");
  const by = keys.get("by");
  return {
    keep: !isGiven(keep) || yamlWord(keep, ["true", "false"], "keep") === "true",
    shares,
    seed: number("seed", DEFAULT_SPLITS.seed),
    ...(isGiven(by) && { by: namesIn(by, "by") }),
  };
}

function readLicences(value: YamlValue | undefined): Record<string, string> {
  if (!isGiven(value)) return {};
  if (value.kind !== "map") throw value.fail("licences is no map.", "Write each as source: licence.");
  return Object.fromEntries([...value.entries].map(([name, entry]) => [name, yamlText(entry, `licence of "${name}"`)]));
}
