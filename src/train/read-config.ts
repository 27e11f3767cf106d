/** A configuration file, with what the command line changes in it. */

import { readFile } from "node:fs/promises";
import { ConfigError } from "../core/errors.js";
import { parseJson } from "../core/json.js";
import { checkConfig, type RawConfig } from "./config.js";
import { setKey } from "./set-key.js";

/**
 * Reads a configuration; paths in it are relative to the working folder, as on a command line.
 *
 * @param assignments `key=value` pairs that override it.
 * @throws ConfigError where it is no JSON, or a key is unknown.
 */
export async function readConfig(
  file: string,
  { assignments = [] }: { assignments?: readonly string[] } = {},
): Promise<RawConfig> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new ConfigError(
      `${file}: cannot be read (${(cause as NodeJS.ErrnoException).code}). Give the path of a configuration, as in: aspectlens train config.json.`,
      { cause },
    );
  }
  const value = parseJson(bytes, { where: file, error: ConfigError });
  if (typeof value === "object" && value !== null) {
    for (const assignment of assignments) setKey(value as Record<string, unknown>, assignment);
  }
  return checkConfig(value, file);
}
