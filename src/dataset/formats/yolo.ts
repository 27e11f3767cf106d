/** YOLO: a text file of rows for each image, found through `data.yaml`, `obj.data`, or beside the names alone. */

import { readdir } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { glob } from "tinyglobby";
import { DatasetError } from "../../core/errors.js";
import { isFolder } from "../../core/files.js";
import { aloneIn } from "./alone-in.js";
import type { AnnotatedImage, AnnotationReader } from "./annotated-set.js";
import { beginning } from "./beginning.js";
import { findPlaces, type ImagePlaces, placeBelow, splitIn, stem, toName } from "./places.js";
import { readText } from "./read-text.js";
import { readDarknetData, readNames } from "./yolo-darknet.js";
import { yoloObjects } from "./yolo-rows.js";
import { readYoloYaml, type YoloIndex } from "./yolo-yaml.js";

const ROW = /^\s*\d+(\s+-?[\d.]+(e-?\d+)?){4,}\s*$/m;
const LISTS = /(^|\/)(train|val|valid|test|classes|labels|readme[^/]*)\.txt$/i;

export const YOLO: AnnotationReader = {
  tool: "yolo",
  recognizes: async (source) => (await entryOf(source)) !== undefined,
  read: async (source, { images: folder }) => {
    // A single data.yaml that does not look like one has something wrong, which reading will tell.
    const [alone] = await aloneIn(source, /\.ya?ml$/i);
    const entry = (await entryOf(source)) ?? (alone === undefined ? undefined : { kind: "yaml" as const, file: alone });
    if (!entry)
      throw new DatasetError(`${source}: has neither data.yaml nor obj.data nor obj.names.`, {
        cure: "Name the folder that holds one of them.",
      });
    const root = (await isFolder(source)) ? source : dirname(source);
    const index = await READ[entry.kind](entry.file);
    const places = await findPlaces(root, folder);
    const labels = await findLabels(root, places);
    const left = [...index.left, ...labels.orphans];
    const images = new Map<string, AnnotatedImage>();
    const repeated = new Set<string>();
    for (const { path, split } of await listed(index, { places, root, left })) {
      if (images.has(path)) {
        repeated.add(path);
        continue;
      }
      const file = labels.of(path);
      images.set(path, {
        path,
        name: toName(root, path),
        ...(split !== undefined && { split }),
        // YOLO takes an absent file for an empty one; whether nobody looked, the user has to say.
        isAnnotated: file !== undefined,
        annotations: async () => {
          if (file === undefined) return { objects: [] };
          const own: string[] = [];
          const text = await readText(file, { mayBeEmpty: true });
          const { names, hasKeypoints } = index;
          return {
            width: 1,
            height: 1,
            objects: yoloObjects(text, { file, names, hasKeypoints, left: own }),
            left: own,
          };
        },
      });
    }
    const { names, licence } = index;
    return {
      tool: "yolo",
      source,
      categories: [...names.values()],
      images: [...images.values()],
      left,
      notes:
        repeated.size > 0 ? [`images listed in more than one split, which stay in the first: ${repeated.size}`] : [],
      ...(licence && { licence }),
    };
  },
};

type Kind = "yaml" | "data" | "names";
const READ: Readonly<Record<Kind, (file: string) => Promise<YoloIndex>>> = {
  yaml: readYoloYaml,
  data: readDarknetData,
  names: async (file) => ({ names: await readNames(file), splits: [], hasKeypoints: false, left: [] }),
};

