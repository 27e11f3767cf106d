/** Checkpoints: every array by name and where the training stands, in one file that is replaced as a whole. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { EpochRecord } from "../core/epoch-record.js";
import { InputError } from "../core/errors.js";
import { writeFileAtomic } from "../core/files.js";
import { parseJson } from "../core/json.js";
import type { NdArrays } from "../core/nd-array.js";
import { decodeSafetensors, encodeSafetensors, readSafetensors, safetensorsMetadata } from "../core/safetensors.js";
import type { FileFacts } from "../dataset/inventory.js";

/** Where the training stands; with the arrays, all that is needed to go on exactly. */
export interface Cursor {
  readonly stage: number;
  /** Epochs of this stage that are complete. */
  readonly epoch: number;
  /** Batches of the current epoch that are complete, and the sums of their losses. */
  readonly batch: number;
  readonly lossSums: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly history: readonly EpochRecord[];
  readonly best: { readonly score: number | null; readonly stage: number; readonly epoch: number } | null;
  /** Hash of the configuration and the dataset: a resumed run must be the same one. */
  readonly fingerprint: string;
}

const CHECKPOINT = join("checkpoint", "state.safetensors");
const FILE_LIST = join("checkpoint", "files.jsonl");
const BEST = join("best", "state.safetensors");

/** Writes parameters, moments and cursor; an interruption leaves the former checkpoint whole. */
export async function writeCheckpoint(out: string, arrays: NdArrays, cursor: Cursor): Promise<void> {
  const bytes = encodeSafetensors(arrays, { metadata: { cursor: JSON.stringify(cursor) } });
  await writeFileAtomic(join(out, CHECKPOINT), bytes);
}

/** The last checkpoint, or `null` where there is none. @throws InputError where it cannot be read. */
export async function readCheckpoint(out: string): Promise<{ arrays: NdArrays; cursor: Cursor } | null> {
  const path = join(out, CHECKPOINT);
  const bytes = await readIfThere(path);
  if (!bytes) return null;
  const { metadata, arrays } = readSafetensors(bytes, path);
  const { cursor } = metadata;
  if (cursor === undefined)
    throw new InputError(`${path}: holds no cursor.`, { cure: `Remove ${out} and train again.` });
  const read = parseJson(Buffer.from(cursor), {
    where: path,
    cure: `Remove ${out} and train again.`,
    error: InputError,
  });
  return { arrays, cursor: read as Cursor };
}

/** True where a training has saved its state. */
export async function holdsCheckpoint(out: string): Promise<boolean> {
  try {
    const bytes = await readIfThere(join(out, CHECKPOINT));
    return bytes !== null && safetensorsMetadata(bytes, out).cursor !== undefined;
  } catch {
    return false;
  }
}

/** Whether a folder holds a network that was imported, or a model that was mapped, and no training. */
export async function holdsUntrained(out: string): Promise<"imported" | "mapped" | undefined> {
  const bytes = await readIfThere(join(out, "config.json")).catch(() => null);
  try {
    const config = bytes === null ? {} : JSON.parse(Buffer.from(bytes).toString("utf8"));
    return (["imported", "mapped"] as const).find((key) => Object.hasOwn(config, key));
  } catch {
    return undefined;
  }
}

/** Where a training would begin in the folder of another. */
export function runIsThere(out: string): InputError {
  return new InputError(`${out}: holds a training run already.`, {
    cure: 'Go on with --resume, or choose another "out".',
    file: out,
  });
}

/** The dataset's files as they were when the run began, a line each. */
export function writeFileList(out: string, files: readonly FileFacts[]): Promise<void> {
  return writeFileAtomic(join(out, FILE_LIST), files.map((facts) => `${JSON.stringify(facts)}\n`).join(""));
}

/** The same read again, or `null` where there is none. @throws InputError where it cannot be read. */
export async function readFileList(out: string): Promise<FileFacts[] | null> {
  const path = join(out, FILE_LIST);
  const bytes = await readIfThere(path);
  if (!bytes) return null;
  try {
    const lines = Buffer.from(bytes).toString("utf8").split("\n");
    return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as FileFacts);
  } catch (cause) {
    throw new InputError(`${path}: is damaged.`, { cure: "Remove it to go on without a look at what changed.", cause });
  }
}

/** `metrics.jsonl`, a line an epoch, replaced as a whole. */
export function writeHistory(out: string, history: readonly EpochRecord[]): Promise<void> {
  return writeFileAtomic(join(out, "metrics.jsonl"), history.map((record) => `${JSON.stringify(record)}\n`).join(""));
}

/** Keeps the parameters with the best score so far. */
export function writeBest(out: string, parameters: NdArrays): Promise<void> {
  return writeFileAtomic(join(out, BEST), encodeSafetensors(parameters));
}

/** @throws InputError where no epoch was completed yet. */
export async function readBest(out: string): Promise<NdArrays> {
  const path = join(out, BEST);
  const bytes = await readIfThere(path);
  if (!bytes) throw new InputError(`${path}: is absent.`, { cure: "Train first: aspectlens train CONFIG.json." });
  return decodeSafetensors(bytes, path);
}

async function readIfThere(path: string): Promise<Uint8Array | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new InputError(`${path}: cannot be read (${(error as Error).message}).`, { cause: error });
  }
}
