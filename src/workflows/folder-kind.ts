/** What an `out` folder is for: one run, the folds of a cross-validation, or a run beside runs of its heads alone. */

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError } from "../core/errors.js";
import { isOfFormat } from "../core/own-json.js";
import { isRunFolder } from "../train/run-folder.js";

export const FOLDS_FORMAT = "aspectlens-folds/1";
export const SEPARATE_FORMAT = "aspectlens-separate/1";
/** In `out`. */
export const FOLDS_FILE = "folds.json";
export const SEPARATE_FILE = "separate.json";
export const SEPARATE_FOLDER = "separate";

type FolderKind = "run" | "folds" | "separate";

const TOLD: Readonly<Record<FolderKind, { readonly what: string; readonly cure: string }>> = {
  run: { what: "a training run", cure: 'Choose another "out".' },
  folds: { what: "a cross-validation", cure: 'Go on with --folds COUNT --resume, or choose another "out".' },
  separate: {
    what: "a comparison with separate heads",
    cure: 'Go on with --compare-separate --resume, or choose another "out".',
  },
};

/** Folder of one fold, in `out`. @param number from 1. */
export function foldFolder(number: number): string {
  return `fold-${number}`;
}

/** A run may become the joint one of a comparison. @throws ConfigError where the folder is for another kind. */
export async function checkFolderKind(out: string, kind: FolderKind): Promise<void> {
  const held = await kindsIn(out);
  if (held.length === 0 || held.includes(kind) || (kind === "separate" && held.includes("run"))) return;
  const { what, cure } = TOLD[held[0]];
  throw new ConfigError(`${out}: holds ${what} already.`, { cure, file: out });
}

/** Several where they were mixed; a comparison's joint run is no run of its own. */
async function kindsIn(out: string): Promise<FolderKind[]> {
  const names: readonly string[] = await readdir(out).catch(() => []);
  const folds = names.filter((name) => /^fold-\d+$/.test(name)).map((name) => join(out, name));
  const heads: readonly string[] = await readdir(join(out, SEPARATE_FOLDER)).catch(() => []);
  const alone = heads.map((name) => join(out, SEPARATE_FOLDER, name));
  const hasFolds = (await isOfFormat(FOLDS_FORMAT)(join(out, FOLDS_FILE))) || (await someRun(folds));
  const isCompared = (await isOfFormat(SEPARATE_FORMAT)(join(out, SEPARATE_FILE))) || (await someRun(alone));
  const kinds: FolderKind[] = [];
  if (isCompared) kinds.push("separate");
  else if (await isRunFolder(out)) kinds.push("run");
  if (hasFolds) kinds.push("folds");
  return kinds;
}

async function someRun(folders: readonly string[]): Promise<boolean> {
  for (const folder of folders) if (await isRunFolder(folder)) return true;
  return false;
}
