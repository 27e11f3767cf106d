/**
 * Reading JSON that any tool wrote: UTF-8 with or without a byte-order mark, and a clear word on what it is otherwise.
 */

import type { InputErrorClass } from "./errors.js";
import { LIMITS } from "./limits.js";

/**
 * @param bytes of a file, or of one line of it.
 * @param options.where names the file, and the line where there is one.
 * @param options.file path of the file, where the bytes are all of it: the error then tells the line, if it is known.
 * @param options.cure what to do about text that is no JSON, a sentence.
 * @throws the given error class where it is UTF-16, no UTF-8, no JSON, or nested deeper than what walks
 * through it can follow.
 */
export function parseJson(
  bytes: Uint8Array,
  {
    where,
    file,
    cure = "Correct the file.",
    error: ErrorClass,
  }: { where: string; file?: string; cure?: string; error: InputErrorClass },
): unknown {
  if (isUtf16(bytes)) throw new ErrorClass(`${where}: is UTF-16.`, { cure: "Save it as UTF-8." });
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ErrorClass(`${where}: is not UTF-8 text.`, { cure: "Save it as UTF-8.", cause });
  }
  if (isDeep(text)) throw new ErrorClass(`${where}: is nested more than ${LIMITS.jsonDepth} deep.`, { cure });
  try {
    return JSON.parse(text);
  } catch (cause) {
    const [why] = (cause as Error).message.split("\n");
    throw new ErrorClass(`${where}: is not JSON (${why}).`, {
      ...{ cure, cause },
      ...(file !== undefined && { file, line: lineOf(text, (cause as Error).message) }),
    });
  }
}

/** The line of a mistake, from 1; `undefined` where V8 does not tell its position. */
function lineOf(text: string, message: string): number | undefined {
  if (message.startsWith("Unexpected end")) return text.trimEnd().split("\n").length;
  const position = /at position (\d+)/.exec(message)?.[1];
  return position === undefined ? undefined : text.slice(0, Number(position)).split("\n").length;
}

/** A byte-order mark of UTF-16, or a zero among the first two bytes, where every JSON text in it has one. */
export function isUtf16(bytes: Uint8Array): boolean {
  const [first, second] = bytes;
  if (bytes.length < 2) return false;
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff) || first === 0 || second === 0;
}

/** Counts the brackets outside of strings; by a loop, since a pattern runs out of stack on a string of 10 MB. */
function isDeep(text: string): boolean {
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') isInString = !isInString;
    else if (isInString) at += character === "\\" ? 1 : 0;
    else if (character === "[" || character === "{") depth++;
    else if (character === "]" || character === "}") depth--;
    if (depth > LIMITS.jsonDepth) return true;
  }
  return false;
}
