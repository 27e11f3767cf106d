/** The size at which a training would see the images of a dataset, before there is a configuration. */

import { InputError } from "../core/errors.js";
import { openDataset } from "../dataset/dataset.js";
import { takeFingerprint } from "../dataset/fingerprint.js";
import { BUILTIN_INPUT_SIZE } from "../train/config.js";
import { suitedInputSize } from "../train/suit.js";

/** @returns pixels; that of the built-in weights where the dataset has faults, which have to be mended first. */
export async function defaultInputSize(directory: string): Promise<number> {
  try {
    const { fingerprint } = await takeFingerprint(await openDataset(directory));
    return suitedInputSize(fingerprint, { least: BUILTIN_INPUT_SIZE }).value;
  } catch (error) {
    if (error instanceof InputError) return BUILTIN_INPUT_SIZE;
    throw error;
  }
}
