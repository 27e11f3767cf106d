/**
 * The names of each image's files: the image's name, made unique where two would be equal, shortened where it is too
 * long.
 */

import { createHash } from "node:crypto";
import { basename, extname } from "node:path";
import { comparisonFile, explanationFiles } from "../core/result-file-names.js";
import type { Target } from "../explain/target.js";

/** Longest name of a file, in bytes, on all usual file systems. */
const LONGEST_NAME = 255;
/** Room for a digest of what was cut off, and a number. */
const MARK = 16;

/**
 * With several classes, each stem ends with the class.
 *
 * @param options.pixelAspects aspects that write masks; their names are part of the file names.
 */
export function uniqueStems(
  images: readonly string[],
  { targets = [], pixelAspects = [] }: { targets?: readonly Target[]; pixelAspects?: readonly string[] } = {},
): (image: string, target?: Target) => string {
  const endings = [comparisonFile(""), ...explanationFiles("", pixelAspects)].map((name) => Buffer.byteLength(name));
  const room = Math.max(2 * MARK, LONGEST_NAME - Math.max(...endings));
  const taken = new Set<string>();
  const stems = new Map<string, string>();
  const keyOf = (image: string, target?: Target) => JSON.stringify([image, target]);
  for (const image of images) {
    for (const target of [undefined, ...targets]) {
      const key = keyOf(image, target);
      if (stems.has(key)) continue;
      const plain = cut(basename(image, extname(image)) + suffixOf(target), room);
      let stem = plain;
      for (let count = 2; taken.has(folded(stem)); count++) stem = `${plain}-${count}`;
      taken.add(folded(stem));
      stems.set(key, stem);
    }
  }
  return (image, target) => stems.get(keyOf(image, target)) ?? "";
}

/**
 * Some file systems treat lower and upper case, and the composed and decomposed form of an accented letter, as equal.
 */
function folded(stem: string): string {
  return stem.normalize("NFC").toLowerCase();
}

/** The beginning of a long name and a digest of the whole, at most `room` bytes. */
function cut(name: string, room: number): string {
  if (Buffer.byteLength(name) <= room) return name;
  let [start, bytes] = ["", 0];
  for (const character of name) {
    bytes += Buffer.byteLength(character);
    if (bytes > room - MARK) break;
    start += character;
  }
  return `${start}-${createHash("sha256").update(name).digest("hex").slice(0, 8)}`;
}

/** Letters and digits of any script stay; characters that a file system may refuse become hyphens. */
function suffixOf(target?: Target): string {
  return target === undefined || !("class" in target) ? "" : `.${target.class.replace(/[^\p{L}\p{N}_-]+/gu, "-")}`;
}
