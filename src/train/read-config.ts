/** A configuration file, with what the command line changes in it. */

import { basename, dirname } from "node:path";
import { ConfigError, inFile } from "../core/errors.js";
import { parseJson } from "../core/json.js";
import { LIMITS } from "../core/limits.js";
import { readWhole } from "../core/read-whole.js";
import { checkConfig, type RawConfig } from "./config.js";
import { isRunFolder } from "./run-folder.js";
import { setKey } from "./set-key.js";

/**
 * Reads a configuration; paths in it are relative to the working folder, as on a command line. The `config.json` of a
 * run means the folder that it lies in, wherever that was moved or copied to.
 *
 * @param assignments `key=value` pairs that override it.
 * @throws ConfigError where it is no JSON, or a key is unknown.
 */
export async function readConfig(
  file: string,
  { assignments = [] }: { assignments?: readonly string[] } = {},
): Promise<RawConfig> {
  const bytes = await readWhole(file, {
    limit: LIMITS.jsonFileBytes,
    allowPipe: true,
    ErrorClass: ConfigError,
    absenceCure: "Give the path of a configuration, as in: aspectlens train config.json.",
  });
  return inFile({ file }, () => parseConfig(bytes, file, assignments));
}

async function parseConfig(bytes: Uint8Array, file: string, assignments: readonly string[]): Promise<RawConfig> {
  const value = parseJson(bytes, { where: file, file, error: ConfigError });
  if (typeof value === "object" && value !== null) {
    const folder = dirname(file);
    if (basename(file) === "config.json" && (await isRunFolder(folder))) (value as { out?: unknown }).out = folder;
    for (const assignment of assignments) setKey(value as Record<string, unknown>, assignment);
  }
  return checkConfig(value, file);
}
