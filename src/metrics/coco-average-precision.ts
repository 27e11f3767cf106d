/**
 * Average precision over the detections of all images, as COCO defines it: precision at 101 points of recall (the rules
 * of pycocotools' `COCOeval.accumulate`).
 */

import { type MatchedDetection, OVERLAPS } from "./coco-matching.js";
import { meanOf, type Weights } from "./weights.js";

/** Recalls 0, 0.01, ..., 1, in numpy's arithmetic. */
const RECALLS: readonly number[] = Array.from({ length: 101 }, (_, i) => (i === 100 ? 1 : i * 0.01));

/** Detections of many images; holds four numbers a detection and one an image. */
export interface DetectionTally {
  /** @param boxCount the experts' boxes, those in regions that are not judged left out. */
  add(image: number, detections: readonly MatchedDetection[], boxCount: number): void;
  /** The expert's boxes of all images. */
  boxCount(weights?: Weights): number;
  /** At one overlap, `OVERLAPS[index]`; `null` where there are no boxes. */
  precisionAt(index: number, weights?: Weights): number | null;
  /** Mean over the ten overlaps. */
  meanPrecision(weights?: Weights): number | null;
  /** At an overlap of one half: detections from this score on that are right, all such, and the boxes. */
  countsFrom(score: number, weights?: Weights): { right: number; found: number; boxes: number };
  /** Detections held. */
  readonly size: () => number;
}

/** Starts to gather. Of equal scores the earlier image's detection comes first, as in COCO. */
export function detectionTally(): DetectionTally {
  const detections: (MatchedDetection & { readonly image: number })[] = [];
  const boxes: { image: number; count: number }[] = [];
  let ranked: Ranked | undefined;
  const rank = () => {
    ranked ??= rankedOf(detections);
    return ranked;
  };
  const boxCount = (weights?: Weights) =>
    boxes.reduce((sum, { image, count }) => sum + count * (weights ? weights[image] : 1), 0);

  return {
    add(image, found, boxCount) {
      for (const detection of found) detections.push({ ...detection, image });
      boxes.push({ image, count: boxCount });
      ranked = undefined;
    },
    boxCount,
    precisionAt: (index, weights) => averagePrecision(rank(), { index, boxCount: boxCount(weights), weights }),
    meanPrecision: (weights) => {
      const all = boxCount(weights);
      return meanOf(OVERLAPS.map((_, index) => averagePrecision(rank(), { index, boxCount: all, weights })));
    },
    countsFrom(least, weights) {
      const { scores, images, found, ignored } = rank();
      let [right, count] = [0, 0];
      for (let i = 0; i < scores.length && scores[i] >= least; i++) {
        if (ignored[i] & 1) continue;
        const weight = weights ? weights[images[i]] : 1;
        count += weight;
        if (found[i] & 1) right += weight;
      }
      return { right, found: count, boxes: boxCount(weights) };
    },
    size: () => detections.length,
  };
}

/** Detections by falling score, in arrays, since a bootstrap goes through them thousands of times. */
interface Ranked {
  readonly scores: Float64Array;
  readonly images: Uint32Array;
  readonly found: Uint16Array;
  readonly ignored: Uint16Array;
  /** Of each overlap, detections up to the last right one; what comes after it changes no precision. */
  readonly ends: readonly number[];
  /** Room for one curve. */
  readonly recalls: Float64Array;
  readonly precisions: Float64Array;
}

function rankedOf(detections: readonly (MatchedDetection & { readonly image: number })[]): Ranked {
  const sorted = [...detections].sort((a, b) => b.score - a.score);
  const found = Uint16Array.from(sorted, (detection) => detection.found);
  return {
    scores: Float64Array.from(sorted, ({ score }) => score),
    images: Uint32Array.from(sorted, ({ image }) => image),
    found,
    ignored: Uint16Array.from(sorted, ({ ignored }) => ignored),
    ends: OVERLAPS.map((_, index) => found.findLastIndex((flags) => (flags & (1 << index)) !== 0) + 1),
    recalls: new Float64Array(sorted.length),
    precisions: new Float64Array(sorted.length),
  };
}

/** At one overlap, `OVERLAPS[index]`; `null` where there are no boxes. */
function averagePrecision(
  { images, found, ignored, ends, recalls, precisions }: Ranked,
  { index, boxCount, weights }: { index: number; boxCount: number; weights?: Weights },
): number | null {
  if (boxCount === 0) return null;
  const bit = 1 << index;
  let [right, wrong, count] = [0, 0, 0];
  for (let i = 0; i < ends[index]; i++) {
    const weight = weights ? weights[images[i]] : 1;
    if (weight === 0 || ignored[i] & bit) continue;
    if (found[i] & bit) right += weight;
    else wrong += weight;
    recalls[count] = right / boxCount;
    precisions[count++] = right / (right + wrong);
  }
  // At each point of recall the best precision from the first detection on that reaches it; 0 where none does.
  let sum = 0;
  let best = 0;
  let point = RECALLS.length - 1;
  for (let at = count - 1; at >= 0; at--) {
    best = Math.max(best, precisions[at]);
    const before = at > 0 ? recalls[at - 1] : -1;
    for (; point >= 0 && RECALLS[point] > before; point--) if (RECALLS[point] <= recalls[at]) sum += best;
  }
  return sum / RECALLS.length;
}
