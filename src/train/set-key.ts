/** `--set key=value`: changes one key of a configuration before it is checked. */

import { ConfigError } from "../core/errors.js";
import { ownValue } from "../core/own-value.js";

/**
 * Applies `a.b=value` to plain data; the value is JSON where it parses as such, else text. Places in lists are counted
 * from 0.
 *
 * @throws ConfigError where a part of the key leads nowhere. Unknown keys are set, for `checkConfig` to refuse.
 */
export function setKey(config: Record<string, unknown>, assignment: string): void {
  const split = assignment.indexOf("=");
  const path = assignment.slice(0, Math.max(0, split));
  if (path === "") throw new ConfigError(`--set ${assignment}: expected key=value, as in --set trunk.inputSize=160.`);
  const keys = path.split(".");
  const last = keys.length - 1;
  let at: object = config;
  for (const [index, key] of keys.entries()) {
    if (Array.isArray(at) && !(/^\d+$/.test(key) && Number(key) < at.length))
      throw new ConfigError(`--set ${path}: "${key}" is no place in a list of ${at.length}; they are counted from 0.`);
    // Not by assignment, which would follow `__proto__` to what all objects share.
    const put = (value: unknown) =>
      Object.defineProperty(at, key, { value, writable: true, enumerable: true, configurable: true });
    if (index === last) {
      put(parseValue(assignment.slice(split + 1)));
      return;
    }
    const next = ownValue(at as Record<string, unknown>, key) ?? {};
    if (typeof next !== "object") throw new ConfigError(`--set ${path}: "${key}" is not an object.`);
    put(next);
    at = next;
  }
}

function parseValue(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
