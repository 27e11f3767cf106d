/** Whether two runs came to the same: every weight and metric, byte for byte. */

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * @param {string} run
 * @param {string} other
 * @returns {Promise<string[]>} what differs: files, and `metrics.jsonl` or `checkpoint`, of which times do not count.
 */
export async function differences(run, other) {
  const [names, others] = await Promise.all([run, other].map((folder) => readdir(join(folder, "best"))));
  if (names.toSorted().join() !== others.toSorted().join()) return [`best: ${names.join()} and ${others.join()}`];
  const files = ["dataset.json", ...names.map((name) => join("best", name))];
  const different = [];
  for (const file of files) {
    const [one, two] = await Promise.all([run, other].map((folder) => readFile(join(folder, file))));
    if (!one.equals(two)) different.push(file);
  }
  if ((await epochsOf(run)) !== (await epochsOf(other))) different.push("metrics.jsonl");
  const [state, otherState] = await Promise.all([stateOf(run), stateOf(other)]);
  if (!state.equals(otherState)) different.push("checkpoint");
  return different;
}

/** @param {string} run */
async function epochsOf(run) {
  const lines = (await readFile(join(run, "metrics.jsonl"), "utf8")).trim().split("\n");
  return JSON.stringify(lines.map((line) => ({ ...JSON.parse(line), seconds: undefined })));
}

/** Parameters and moments, without the header, which holds times. @param {string} run */
async function stateOf(run) {
  const bytes = await readFile(join(run, "checkpoint", "state.safetensors"));
  return bytes.subarray(8 + Number(bytes.readBigUInt64LE(0)));
}
