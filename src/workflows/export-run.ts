/** From a run folder to a bundle. */

import { readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { exportBundle } from "../bundle/export-bundle.js";
import { ConfigError, InputError } from "../core/errors.js";
import { parseJson } from "../core/json.js";
import { readWhole } from "../core/read-whole.js";
import { batches } from "../dataset/batches.js";
import { openDataset, splitSize } from "../dataset/dataset.js";
import { SPLITS } from "../dataset/record.js";
import { imageSizes } from "../model/model-spec.js";
import { readTrainedModel, type TrainedModel } from "../model/trained-model.js";

/** What `exportRun` adds, and when it stops. */
export interface ExportRunOptions {
  /** File with the text of the model's licence. */
  readonly licence?: string;
  /** Told which heads see nothing, and where the run's dataset has gone, so that the goldens hold none of its images. */
  readonly onNotice?: (line: string) => void;
  readonly signal?: AbortSignal;
}

export const BUNDLE_ENDING = ".aspect";

/** @throws InputError where a bundle cannot be called so. */
export function checkBundleName(out: string): void {
  if (out.endsWith(BUNDLE_ENDING)) return;
  throw new InputError(`${out}: a bundle's name ends in ${BUNDLE_ENDING}.`, {
    cure: `Call it ${out}${BUNDLE_ENDING}.`,
    file: out,
  });
}

/** Real images among the goldens, beside a drawn one and noise. */
const GOLDEN_IMAGES = 2;
const MOST_LICENCE_BYTES = 1_000_000;

/**
 * Writes the best model of a run as a bundle, whole or not at all.
 *
 * @param run its folder.
 * @param out path of the bundle; its name ends in `.aspect`.
 * @returns the size of the bundle in bytes.
 * @throws InputError where the name ends otherwise, there is no finished run, or the licence cannot be read.
 */
export async function exportRun(
  run: string,
  out: string,
  { licence, onNotice, signal }: ExportRunOptions = {},
): Promise<number> {
  checkBundleName(out);
  const trained = await readTrainedModel(join(run, "best"));
  for (const sentence of Object.values(trained.provenance.unseen ?? {})) onNotice?.(sentence);
  await exportBundle(trained, out, {
    signal,
    name: basename(out, BUNDLE_ENDING),
    samples: await goldenSamples(run, trained, onNotice),
    ...(licence === undefined ? {} : { licence: await readLicence(licence) }),
  });
  return (await stat(out)).size;
}

/** Images of the run's own dataset, tests first; none where it has gone. */
async function goldenSamples(
  run: string,
  { spec }: TrainedModel,
  onNotice?: (line: string) => void,
): Promise<Uint8Array[]> {
  try {
    const file = join(run, "config.json");
    const config = parseJson(await readFile(file), { where: file, error: ConfigError }) as { dataset?: string };
    // An imported network has none.
    if (config.dataset === undefined) return [];
    const dataset = await openDataset(config.dataset);
    const split = [...SPLITS].reverse().find((name) => splitSize(dataset, name) > 0);
    if (!split) return [];
    for await (const samples of batches(dataset, {
      split,
      batchSize: GOLDEN_IMAGES,
      ...imageSizes(spec),
    })) {
      return samples.map((sample) => sample.image);
    }
  } catch (error) {
    onNotice?.(`goldens without images of the dataset (${(error as Error).message})`);
  }
  return [];
}

async function readLicence(path: string): Promise<string> {
  const bytes = await readWhole(path, { name: `${path} (the licence)`, limit: MOST_LICENCE_BYTES });
  return Buffer.from(bytes).toString("utf8");
}
