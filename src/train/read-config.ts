/** A configuration file, with what the command line changes in it. */

import { readFile } from "node:fs/promises";
import { ConfigError } from "../core/errors.js";
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
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new ConfigError(
      `${file}: cannot be read (${(cause as NodeJS.ErrnoException).code}). Give the path of a configuration, as in: aspectlens train config.json.`,
      { cause },
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ConfigError(`${file}: is not JSON: ${(cause as Error).message}.`, { cause });
  }
  if (typeof value === "object" && value !== null) {
    for (const assignment of assignments) setKey(value as Record<string, unknown>, assignment);
  }
  return checkConfig(value, file);
}
