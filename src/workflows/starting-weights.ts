/** What a training starts from: the weights of the trunk and of a teacher, wherever a configuration names them. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError } from "../core/errors.js";
import { parseJson } from "../core/json.js";
import type { NdArrays } from "../core/nd-array.js";
import { isSameSize, type Size, sizeText } from "../core/size.js";
import { type RawConfig, type TrainConfig, weightsOf } from "../train/config.js";
import type { TrainOptions } from "../train/train-stages.js";
import { createTrunk } from "../trunk/create-trunk.js";
import { foldBatchNorm } from "../trunk/fold-batch-norm.js";
import { inspectWeights } from "../trunk/formats/inspect-weights.js";
import { loadWeights } from "../trunk/formats/load-weights.js";
import { readWeights } from "../trunk/formats/read-weights.js";
import type { WeightsFile } from "../trunk/formats/weights-file.js";
import { randomWeights } from "../trunk/random-weights.js";
import type { Trunk } from "../trunk/trunk.js";
import type { TrunkSpec } from "../trunk/trunk-spec.js";
import { locateWeights } from "../weights/store.js";

/** Weights that a configuration names. */
export interface StartingWeights {
  /** What they are for; absent for random ones. */
  readonly known?: Pick<TrunkSpec, "name" | "alpha" | "convention"> & { readonly inputSize?: Size };
  /** Absent for random ones, and for a run that goes on from its own checkpoint though they are gone. */
  readonly file?: WeightsFile;
}

/** @throws WeightsError where a configuration names weights that are not here, or cannot be read. */
export async function findStartingWeights(
  raw: RawConfig,
  { isResumed = false }: { isResumed?: boolean },
): Promise<StartingWeights> {
  const weights = weightsOf(raw);
  if (weights === "random") return {};
  let path: string;
  try {
    path = await locateWeights(weights);
  } catch (error) {
    const known = isResumed ? await trunkOfRun(raw.out) : undefined;
    if (!known) throw error;
    return { known };
  }
  const file = await readWeights(path);
  return { known: await inspectWeights(file), file };
}

/** The trunk of a run that was begun; its checkpoint holds all weights. */
async function trunkOfRun(out: string): Promise<TrunkSpec | undefined> {
  const path = join(out, "config.json");
  const bytes = await readFile(path).catch(() => undefined);
  return bytes && (parseJson(bytes, { where: path, error: ConfigError }) as TrainConfig).trunk;
}

/** @returns parameters of the whole trunk, and a note on layers that the file does not have. */
export async function startingParameters(
  trunk: Trunk,
  { file }: StartingWeights,
  { seed }: { seed: number },
): Promise<{ parameters: NdArrays; notes: readonly string[] }> {
  if (!file) return { parameters: randomWeights(trunk, { seed }), notes: [] };
  const { parameters, randomLayers } = await loadWeights(trunk, file, { missing: "random", seed });
  const notes = randomLayers.length === 0 ? [] : [`the weights end early; drawn at random: ${randomLayers.join(", ")}`];
  return { parameters, notes };
}

/** @throws ConfigError where its features and the pupil's differ in size, or no stage uses it. */
export async function readTeacher(
  { weights, weight }: NonNullable<TrainConfig["teacher"]>,
  { pupil, stages }: { pupil: Trunk; stages: TrainConfig["stages"] },
): Promise<NonNullable<TrainOptions["teacher"]>> {
  if (!stages.some((stage) => stage.train === "all"))
    throw new ConfigError('teacher: only stages that train "all" use it, and there is none.', {
      cure: "Leave it out.",
    });
  const file = await readWeights(await locateWeights(weights));
  const { name, alpha, convention } = await inspectWeights(file);
  const trunk = createTrunk({ name, alpha, inputSize: pupil.spec.inputSize, convention });
  const [own, taught] = [trunk, pupil].map(({ taps }) => taps[taps.length - 1].size);
  if (!isSameSize(own, taught))
    throw new ConfigError(`teacher: its last features are ${sizeText(own)}, those of the trunk ${sizeText(taught)}.`, {
      cure: "Set trunk.inputSize to a multiple of 32.",
    });
  const { parameters } = await loadWeights(trunk, file);
  return { trunk, weight, parameters: foldBatchNorm(trunk, parameters) };
}
