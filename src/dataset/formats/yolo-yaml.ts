/** `data.yaml`: the names of the classes, and where the images of each split are. Nothing in it is run. */

import { dirname, isAbsolute, join, resolve } from "node:path";
import { DatasetError } from "../../core/errors.js";
import { exists, isFolder } from "../../core/files.js";
import { clip } from "../../core/terminal.js";
import { readText } from "./read-text.js";
import { checkYamlKeys, parseYaml, type YamlValue, yamlText, yamlTexts } from "./yaml.js";

/** Where a set's images are, by split. */
export interface YoloIndex {
  /** By number, in order. */
  readonly names: ReadonlyMap<number, string>;
  /** Folders of images, or text files that list them. */
  readonly splits: readonly { readonly split: string; readonly path: string }[];
  readonly hasKeypoints: boolean;
  readonly licence?: string;
  readonly left: readonly string[];
}

/** @throws DatasetError with file, line and column. */
export async function readYoloYaml(file: string): Promise<YoloIndex> {
  const root = parseYaml(await readText(file), { file, error: DatasetError });
  if (root.kind !== "map") throw root.fail("is no map.", "Write names, train and val.");
  const names = namesIn(root);
  const base = await baseOf(root.entries.get("path"), dirname(resolve(file)));
  const left: string[] = [];
  const splits: { split: string; path: string }[] = [];
  for (const split of ["train", "val", "test"]) {
    const value = root.entries.get(split);
    if (!value || value.kind === "nothing") continue;
    for (const { text, value: place } of yamlTexts(value, split)) {
      const path = await placeOf(text, base, dirname(resolve(file)));
      if (path !== undefined) splits.push({ split, path });
      // It is often named, and given to nobody.
      else if (split === "test") left.push(`test: ${text} is absent`);
      else throw place.fail(`${split}: ${text} is absent (from ${base}).`, 'Correct it, or "path".');
    }
  }
  if (root.entries.has("download")) left.push("download: never run; fetch the images yourself");
  const licence = root.entries.get("license") ?? root.entries.get("roboflow")?.entries.get("license");
  return {
    names,
    splits,
    hasKeypoints: root.entries.has("kpt_shape"),
    ...(licence?.kind === "text" && { licence: licence.text }),
    left,
  };
}

function namesIn(root: YamlValue): ReadonlyMap<number, string> {
  const value = root.entries.get("names");
  if (!value || value.kind === "nothing")
    throw (value ?? root).fail("has no names.", "List the classes, as in names: [cat, dog].");
  if (value.kind === "text") throw value.fail(`names is "${clip(value.text)}".`, "List the classes, as in [cat, dog].");
  const named =
    value.kind === "map" ? mapOf(value) : yamlTexts(value, "names").map(({ text }, id) => [id, text] as const);
  const names = new Map(named);
  const empty = [...names].find(([, name]) => name.trim() === "");
  if (empty) throw value.fail(`class ${empty[0]} has no name.`, "Name it.");
  const count = root.entries.get("nc");
  if (count && count.kind !== "nothing" && Number(count.text || Number.NaN) !== names.size)
    throw count.fail(
      `nc is ${count.kind === "text" ? clip(count.text) : `a ${count.kind}`}, but there are ${names.size} names.`,
      "Correct one of them.",
    );
  return names;
}

function mapOf(value: YamlValue): (readonly [number, string])[] {
  const entries = checkYamlKeys(value, [...value.keys.keys()], "names");
  return [...entries].map(([key, name]) => {
    if (/^\d+$/.test(key)) return [Number(key), yamlText(name, `name of class ${key}`)] as const;
    throw (value.keys.get(key) ?? value).fail(`the class "${key}" is no number.`, "Write names as 0: cat.");
  });
}

/** A folder of another machine is none here. */
async function baseOf(path: YamlValue | undefined, folder: string): Promise<string> {
  if (!path || path.kind === "nothing") return folder;
  const base = resolve(folder, yamlText(path, "path"));
  return (await isFolder(base)) ? base : folder;
}

/** Roboflow writes `../train/images` and means `train/images`. */
async function placeOf(text: string, base: string, folder: string): Promise<string | undefined> {
  const plain = text.replaceAll("\\", "/");
  const below = plain.replace(/^(\.\.\/)+/, "");
  const candidates = isAbsolute(plain)
    ? [plain]
    : [join(base, plain), join(folder, plain), join(base, below), join(folder, below)];
  for (const candidate of candidates) if (await exists(candidate)) return candidate;
  return undefined;
}
