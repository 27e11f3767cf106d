/**
 * How the files of each image are called: by its own name, made different where two would be the same, cut where it is
 * too long.
 */

import { createHash } from "node:crypto";
import { basename, extname } from "node:path";
import { comparisonFile, explanationFiles } from "../core/result-file-names.js";
import type { Target } from "../explain/target.js";

/** Longest name of a file, in bytes, on all usual file systems. */
const LONGEST_NAME = 255;
/** For a digest of what was cut off, and a number. */
const MARK = 16;

/**
 * Stems of several classes have the class behind them.
 *
 * @param options.pixelAspects aspects that write masks, whose names the files' names hold too.
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

/** Some file systems tell neither small letters from capitals nor the two forms of an accented one apart. */
function folded(stem: string): string {
  return stem.normalize("NFC").toLowerCase();
}

/** The beginning of a long name with a digest of it, in `room` bytes at most. */
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

/** Letters and digits of any script stay; what a file system may not like becomes a hyphen. */
function suffixOf(target?: Target): string {
  return target === undefined || !("class" in target) ? "" : `.${target.class.replace(/[^\p{L}\p{N}_-]+/gu, "-")}`;
}
