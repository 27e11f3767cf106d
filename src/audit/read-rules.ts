/** Reads the rules of an audit from their file. */

import { InputError, inFile } from "../core/errors.js";
import { parseJson } from "../core/json.js";
import { LIMITS } from "../core/limits.js";
import { readWhole } from "../core/read-whole.js";
import { type AuditRule, parseRules } from "./rules.js";

/** @throws InputError where it cannot be read, is no JSON, or a rule is none. */
export async function readRules(file: string): Promise<AuditRule[]> {
  const bytes = await readWhole(file, {
    limit: LIMITS.jsonFileBytes,
    allowPipe: true,
    absenceCure: "Give the path of the rules, as in: --rules audit.json.",
  });
  return inFile({ file }, () => parseRules(parseJson(bytes, { where: file, file, error: InputError }), file));
}
