/** What a run folder tells without its parameters: configuration, dataset, epochs, and the metrics of its model. */

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { EpochRecord } from "../core/epoch-record.js";
import { InputError, inFile } from "../core/errors.js";
import { isFolder } from "../core/files.js";
import { parseJson } from "../core/json.js";
import { metricsOf, type Provenance, type SplitMetrics } from "../model/trained-model.js";
import { isRunFolder } from "./run-folder.js";

/** A run as its folder has it. */
export interface RunRecord {
  readonly folder: string;
  /** With every default. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly dataset: { readonly name: string; readonly hash: string };
  readonly history: readonly EpochRecord[];
  /** The epoch of the highest score; the last of several. `undefined` where none was evaluated. */
  readonly best?: EpochRecord;
  /** Whether there is a model that can be exported. */
  readonly isFinished: boolean;
  /** Of the model, by split; of a run without a model those of the best epoch. */
  readonly metrics: readonly SplitMetrics[];
}

/** Folders below the one that is asked for. */
const DEEPEST = 3;

/** @throws InputError where the folder is no run's, or one of its files cannot be read. */
export async function readRun(folder: string): Promise<RunRecord> {
  if (!(await isFolder(folder)))
    throw new InputError(`${folder}: there is no such run folder.`, { cure: "Check the path.", file: folder });
  if (!(await isRunFolder(folder)))
    throw new InputError(`${folder}: is not a run folder.`, {
      cure: 'Name the folder that a training wrote, its "out"; aspectlens runs list FOLDER finds them.',
      file: folder,
    });
  const config = (await readObject(join(folder, "config.json"))) ?? {};
  const dataset = await readObject(join(folder, "dataset.json"));
  const history = await readHistory(join(folder, "metrics.jsonl"));
  const model = await readObject(join(folder, "best", "model.json"));
  const scored = history.filter(({ score }) => score !== null);
  const best = scored.reduce<EpochRecord | undefined>(
    (most, one) => (most && (most.score ?? 0) > (one.score ?? 0) ? most : one),
    undefined,
  );
  const provenance = model?.provenance as Provenance | undefined;
  const own = provenance ? metricsOf(provenance) : [];
  const heads = best?.validation as SplitMetrics["heads"] | undefined;
  const soFar: SplitMetrics[] = heads ? [{ format: "aspectlens-metrics/1", split: "validation", heads }] : [];
  return {
    ...{ folder, config, history, best, isFinished: model !== undefined },
    // What was imported or mapped has no dataset of its own; its model says where the classifier comes from.
    dataset: {
      name: String(dataset?.name ?? provenance?.dataset.name ?? ""),
      hash: String(dataset?.hash ?? provenance?.dataset.hash ?? ""),
    },
    metrics: own.length > 0 ? own : soFar,
  };
}

/**
 * Run folders in a folder and those below it, three deep; the folder itself, if it is one.
 *
 * @throws InputError where there is no such folder, or it holds no run.
 */
export async function findRuns(folder: string): Promise<string[]> {
  if (!(await isFolder(folder)))
    throw new InputError(`${folder}: there is no such folder.`, { cure: "Name the folder that holds the runs." });
  const found = await runsBelow(folder, DEEPEST);
  if (found.length > 0) return found;
  throw new InputError(`${folder}: holds no run.`, { cure: "Name the folder that holds the runs, or train one." });
}

async function runsBelow(folder: string, depth: number): Promise<string[]> {
  const own = (await isRunFolder(folder)) ? [folder] : [];
  if (depth === 0) return own;
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => entry.isDirectory() && !/^\.|^node_modules$/.test(entry.name));
  const runs = own;
  for (const { name } of names.sort((a, b) => a.name.localeCompare(b.name)))
    runs.push(...(await runsBelow(join(folder, name), depth - 1)));
  return runs;
}

/** A JSON object; `undefined` where there is no such file. @throws InputError where it is none. */
export async function readObject(file: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const bytes = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return undefined;
    throw new InputError(`${file}: cannot be read (${cause.message}).`, { cause, file });
  });
  if (!bytes) return undefined;
  const value = inFile({ file }, () => parseJson(bytes, { where: file, file, error: InputError }));
  if (typeof value === "object" && value !== null) return value as Readonly<Record<string, unknown>>;
  throw new InputError(`${file}: holds no object.`, { cure: "Train again with --resume to write it anew.", file });
}

/** Empty where no epoch is complete. */
async function readHistory(file: string): Promise<EpochRecord[]> {
  const text = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return "";
    throw new InputError(`${file}: cannot be read (${cause.message}).`, { cause, file });
  });
  return text.split("\n").flatMap((line, index) => {
    if (line === "") return [];
    const where = `${file}:${index + 1}`;
    const cure = "The next epoch of --resume writes it anew.";
    const record = inFile({ file, line: index + 1 }, () =>
      parseJson(Buffer.from(line), { where, cure, error: InputError }),
    );
    return [record as EpochRecord];
  });
}
