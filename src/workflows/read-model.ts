/** A trained model from whatever the user names: a run folder or a bundle. */

import { stat } from "node:fs/promises";
import { join } from "node:path";
import { readBundle, readBundledModel } from "../bundle/read-bundle.js";
import { InputError } from "../core/errors.js";
import { readTrainedModel, type TrainedModel } from "../model/trained-model.js";

/**
 * Reads a trained model from a run folder (its `best/`) or from a bundle.
 *
 * @throws InputError where the path is neither, or what lies there cannot be read.
 */
export async function readModel(path: string): Promise<TrainedModel> {
  const found = await stat(path).catch(() => null);
  if (!found)
    throw new InputError(`${path}: there is no such run folder or bundle.`, { cure: "Check the path.", file: path });
  return found.isDirectory() ? readTrainedModel(join(path, "best")) : readBundledModel(await readBundle(path));
}
