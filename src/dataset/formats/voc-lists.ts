/** The text files of VOC's `ImageSets`: which image is of which split, and which shows which class. */

import { dirname, join } from "node:path";
import { glob } from "tinyglobby";
import { DatasetError } from "../../core/errors.js";
import { splitIn, stem } from "./places.js";
import { readText } from "./read-text.js";

export interface VocLists {
  /** By image, in the order of the lists. */
  readonly splits: ReadonlyMap<string, string>;
  /** By image, the classes that the lists say are in it; `isIgnored` where they call it difficult. */
  readonly tags: ReadonlyMap<string, readonly { category: string; isIgnored: boolean }[]>;
  /** Of the lists, in the order of their names. */
  readonly classes: readonly string[];
}

/** In this order: the first that has an image decides on its split. */
const FOLDERS = ["Main", "Segmentation", "Action", "Layout", "Person"];

/** @throws DatasetError with file and line. */
export async function readVocLists(folder: string): Promise<VocLists> {
  const files = await glob("**/ImageSets/**/*.txt", { cwd: folder, onlyFiles: true, caseSensitiveMatch: false });
  const rank = (file: string) => {
    const at = FOLDERS.findIndex((name) => dirname(file).endsWith(name));
    // What is both, such as `trainval`, says less than its parts.
    return 2 * (at < 0 ? FOLDERS.length : at) + (/trainval/i.test(file) ? 1 : 0);
  };
  files.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  const splits = new Map<string, { split: string; file: string }>();
  const tags = new Map<string, { category: string; isIgnored: boolean }[]>();
  const classes = new Set<string>();
  for (const name of files) {
    const file = join(folder, name);
    const { split, category } = listName(name);
    if (split === undefined) continue;
    const isOfMain = category !== undefined && dirname(name).endsWith("Main");
    if (isOfMain) classes.add(category);
    for (const { number, text } of await linesOf(file)) {
      const [image, flag, ...more] = splitWords(text);
      const isTag = category !== undefined;
      if (more.length > 1 || (isTag && flag !== undefined && !/^(1|0|-1)$/.test(flag)))
        throw new DatasetError(`${file}:${number}: ${JSON.stringify(text)} is no line of a list of images.`, {
          cure: "Write the image's name, and in a list of a class 1, 0 or -1.",
          file,
          line: number,
        });
      if (isOfMain && (flag === "1" || flag === "0"))
        tags.set(image, [...(tags.get(image) ?? []), { category, isIgnored: flag === "0" }]);
      const known = splits.get(image);
      if (known === undefined) splits.set(image, { split, file });
      else if (known.split !== split && !/trainval/i.test(name) && dirname(known.file) === dirname(file))
        throw new DatasetError(`${file}:${number}: ${image} is in ${known.file} too.`, {
          cure: "Leave it in one split.",
          file,
          line: number,
        });
    }
  }
  return { splits: new Map([...splits].map(([image, { split }]) => [image, split])), tags, classes: [...classes] };
}

/** `train.txt` is a split, `cat_train.txt` a class in one. */
function listName(path: string): { split?: string; category?: string } {
  const name = stem(path.split("/").at(-1) ?? "");
  if (splitIn(name)?.word === name) return { split: name };
  const [, category, word] = /^(.+)_([^_]+)$/.exec(name) ?? [];
  return word !== undefined && splitIn(word)?.word === word ? { split: word, category } : {};
}

async function linesOf(file: string): Promise<{ number: number; text: string }[]> {
  const lines = (await readText(file, { mayBeEmpty: true })).split("\n");
  return lines
    .map((line, index) => ({ number: index + 1, text: line.trim() }))
    .filter(({ text }) => text !== "" && !text.startsWith("#"));
}

/** A name with spaces is quoted by some tools. */
function splitWords(text: string): string[] {
  const quoted = /^"([^"]*)"\s*(.*)$/.exec(text);
  return quoted ? [quoted[1], ...quoted[2].split(/\s+/).filter(Boolean)] : text.split(/\s+/);
}
