/** How a set is derived from one that was made before: its files are copied, its samples changed. */

import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** @typedef {import("../../../examples/support/dataset.js").SampleRecord} Sample */
/** @typedef {import("../../../examples/support/dataset.js").Manifest} Manifest */

/**
 * @param {string} source folder of a dataset.
 * @param {string} folder created; what lies there is written over.
 * @param {(samples: readonly Sample[], manifest: Manifest) => { samples: readonly Sample[], manifest?: Partial<Manifest> }}
 *   change what becomes of them.
 */
export async function derive(source, folder, change) {
  const manifest = JSON.parse(await readFile(join(source, "dataset.json"), "utf8"));
  const list = manifest.samples ?? "samples.jsonl";
  const text = await readFile(join(source, list), "utf8");
  const lines = text.split("\n").filter((line) => line !== "");
  const changed = change(
    lines.map((line) => JSON.parse(line)),
    manifest,
  );
  const isFile = (/** @type {string} */ path) => !["dataset.json", list].some((name) => path === join(source, name));
  await mkdir(folder, { recursive: true });
  await cp(source, folder, { recursive: true, filter: isFile });
  await writeFile(join(folder, list), changed.samples.map((sample) => `${JSON.stringify(sample)}\n`).join(""));
  await writeFile(join(folder, "dataset.json"), `${JSON.stringify({ ...manifest, ...changed.manifest }, null, 2)}\n`);
}

/** @param {Sample} sample @param {string} aspect @returns {boolean} whether it is labelled as there. */
export function shows(sample, aspect) {
  const record = sample.aspects[aspect];
  if (record === undefined) return false;
  return record.present ?? (record.boxes !== undefined ? record.boxes.length > 0 : (record.mask ?? null) !== null);
}
