/** Strict reading of plain data: unknown keys fail, and the message lists the known ones. */

import { InputError, type InputErrorClass } from "./errors.js";
import { isRecord } from "./json-values.js";
import { clip } from "./terminal.js";

/** Names of ours are shorter, and comparing takes the product of two lengths. */
const LONGEST_NAME = 100;

/** @throws the given error class when `value` is no object or has a key that is not `known`. */
export function checkKeys(
  value: unknown,
  known: readonly string[],
  where: string,
  ErrorClass: InputErrorClass = InputError,
): asserts value is Record<string, unknown> {
  if (!isRecord(value)) {
    throw new ErrorClass(`${where}: expected an object, got ${Array.isArray(value) ? "a list" : clip(String(value))}.`);
  }
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    const near = nearest(key, known);
    throw new ErrorClass(`${where}: unknown key "${clip(key)}".`, {
      cure: `${near ? `Did you mean "${near}"? ` : ""}Known: ${known.join(", ")}.`,
    });
  }
}

/**
 * The same record with its keys in the composed form (NFC): an accented letter is one name however a tool writes it.
 */
export function normalizeKeys(value: unknown): unknown {
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key.normalize(), entry]));
}

/** The known name that is meant, in whichever form its accented letters were typed. */
export function findName(name: string, known: readonly string[]): string | undefined {
  return known.find((candidate) => candidate === name || candidate.normalize() === name.normalize());
}

/** The candidate within a third of its length in edits (Levenshtein 1966), or none; a long word is near to nothing. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > LONGEST_NAME) return undefined;
  const ranked = candidates
    .filter((candidate) => candidate.length <= LONGEST_NAME)
    .map((candidate) => ({ candidate, edits: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits);
  const [best] = ranked;
  return best && best.edits <= Math.max(1, best.candidate.length / 3) ? best.candidate : undefined;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length];
}
