/** Our own file of trunk weights: `trunk.safetensors`, which says itself which trunk it is for. */

import { WeightsError } from "../../core/errors.js";
import { writeFileAtomic } from "../../core/files.js";
import type { NdArrays } from "../../core/nd-array.js";
import { encodeSafetensors, readSafetensors } from "../../core/safetensors.js";
import { sideOf } from "../../core/size.js";
import { architectureOf } from "../architecture-of.js";
import type { TrunkSpec } from "../trunk-spec.js";
import { readInputFile } from "./input-file.js";
import type { WeightsFile } from "./weights-file.js";

/** Name of the file in a folder of weights. */
export const TRUNK_FILE = "trunk.safetensors";

const FORMAT = "aspectlens-trunk/1";

/** What is known about weights beside their numbers. */
export interface TrunkMetadata {
  /** The trunk and the input size it was trained at. */
  readonly trunk: TrunkSpec;
  /** Where they come from: an address, a file name, or the data they were trained on. */
  readonly origin: string;
  readonly licence: string;
}

/**
 * Writes parameters under this package's names, batch normalisation kept or folded. `isHalf` stores kernels in half
 * precision: half the size, rounded to about a thousandth. Vectors stay float32, since a variance can be too small for
 * half precision.
 */
export async function writeTrunkFile(
  path: string,
  { parameters, metadata, isHalf = false }: { parameters: NdArrays; metadata: TrunkMetadata; isHalf?: boolean },
): Promise<void> {
  const { trunk, origin, licence } = metadata;
  const bytes = encodeSafetensors(parameters, {
    metadata: { format: FORMAT, trunk: JSON.stringify(trunk), origin, licence },
    isHalf: (name) => isHalf && name.endsWith("/kernel"),
  });
  await writeFileAtomic(path, bytes);
}

/**
 * Reads what `writeTrunkFile` wrote: parameters under our names, and what the file says of itself.
 *
 * @throws WeightsError where the file is cut off, not one of ours, or holds numbers that are none.
 */
export async function readTrunkFile(path: string): Promise<WeightsFile & TrunkMetadata> {
  const bytes = await readInputFile(path, "Give a trunk.safetensors.");
  const { metadata, arrays: weights } = readArrays(bytes, path);
  const { format, origin, licence } = metadata;
  const trunk = format === FORMAT ? parseTrunk(metadata.trunk) : undefined;
  if (!trunk || typeof origin !== "string" || typeof licence !== "string")
    throw new WeightsError(`${path}: safetensors, but no trunk of ours.`, {
      cure: "Import the weights from their original file.",
    });
  const odd = Object.entries(weights).find(([, { data }]) => !data.every(Number.isFinite));
  if (odd)
    throw new WeightsError(`${path}: ${odd[0]} holds numbers that are not finite.`, { cure: "Fetch the file again." });
  const { inputSize, convention } = trunk;
  // Imported networks are kept elsewhere; trunks of our own see squares.
  return { path, weights, topology: undefined, inputSize: sideOf(inputSize), convention, trunk, origin, licence };
}

function readArrays(bytes: Uint8Array, path: string) {
  try {
    return readSafetensors(bytes, path);
  } catch (cause) {
    throw new WeightsError((cause as Error).message, { cause });
  }
}

function parseTrunk(text: unknown): TrunkSpec | undefined {
  try {
    const trunk: TrunkSpec = JSON.parse(String(text));
    architectureOf(trunk);
    return trunk.convention === undefined || trunk.convention === "torchvision" ? trunk : undefined;
  } catch {
    return undefined; // said by the caller, with the file's name
  }
}
