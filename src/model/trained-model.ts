/** A trained model as it rests on disk between training, export and explanation: plain data and named numbers. */

import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Absences } from "../core/absences.js";
import { InputError, inFile } from "../core/errors.js";
import { exists, isFolder, writeFileAtomic, writeJson } from "../core/files.js";
import { parseJson } from "../core/json.js";
import type { NdArrays } from "../core/nd-array.js";
import type { RelevanceScales } from "../core/relevance-scale.js";
import { decodeSafetensors, encodeSafetensors } from "../core/safetensors.js";
import type { ModelSpec } from "./model-spec.js";

/** Where a model comes from; free of paths and names of persons. */
export interface Provenance {
  readonly dataset: {
    readonly name: string;
    readonly hash: string;
    readonly contentHash?: string;
    readonly counts: Readonly<Record<string, number>>;
  };
  readonly seed: number;
  readonly epochs: number;
  /** What the trunk started from, as the configuration names it. */
  readonly weights: string;
  /** By split, `aspectlens-metrics/1` of the validation split, and of others where they were evaluated. */
  readonly metrics: Readonly<Record<string, unknown>>;
  /** Heads that cannot tell their answer from nothing, or have learned nothing; said again wherever they are used. */
  readonly warnings: readonly string[];
  /** Of each head that sees nothing (untrained, or as good as a constant answer), a sentence; also among the warnings. */
  readonly unseen?: Readonly<Record<string, string>>;
}

/** `aspectlens-metrics/1`: what each head achieved on a split. */
export interface SplitMetrics {
  readonly format: "aspectlens-metrics/1";
  readonly split: string;
  /** Numbers by head. */
  readonly heads: Readonly<Record<string, object>>;
}

/**
 * The metrics that a model carries, one for each split that was evaluated; training makes those of the validation
 * split.
 */
export function metricsOf({ metrics }: Provenance): readonly SplitMetrics[] {
  const isMetrics = (value: unknown): value is SplitMetrics =>
    isObject(value) && typeof value.split === "string" && isObject(value.heads);
  // Earlier runs hold those of the validation split alone.
  return [metrics, ...Object.values(metrics)].filter(isMetrics);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A trained model with all that an explanation needs: what a run folder holds in `best/`, and a bundle. */
export interface TrainedModel {
  readonly spec: ModelSpec;
  /** Batch normalisation folded: a kernel and a bias for each trunk layer, and the parameters of the heads. */
  readonly parameters: NdArrays;
  /** By layer: `[classes + 1, channels]`, row k for the target class k, the last row over all images. */
  readonly references: NdArrays;
  /** What scores mean, at the heads' own layers. */
  readonly scales: RelevanceScales;
  /** Which answers need that an aspect is absent. */
  readonly absences: Absences;
  readonly provenance: Provenance;
}

type Description = Omit<TrainedModel, "parameters" | "references">;

const FORMAT = "aspectlens-model/2";
/** Of an earlier version, whose thresholds meant another number: such a model is read as not calibrated. */
const EARLIER = "aspectlens-model/1";

/**
 * Writes `model.json`, `parameters.safetensors` and `references.safetensors`; `model.json` last, so that it vouches for
 * the others.
 */
export async function writeTrainedModel(folder: string, model: TrainedModel): Promise<void> {
  const { parameters, references, ...description } = model;
  await writeFileAtomic(join(folder, "parameters.safetensors"), encodeSafetensors(parameters));
  await writeFileAtomic(join(folder, "references.safetensors"), encodeSafetensors(references));
  await writeJson(join(folder, "model.json"), { format: FORMAT, ...description });
}

/** Adds what was evaluated to a model that is written, in place of what it had of that split. */
export async function recordMetrics(folder: string, metrics: SplitMetrics): Promise<void> {
  const { parameters: _, references: __, ...description } = await readTrainedModel(folder);
  const others = metricsOf(description.provenance).filter(({ split }) => split !== metrics.split);
  const all = Object.fromEntries([...others, metrics].map((one) => [one.split, one]));
  const provenance = { ...description.provenance, metrics: all };
  await writeJson(join(folder, "model.json"), { format: FORMAT, ...description, provenance });
}

/**
 * Reads what `writeTrainedModel` wrote, such as `best/` of a run folder.
 *
 * @throws InputError where a file is absent or of another format.
 */
export async function readTrainedModel(folder: string): Promise<TrainedModel> {
  await checkRun(folder);
  const {
    format,
    threshold: _,
    ...description
  } = await readPart(folder, "model.json", (bytes, where) => {
    const cure = "Train again, or copy the run again.";
    return parseJson(bytes, { where, error: InputError, cure }) as Omit<Description, "scales" | "absences"> & {
      readonly format: string;
      readonly scales?: RelevanceScales;
      readonly absences?: Absences;
      /** Of the earlier version. */
      readonly threshold?: unknown;
    };
  });
  if (format !== FORMAT && format !== EARLIER) {
    const file = join(folder, "model.json");
    throw new InputError(`${file}: format "${format}", expected "${FORMAT}".`, {
      cure: "Train again with this version.",
      file,
    });
  }
  return {
    ...description,
    scales: description.scales ?? {},
    absences: description.absences ?? {},
    parameters: await readPart(folder, "parameters.safetensors", decodeSafetensors),
    references: await readPart(folder, "references.safetensors", decodeSafetensors),
  };
}

/** @throws InputError where the folder, or the run that it belongs to, is not there. */
async function checkRun(folder: string): Promise<void> {
  if (await isFolder(folder)) return;
  const run = dirname(folder);
  if (!(await isFolder(run)))
    throw new InputError(`${run}: there is no such run folder.`, { cure: "Check the path.", file: run });
  if (await exists(join(run, "config.json"))) return;
  throw new InputError(`${run}: is not a run folder.`, {
    cure: 'Name the folder that a training wrote, its "out".',
    file: run,
  });
}

async function readPart<Part>(
  folder: string,
  name: string,
  parse: (bytes: Uint8Array, where: string) => Part,
): Promise<Part> {
  const file = join(folder, name);
  const bytes = await readFile(file).catch((cause: unknown) => {
    const cure = "Finish the training first: aspectlens train CONFIG.json --resume.";
    throw new InputError(`${file}: cannot be read.`, { cure, file, cause });
  });
  return inFile({ file }, () => parse(bytes, file));
}
