/** Where the examples' third-party archives lie, and how one is unpacked; none of it ever enters the project. */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SHARED = fileURLToPath(new URL("../../../shared/data/", import.meta.url));

/**
 * Says why and ends the process with 0 where the shared data are not there: an example is no test.
 *
 * @param {readonly string[]} names of archives, without `.tar.gz`.
 */
export function requireArchives(names) {
  if (!existsSync(SHARED)) {
    console.log("skipped: ../shared/data is absent");
    process.exit(0);
  }
  for (const name of names) {
    if (existsSync(archivePath(name))) continue;
    console.log(`skipped: ../shared/data/${name}.tar.gz is absent`);
    process.exit(0);
  }
}

/**
 * Unpacks archives into a temporary folder, hands it to `use`, and removes it, also where `use` throws.
 *
 * @template T
 * @param {readonly string[]} names of archives, without `.tar.gz`.
 * @param {(folder: string) => Promise<T>} use
 * @returns {Promise<T>}
 */
export async function withArchives(names, use) {
  const folder = await mkdtemp(join(tmpdir(), "aspectlens-example-"));
  try {
    for (const name of names) extract(name, { into: folder });
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Puts one pre-trained trunk into `<root>/weights/<name>`, where the configurations look for it.
 *
 * @param {string} name a folder of `weights_mobilenet_tfjs.tar.gz`.
 * @param {{ root: string }} options
 */
export async function unpackWeights(name, { root }) {
  const folder = await mkdtemp(join(tmpdir(), "aspectlens-example-"));
  try {
    extract("weights_mobilenet_tfjs", { into: folder, members: [`weights/${name}`] });
    await cp(join(folder, "weights", name), join(root, "weights", name), { recursive: true });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @param {string} name */
export function archivePath(name) {
  return join(SHARED, `${name}.tar.gz`);
}

/**
 * @param {string} name
 * @param {{ into: string, members?: readonly string[] }} options
 */
export function extract(name, { into, members = [] }) {
  // Every system that Node 20 runs on has a `tar` of its own that reads gzip.
  const { status, stderr, error } = spawnSync("tar", ["-xzf", archivePath(name), "-C", into, ...members], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${archivePath(name)}: tar failed: ${error?.message ?? stderr.trim()}`);
}
