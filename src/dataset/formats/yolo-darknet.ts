/** The older form of YOLO's sets: `obj.data` beside `obj.names`, or names alone. */

import { dirname, join, resolve } from "node:path";
import { DatasetError } from "../../core/errors.js";
import { exists } from "../../core/files.js";
import { readText } from "./read-text.js";
import type { YoloIndex } from "./yolo-yaml.js";

/** @throws DatasetError with file and line. */
export async function readDarknetData(file: string): Promise<YoloIndex> {
  const folder = dirname(resolve(file));
  const values = new Map<string, string>();
  for (const [index, written] of (await readText(file)).split("\n").entries()) {
    const line = written.trim();
    if (line === "" || line.startsWith("#")) continue;
    const [, key, value] = /^([^=]+?)\s*=\s*(.*)$/.exec(line) ?? [];
    if (key === undefined)
      throw new DatasetError(`${file}:${index + 1}: ${JSON.stringify(line)} has no "=".`, {
        cure: "Write lines like names = data/obj.names.",
        file,
        line: index + 1,
      });
    values.set(key, value);
  }
  const needed = async (key: string) => {
    const path = values.get(key);
    if (path === undefined) throw new DatasetError(`${file}: has no "${key}".`, { cure: "Add the line.", file });
    const found = await nearby(path, folder);
    if (found !== undefined) return found;
    throw new DatasetError(`${file}: ${key} ${path} is absent.`, { cure: "Put it beside this file.", file });
  };
  const names = await readNames(await needed("names"));
  const splits: { split: string; path: string }[] = [];
  for (const key of ["train", "valid", "test"])
    if (values.has(key) && (key === "train" || (await nearby(values.get(key) ?? "", folder))))
      splits.push({ split: key, path: await needed(key) });
  return { names, splits, hasKeypoints: false, left: [] };
}

/** One name a line, the first of class 0. */
export async function readNames(file: string): Promise<ReadonlyMap<number, string>> {
  const lines = (await readText(file)).trimEnd().split("\n");
  return new Map(
    lines.map((line, index) => {
      if (line.trim() !== "") return [index, line.trim()];
      throw new DatasetError(`${file}:${index + 1}: an empty line.`, {
        cure: "Name a class on each.",
        file,
        line: index + 1,
      });
    }),
  );
}

/** Paths are those of the machine that trained, mostly below a folder `data`: as many of their folders as are there. */
async function nearby(path: string, folder: string): Promise<string | undefined> {
  const parts = path.replaceAll("\\", "/").split("/").filter(Boolean);
  for (let from = 0; from < parts.length; from++) {
    const candidate = join(folder, ...parts.slice(from));
    if (await exists(candidate)) return candidate;
  }
  return undefined;
}
