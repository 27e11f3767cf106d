/** The folder of a run: that it is ours to write to, by one process at a time. */

import { lstat, readdir, rm, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError } from "../core/errors.js";
import { removeAbandoned, writeFileAtomic } from "../core/files.js";
import { locked } from "../core/lock.js";
import { holdsCheckpoint } from "./checkpoint.js";

/** Says that the files beside it were made by a training. */
const MARKER = ".aspectlens-run";
const LOCK = ".lock";
const CACHE = "cache";
/** What a training or a mapping writes, beside event files of TensorBoard, whose names hold the time. */
const WRITTEN = [
  ...["config.json", "dataset.json", "metrics.jsonl", "run.html", "mapping.json", "checkpoint", "best"],
  CACHE,
];

/**
 * Does the work while no other process trains there; what a killed one left half-written is removed first.
 *
 * @throws ConfigError where `out` is a file or holds files that no training made; InputError where another process is
 *   at it, or nothing can be written there.
 */
export async function inRunFolder<Result>(out: string, work: () => Promise<Result>): Promise<Result> {
  await checkRunFolder(out);
  const isNew = !(await isThere(out));
  try {
    return await whileLocked(out, async () => {
      await checkRunFolder(out);
      for (const folder of [out, join(out, "checkpoint"), join(out, "best")])
        await removeAbandoned(folder, { isOurs: true });
      await removeCachedFeatures(out);
      return work();
    });
  } finally {
    // A run that was refused leaves no empty folder.
    if (isNew) await rmdir(out).catch(() => {});
  }
}

/** What a killed run left, up to gigabytes: it is computed again. */
async function removeCachedFeatures(out: string): Promise<void> {
  const names: readonly string[] = await readdir(join(out, CACHE)).catch(() => []);
  for (const name of names) if (/^features-\d+\.bin$/.test(name)) await rm(join(out, CACHE, name), { force: true });
}

/** Does the work while no other process trains there. @throws ConfigError where one does. */
export function whileLocked<Result>(out: string, work: () => Promise<Result>): Promise<Result> {
  const title = `${out}: a training`;
  const cure = 'Wait for it, or choose another "out".';
  return locked(join(out, LOCK), { title, cure, ErrorClass: ConfigError }, work);
}

/** True for a folder to which a training wrote. */
export async function isRunFolder(folder: string): Promise<boolean> {
  return (await isThere(join(folder, MARKER))) || (await holdsCheckpoint(folder));
}

/** Nothing is ever written over a file that no training made. @throws ConfigError naming it. */
export async function checkRunFolder(out: string): Promise<void> {
  const found = await stat(out).catch(() => undefined);
  if (found && !found.isDirectory()) throw new ConfigError(`${out}: "out" is a file.`, { cure: "Name a folder." });
  if (!found || (await isRunFolder(out))) return;
  const names: readonly string[] = await readdir(out).catch(() => []);
  const foreign = WRITTEN.find((name) => names.includes(name));
  if (foreign === undefined) return;
  throw new ConfigError(`${join(out, foreign)}: was not made by a training, and would be overwritten.`, {
    cure: 'Choose another "out", as a folder that is not there yet.',
  });
}

/** Removes what a training made, and nothing else. @throws as `inRunFolder`. */
export async function removeRun(out: string): Promise<void> {
  if (!(await isThere(out))) return;
  await inRunFolder(out, async () => {
    const events = (await readdir(out)).filter((name) => /^events\.out\.tfevents\.\d+\.aspectlens$/.test(name));
    for (const name of [...WRITTEN, MARKER, ...events]) await rm(join(out, name), { recursive: true, force: true });
  });
}

/** From here on the folder is a run's. */
export async function markRunFolder(out: string): Promise<void> {
  await writeFileAtomic(join(out, MARKER), "aspectlens-run/1\n");
}

function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