/** The file that everything else is found through. */
async function entryOf(source: string): Promise<{ kind: Kind; file: string } | undefined> {
  const kindOf = async (file: string): Promise<Kind | undefined> => {
    if (/\.ya?ml$/i.test(file))
      return /^\W?["']?names["']?\s*:/m.test(await beginning(file, { bytes: 2 ** 16 })) ? "yaml" : undefined;
    if (/\.data$/i.test(file)) return /^\s*names\s*=/m.test(await beginning(file)) ? "data" : undefined;
    return /(\.names|(^|\/)classes\.txt)$/i.test(file) ? "names" : undefined;
  };
  if (!(await isFolder(source))) {
    const kind = await kindOf(source);
    return kind && { kind, file: source };
  }
  const search = { cwd: source, onlyFiles: true, caseSensitiveMatch: false, deep: 2 };
  const found = await glob(["**/*.{yaml,yml,data,names}", "**/classes.txt"], search);
  const entries: { kind: Kind; file: string }[] = [];
  for (const name of found.sort()) {
    const kind = await kindOf(join(source, name));
    if (kind) entries.push({ kind, file: join(source, name) });
  }
  for (const kind of ["yaml", "data", "names"] as const) {
    const own = entries.filter((entry) => entry.kind === kind);
    if (own.length > 1 && kind === "yaml")
      throw new DatasetError(`${source}: ${own[0].file} and ${own[1].file} both describe a set.`, {
        cure: "Name the one that you mean.",
      });
    if (own.length > 0 && (kind !== "names" || (await hasRows(source)))) return own[0];
  }
  return undefined;
}

/** Names alone may be of any tool. */
async function hasRows(source: string): Promise<boolean> {
  const files = await glob("**/*.txt", { cwd: source, onlyFiles: true, caseSensitiveMatch: false });
  for (const name of files.filter((file) => !LISTS.test(file)).slice(0, 20))
    if (ROW.test(await beginning(join(source, name)))) return true;
  return false;
}

/** Images of the splits, or where none are named all that are there. */
async function listed(
  { splits }: YoloIndex,
  { places, root, left }: { places: ImagePlaces; root: string; left: string[] },
): Promise<{ path: string; split?: string }[]> {
  if (splits.length === 0)
    return places.files.map((path) => {
      const split = splitIn(dirname(toName(root, path)))?.word;
      return { path, ...(split !== undefined && { split }) };
    });
  const found: { path: string; split: string }[] = [];
  for (const { split, path } of splits) {
    if (await isFolder(path)) {
      const { files } = await findPlaces(path);
      if (files.length === 0) left.push(`${split}: ${path} holds no image`);
      if (files.length === 0 && (await readdir(path)).length > 0)
        throw new DatasetError(`${path}: holds no image of "${split}".`, { cure: "Correct the path, or add them." });
      for (const file of files) found.push({ path: file, split });
    } else {
      if (!/\.txt$/i.test(path))
        throw new DatasetError(`${path}: is neither a folder nor a .txt that lists images.`, {
          cure: "Correct the path.",
        });
      for (const [index, line] of (await readText(path)).split("\n").entries()) {
        if (line.trim() === "") continue;
        const where = `${path}:${index + 1}`;
        const file = places.find(line.trim(), { where, near: dirname(path) });
        found.push({ path: file ?? placeBelow(dirname(path), line.trim()), split });
      }
    }
  }
  return found;
}

/** The label file of an image: the last `images` of its path as `labels`, else beside it, else the only one of its name. */
async function findLabels(
  root: string,
  places: ImagePlaces,
): Promise<{ of(image: string): string | undefined; readonly orphans: readonly string[] }> {
  const names = await glob("**/*.txt", { cwd: root, onlyFiles: true, caseSensitiveMatch: false });
  const files = names
    .filter((name) => !LISTS.test(name) || /(^|\/)labels\//i.test(name))
    .map((name) => resolve(root, name));
  const known = new Set(files);
  const byStem = new Map<string, string[]>();
  for (const file of files) byStem.set(stem(basename(file)), [...(byStem.get(stem(basename(file))) ?? []), file]);
  const imageCounts = new Map<string, number>();
  for (const file of places.files.map((path) => stem(basename(path))))
    imageCounts.set(file, (imageCounts.get(file) ?? 0) + 1);
  const labelsOf = (image: string) => {
    const path = `${stem(image)}.txt`;
    const parts = path.split(sep);
    const at = parts.map((part) => part.toLowerCase()).lastIndexOf("images");
    const swapped = ["labels", "Labels", "annotations", "Annotations"].map((word) =>
      parts.with(Math.max(at, 0), word).join(sep),
    );
    const candidates = [...(at > 0 ? swapped : []), path];
    const own = byStem.get(stem(basename(image))) ?? [];
    const isAlone = own.length === 1 && imageCounts.get(stem(basename(image))) === 1;
    return candidates.find((candidate) => known.has(candidate)) ?? (isAlone ? own[0] : undefined);
  };
  const used = new Set(places.files.map(labelsOf));
  const orphans = files.filter(
    (file) => !used.has(file) && toName(root, file).split("/").slice(0, -1).includes("labels"),
  );
  return { of: labelsOf, orphans: orphans.map((file) => `label file without an image (${file})`) };
}
