/**
 * Images that look the same, by a difference hash (N. Krawetz 2013, "Kind of like that"). Our own twenty lines: the
 * kept libraries decode each file once more, and take milliseconds for a cosine transform of every image.
 */

import { growingRows } from "../../core/growing-rows.js";
import { luma } from "../../core/luma.js";
import type { Split } from "../record.js";
import { GLANCE, type SeenSample, type SurveyPart } from "./seen-sample.js";

interface Place {
  readonly line: number;
  readonly split: Split;
}

export interface NearDuplicate {
  readonly first: Place;
  readonly second: Place;
  /** Bits of 256 that differ. */
  readonly distance: number;
}

export interface NearDuplicates {
  /** Those across splits first; without copies that have the same bytes. At most 10,000. */
  readonly pairs: readonly NearDuplicate[];
  /** Images with a look-alike in another split. */
  readonly acrossCount: number;
}

const SIDE = 16;
const WORDS = (SIDE * SIDE) / 32;
/** Columns and rows of grey levels that are compared where hashes are alike. */
const GREYS = 8;
/** Hashes that differ in fewer bits than they have words have a word in common: that is how pairs are found. */
const FARTHEST = WORDS - 1;
/** Steps of grey below this are noise, as of a compression. */
const LEAST_STEP = 2;
/** Hashes with fewer set bits are of images with hardly any structure, which look alike without being the same. */
const LEAST_BITS = 16;
/** Mean difference of 8 x 8 grey levels up to which images with the same structure are the same. */
const LARGEST_DIFFERENCE = 5;
/** And the largest difference of one of them: more is another thing in the image, as a defect on the same board. */
const LARGEST_OF_A_CELL = 24;
const MOST_PAIRS = 10_000;
/** Images with one word in common that are compared with one another. */
const MOST_ALIKE = 64;

/** Keeps about 110 bytes of each image. */
export function nearDuplicates(): SurveyPart<NearDuplicates> {
  const lines: number[] = [];
  const splits: Split[] = [];
  const hashes = growingRows((length) => new Uint32Array(length), WORDS);
  const greys = growingRows((length) => new Uint8Array(length), GREYS * GREYS);
  const placeOf = (at: number): Place => ({ line: lines[at], split: splits[at] });
  return {
    add({ image, isCopy, line, record: { split } }: SeenSample) {
      if (!image || isCopy) return;
      const hash = differenceHash(image.pixels);
      if (bitCount(hash) < LEAST_BITS) return;
      lines.push(line);
      splits.push(split);
      hashes.add(hash);
      greys.add(Uint8Array.from(meanGrey(image.pixels, { columns: GREYS, rows: GREYS })));
    },
    result() {
      const found = new Map<number, NearDuplicate>();
      for (let word = 0; word < WORDS; word++) {
        const order = Uint32Array.from(lines.keys());
        order.sort((a, b) => hashes.value(a, word) - hashes.value(b, word) || a - b);
        for (let at = 0; at < order.length; at++) {
          for (let next = at + 1; next < Math.min(order.length, at + MOST_ALIKE); next++) {
            const [a, b] = [order[at], order[next]];
            if (hashes.value(a, word) !== hashes.value(b, word) || found.size >= MOST_PAIRS) break;
            const distance = bitCount(hashes.row(a).map((own, index) => own ^ hashes.value(b, index)));
            if (distance > FARTHEST || !areAlike(greys.row(a), greys.row(b))) continue;
            found.set(a * lines.length + b, { first: placeOf(a), second: placeOf(b), distance });
          }
        }
      }
      const isAcross = ({ first, second }: NearDuplicate) => first.split !== second.split;
      const pairs = [...found.values()].sort(
        (a, b) => Number(isAcross(b)) - Number(isAcross(a)) || a.distance - b.distance || a.first.line - b.first.line,
      );
      const across = pairs.filter(isAcross).flatMap(({ first, second }) => [first.line, second.line]);
      return { pairs, acrossCount: new Set(across).size };
    },
  };
}

/** 16 x 16 bits: whether grey rises from one column to the next by more than noise. @param pixels `[64, 64, 3]`. */
export function differenceHash(pixels: Uint8Array): Uint32Array<ArrayBuffer> {
  const grey = meanGrey(pixels, { columns: SIDE + 1, rows: SIDE });
  const hash = new Uint32Array(WORDS);
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const at = y * (SIDE + 1) + x;
      if (grey[at + 1] - grey[at] > LEAST_STEP) hash[(y * SIDE + x) >> 5] |= 1 << ((y * SIDE + x) & 31);
    }
  }
  return hash;
}

/** Grey 0..255, averaged over a grid of cells. */
function meanGrey(pixels: Uint8Array, { columns, rows }: { columns: number; rows: number }): Float32Array {
  const sums = new Float32Array(columns * rows);
  const counts = new Float32Array(columns * rows);
  for (let y = 0; y < GLANCE; y++) {
    for (let x = 0; x < GLANCE; x++) {
      const cell = Math.floor((y * rows) / GLANCE) * columns + Math.floor((x * columns) / GLANCE);
      const at = 3 * (y * GLANCE + x);
      sums[cell] += luma(pixels[at], pixels[at + 1], pixels[at + 2]);
      counts[cell]++;
    }
  }
  return sums.map((sum, cell) => sum / counts[cell]);
}

function areAlike(a: Uint8Array, b: Uint8Array): boolean {
  const differences = Array.from(a, (grey, at) => Math.abs(grey - b[at]));
  const mean = differences.reduce((sum, own) => sum + own, 0) / differences.length;
  return mean <= LARGEST_DIFFERENCE && Math.max(...differences) <= LARGEST_OF_A_CELL;
}

function bitCount(words: Uint32Array): number {
  let count = 0;
  for (const word of words) for (let rest = word; rest !== 0; rest &= rest - 1) count++;
  return count;
}
