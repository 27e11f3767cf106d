/** The run folder of a model that was joined by a mapping. */

import { join } from "node:path";
import { ConfigError } from "../core/errors.js";
import { exists, makeFolder, writeFileAtomic, writeJson } from "../core/files.js";
import { writeTrainedModel } from "../model/trained-model.js";
import { holdsCheckpoint } from "../train/checkpoint.js";
import { checkRunFolder, inRunFolder, isRunFolder, markRunFolder } from "../train/run-folder.js";
import type { MappedModel } from "./map-networks.js";

/** What was asked for; kept in `config.json`, free of paths. */
export interface MappingRequest {
  readonly classifier: string;
  readonly aspects: string;
  readonly network: string;
  readonly [option: string]: unknown;
}

/** @throws ConfigError where the folder holds a run, or files that no run of ours made. */
export async function checkMappedRun(out: string): Promise<void> {
  await checkRunFolder(out);
  const isTaken = (await holdsCheckpoint(out)) || (await exists(join(out, "best", "model.json")));
  if (isTaken && (await isRunFolder(out)))
    throw new ConfigError(`${out}: holds a run already.`, { cure: "Choose another --out.", file: out });
}

/**
 * Writes `config.json`, `mapping.json`, `best/`, and a picture of the examples as `mapping.jpg`, where one is given.
 *
 * @throws as `checkMappedRun`.
 */
export async function writeMappedRun(
  out: string,
  { trained, kind, tried }: MappedModel,
  request: MappingRequest,
  { picture }: { readonly picture?: Uint8Array } = {},
): Promise<void> {
  await inRunFolder(out, async () => {
    // Another command may have come first.
    await checkMappedRun(out);
    await markRunFolder(out);
    await makeFolder(join(out, "best"));
    await writeJson(join(out, "config.json"), { mapped: request });
    const { network } = request;
    await writeJson(join(out, "mapping.json"), { format: "aspectlens-mapping/1", network, kind, pairs: tried });
    if (picture) await writeFileAtomic(join(out, "mapping.jpg"), picture);
    await writeTrainedModel(join(out, "best"), trained);
  });
}
