/** Our own file of trunk weights: `trunk.safetensors`, which says itself which trunk it is for. */

import { readFile } from "node:fs/promises";
import { WeightsError } from "../../core/errors.js";
import { writeFileAtomic } from "../../core/files.js";
import type { NdArrays } from "../../core/nd-array.js";
import { decodeSafetensors, encodeSafetensors, safetensorsMetadata } from "../../core/safetensors.js";
import type { TrunkSpec } from "../trunk.js";
import type { WeightsFile } from "./read-weights.js";

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
 * @param parameters under our names, batch normalisation kept or folded.
 * @param options.isHalf kernels in half precision: half the size, and a thousandth of rounding. Vectors stay float32, as
 *   variances can be smaller than half precision knows.
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

/** @throws WeightsError where the file is cut off, or not one of ours. */
export async function readTrunkFile(path: string): Promise<WeightsFile & TrunkMetadata> {
  const bytes = await readFile(path);
  try {
    const metadata = safetensorsMetadata(bytes, path);
    if (metadata.format === FORMAT) {
      const trunk = JSON.parse(metadata.trunk) as TrunkSpec;
      const { origin, licence } = metadata;
      const { inputSize, convention } = trunk;
      const weights = decodeSafetensors(bytes, path);
      return { path, weights, topology: undefined, inputSize, convention, trunk, origin, licence };
    }
  } catch (cause) {
    throw new WeightsError(`${path}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
  throw new WeightsError(`${path}: safetensors, but not a trunk of ours. Import the weights from their original file.`);
}
