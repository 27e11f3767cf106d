/**
 * Pulls weights of the catalogue into the store: downloads them, compares them with the lock file, checks them, and
 * adds their checksums to the lock file.
 */

import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { WeightsError } from "../core/errors.js";
import { parseJson } from "../core/json.js";
import { locked } from "../core/lock.js";
import type { Engine } from "../engine/engine.js";
import type { CatalogueEntry } from "./catalogue.js";
import { lockFiles } from "./download/download-lock.js";
import { type FetchedFile, type FetchOptions, fetchFiles } from "./download/fetch-files.js";
import { type Imported, importWeights } from "./import-weights.js";
import { storeFolder } from "./store.js";

/** How weights are pulled, and the engine that checks them. */
export interface PullOptions extends Omit<FetchOptions, "folder"> {
  readonly engine: Engine;
  /** Of the store. */
  readonly folder?: string;
}

/**
 * Downloads, checks and stores weights of the catalogue.
 *
 * An interrupted pull continues where it stopped. Checksums are added to the lock file only after the files were found
 * to be the entry's network.
 *
 * @throws DownloadError, ChecksumError, WeightsError, InterruptedError; the store is then unchanged.
 */
export async function pullWeights(entry: CatalogueEntry, options: PullOptions): Promise<Imported> {
  const { folder = storeFolder() } = options;
  const downloads = join(folder, ".downloads", entry.name);
  const title = `pulling ${entry.name}`;
  return locked(`${downloads}.lock`, { title, ErrorClass: WeightsError }, () =>
    pull(entry, { ...options, folder, downloads }),
  );
}

async function pull(
  { name, address, form, licence, trunk: expected }: CatalogueEntry,
  options: PullOptions & { readonly folder: string; readonly downloads: string },
): Promise<Imported> {
  const { engine, folder, downloads, lock } = options;
  const fetching = { ...options, folder: downloads };
  const [main] = await fetchFiles([address], fetching);
  const shards = form === "tfjs" ? await fetchFiles(await shardAddresses(main), fetching) : [];
  let imported: Imported;
  try {
    imported = await importWeights(main.path, {
      engine,
      name,
      folder,
      origin: address,
      licence,
      expected,
      isReplacing: true,
    });
  } catch (error) {
    // Otherwise the next pull would take the wrong files for the network.
    await rm(downloads, { recursive: true, force: true });
    throw error;
  }
  const fingerprints = [main, ...shards].map(({ address, sha256, bytes }) => [address, { sha256, bytes }] as const);
  await lockFiles(lock, new Map(fingerprints));
  await rm(downloads, { recursive: true, force: true });
  return imported;
}

/** Addresses of the shards that a model.json names, beside it, with the same query. */
async function shardAddresses({ path, address }: FetchedFile): Promise<string[]> {
  let manifest: unknown;
  try {
    manifest = (
      parseJson(await readFile(path), { where: address, error: WeightsError }) as { weightsManifest?: unknown }
    ).weightsManifest;
  } catch (cause) {
    await rm(path, { force: true });
    throw new WeightsError(`${address}: the downloaded file is not a model.json.`, {
      cure: "Try again, or another mirror.",
      cause,
    });
  }
  const groups = Array.isArray(manifest) ? manifest : [];
  const shards = groups.flatMap((group: { paths?: unknown }) => (Array.isArray(group?.paths) ? group.paths : []));
  if (shards.length === 0 || !shards.every((shard) => typeof shard === "string" && /^[\w-][\w.-]*$/.test(shard)))
    throw new WeightsError(`${address}: names no shards beside it that could be fetched.`);
  const { search } = new URL(address);
  return shards.map((shard: string) => `${new URL(shard, address).href}${search}`);
}
