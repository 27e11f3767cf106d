/**
 * Reads the lists of a JSON file element by element, so that a file of gigabytes needs the memory of one element, and
 * each element's place is known: it can be named in messages, and read again later.
 */

import { closeSync, openSync, readSync } from "node:fs";
import { DatasetError } from "../../core/errors.js";
import { isUtf16, parseJson } from "../../core/json.js";

/** An element of a list that is a value of the file's outermost object, or another value of it. */
export interface JsonElement {
  /** The key. */
  readonly key: string;
  /** In its list; `undefined` where the value is no list. */
  readonly index?: number;
  /** Of its first byte, and how many it has. */
  readonly offset: number;
  readonly length: number;
  /** From 1. */
  readonly line: number;
  readonly bytes: Uint8Array;
}

const CHUNK = 2 ** 20;
/** A mask of a large image, written as runs, takes some megabytes. */
const LARGEST_ELEMENT = 2 ** 28;

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
const END = -1;

/** @throws DatasetError with the line where the file is no JSON object. The elements' own content is not looked at. */
export function* jsonElements(file: string): Generator<JsonElement> {
  const cursor = openCursor(file);
  try {
    cursor.expect(OPEN_OBJECT);
    if (cursor.peekToken() === CLOSE_OBJECT) return;
    for (;;) {
      const name = cursor.value();
      const key = String(parseJson(name.bytes, { where: `${file}:${name.line}`, error: DatasetError }));
      cursor.expect(COLON);
      if (cursor.peekToken() === OPEN_LIST) {
        cursor.expect(OPEN_LIST);
        for (let index = 0; cursor.peekToken() !== CLOSE_LIST; index++) {
          if (index > 0) cursor.expect(COMMA);
          yield { key, index, ...cursor.value() };
        }
        cursor.expect(CLOSE_LIST);
      } else yield { key, ...cursor.value() };
      if (cursor.peekToken() !== COMMA) break;
      cursor.expect(COMMA);
    }
    cursor.expect(CLOSE_OBJECT);
    if (cursor.peekToken() !== END) throw cursor.refuse("more follows after its end");
  } finally {
    cursor.close();
  }
}

/** Reads an element again. @throws DatasetError where the file has changed. */
export function readElement(file: string, { offset, length }: { offset: number; length: number }): Uint8Array {
  const bytes = Buffer.alloc(length);
  const descriptor = openSync(file, "r");
  try {
    if (readSync(descriptor, bytes, 0, length, offset) === length) return bytes;
  } finally {
    closeSync(descriptor);
  }
  throw new DatasetError(`${file}: changed while it was read.`, { cure: "Start again.", file });
}

function openCursor(file: string) {
  const descriptor = openSync(file, "r");
  // `held` are the bytes of the file from `base` on; `at` is a position among them.
  let held: Buffer = Buffer.alloc(0);
  let [base, at, line, kept] = [0, 0, 1, END];

  /** Reads more; keeps the bytes from `kept` on. @returns whether there was more. */
  const fill = (): boolean => {
    const from = kept === END ? at : kept;
    const next = Buffer.allocUnsafe(CHUNK);
    const count = readSync(descriptor, next, 0, CHUNK, base + held.length);
    held = Buffer.concat([held.subarray(from), next.subarray(0, count)]);
    base += from;
    at -= from;
    if (kept !== END) kept = 0;
    return count > 0;
  };
  const peek = (): number => (at < held.length || fill() ? held[at] : END);
  const refuse = (why: string) =>
    new DatasetError(`${file}:${line}: is not JSON (${why}).`, { cure: "Export it again.", file, line });
  const peekToken = (): number => {
    for (let byte = peek(); ; byte = peek()) {
      if (byte === 10) line++;
      else if (byte !== 32 && byte !== 9 && byte !== 13) return byte;
      at++;
    }
  };
  const expect = (byte: number) => {
    const found = peekToken();
    if (found === END) throw refuse("it ends too early");
    if (found !== byte) throw refuse(`"${String.fromCharCode(byte)}" is missing`);
    at++;
  };
  const skipText = () => {
    at++;
    for (let byte = peek(); byte !== QUOTE; byte = peek()) {
      if (byte === END) throw refuse("a text does not end");
      if (byte === 10) line++;
      at += byte === BACKSLASH ? 2 : 1;
    }
    at++;
  };
  const value = (): Omit<JsonElement, "key" | "index"> => {
    const first = peekToken();
    const start = line;
    kept = at;
    let depth = 0;
    if (first === COMMA || first === CLOSE_LIST || first === CLOSE_OBJECT || first === COLON)
      throw refuse("a value is missing");
    do {
      const byte = peek();
      if (byte === END) throw refuse("it ends too early");
      if (byte === QUOTE) {
        skipText();
        continue;
      }
      if (depth === 0 && isEnd(byte)) break;
      if (byte === OPEN_LIST || byte === OPEN_OBJECT) depth++;
      else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth--;
      else if (byte === 10) line++;
      at++;
      if (at - kept > LARGEST_ELEMENT) throw refuse(`a value of more than ${LARGEST_ELEMENT / 2 ** 20} MiB`);
    } while (depth > 0 || (first !== QUOTE && first !== OPEN_LIST && first !== OPEN_OBJECT));
    const bytes = held.subarray(kept, at);
    const offset = base + kept;
    kept = END;
    return { offset, length: bytes.length, line: start, bytes };
  };

  const start = () => {
    peek();
    if (isUtf16(held)) throw new DatasetError(`${file}: is UTF-16.`, { cure: "Save it as UTF-8.", file });
    if (held[0] === 0xef && held[1] === 0xbb && held[2] === 0xbf) at = 3;
  };
  start();
  return { peekToken, expect, value, refuse, close: () => closeSync(descriptor) };
}

/** Ends a number or a word. */
function isEnd(byte: number): boolean {
  return (
    byte === COMMA ||
    byte === CLOSE_LIST ||
    byte === CLOSE_OBJECT ||
    byte === 32 ||
    byte === 10 ||
    byte === 13 ||
    byte === 9
  );
}
