/** Which images a report is about: those of a dataset with what is known of them, of a folder, or of a list. */

import { stat } from "node:fs/promises";
import { basename, join, relative, resolve } from "node:path";
import { DatasetError, InputError } from "../core/errors.js";
import { exists } from "../core/files.js";
import { openDataset, records } from "../dataset/dataset.js";
import { findImages } from "../dataset/find-images.js";
import type { Groups } from "../dataset/groups.js";
import { IMAGE_ENDINGS } from "../dataset/image-format.js";
import { readLines } from "../dataset/lines.js";
import { MANIFEST_FILE } from "../dataset/manifest.js";

/** One image as the plan names it; what is not known is absent. */
export interface PlannedImage {
  /** Relative to the plan's root, or absolute. */
  readonly path: string;
  readonly split?: string;
  readonly label?: string;
  readonly labels?: readonly string[];
  readonly value?: number;
  readonly groups?: Groups;
}

/** Where the images of a report are from. */
export interface ImageSet {
  readonly kind: "dataset" | "folder" | "list";
  readonly name: string;
  /** Of a dataset: of its manifest and samples file. */
  readonly hash?: string;
  /** Absolute path that the images' own start from. */
  readonly root: string;
  /** Whether images may be links that lead out of the root. */
  readonly allowLinks: boolean;
  images(): AsyncGenerator<PlannedImage>;
}

/**
 * @param source a folder with `dataset.json`, another folder, a text file with one path a line, or the paths.
 * @throws InputError where it is none of these, or names no images; DatasetError as `openDataset`.
 */
export async function imageSet(source: string | readonly string[]): Promise<ImageSet> {
  if (typeof source !== "string") return listed(source, "list");
  const found = await stat(source).catch(() => undefined);
  if (!found)
    throw new InputError(`${source}: is not there.`, {
      cure: "Name a dataset, a folder of images, or a text file with one path a line.",
      file: source,
    });
  if (!found.isDirectory()) return listed(await readList(source), basename(source));
  if (await exists(join(source, MANIFEST_FILE))) return ofDataset(source);
  const { images } = await findImages([source]);
  if (images.length === 0)
    throw new InputError(`${source}: is a folder without images (${IMAGE_ENDINGS.join(", ")}).`, {
      cure: "Check the path.",
      file: source,
    });
  const root = resolve(source);
  return {
    ...{ kind: "folder", name: basename(root), root, allowLinks: true },
    async *images() {
      for (const path of images) yield { path: relative(root, resolve(path)) };
    },
  };
}

async function ofDataset(directory: string): Promise<ImageSet> {
  const dataset = await openDataset(directory);
  const { manifest, hash } = dataset;
  const { name, allowLinks = false } = manifest;
  return {
    ...{ kind: "dataset", name, hash, root: resolve(directory), allowLinks },
    async *images() {
      for await (const { image, split, target, groups } of records(dataset)) {
        yield { path: image, split, ...target, ...(groups && { groups }) };
      }
    },
  };
}

function listed(paths: readonly string[], name: string): ImageSet {
  return {
    ...{ kind: "list", name, root: process.cwd(), allowLinks: true },
    async *images() {
      for (const path of new Set(paths)) yield { path };
    },
  };
}

async function readList(file: string): Promise<string[]> {
  const ending = /\.([^./\\]+)$/.exec(file)?.[1]?.toLowerCase();
  if (ending !== undefined && IMAGE_ENDINGS.includes(ending as (typeof IMAGE_ENDINGS)[number]))
    throw new InputError(`${file}: is an image, not a list of them.`, {
      cure: 'Explain it: "aspectlens explain"; a report is about many.',
      file,
    });
  const paths: string[] = [];
  try {
    for await (const { bytes } of readLines(file)) {
      const path = Buffer.from(bytes).toString("utf8").trim();
      if (path.includes("\0") || path.includes("\ufffd")) throw new DatasetError("no text");
      paths.push(path);
    }
  } catch (cause) {
    if (!(cause instanceof DatasetError)) throw cause;
    throw new InputError(`${file}: is no list of paths.`, {
      ...{ cure: "Give a text file (UTF-8) with one path a line.", cause, file },
    });
  }
  if (paths.length === 0)
    throw new InputError(`${file}: names no images.`, { cure: "Put one path on each line.", file });
  return paths;
}
