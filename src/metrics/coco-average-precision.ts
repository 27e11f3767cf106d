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
  let isSorted = true;
  const sorted = () => {
    if (!isSorted) detections.sort((a, b) => b.score - a.score);
    isSorted = true;
    return detections;
  };
  let recalls = new Float64Array();
  let precisions = new Float64Array();
  const boxCount = (weights?: Weights) =>
    boxes.reduce((sum, { image, count }) => sum + count * (weights ? weights[image] : 1), 0);

  const precisionAt = (index: number, weights?: Weights) => {
    const all = boxCount(weights);
    if (all === 0) return null;
    const bit = 1 << index;
    if (recalls.length < detections.length) {
      recalls = new Float64Array(detections.length);
      precisions = new Float64Array(detections.length);
    }
    let [right, wrong, count] = [0, 0, 0];
    for (const { image, found, ignored } of sorted()) {
      const weight = weights ? weights[image] : 1;
      if (weight === 0 || ignored & bit) continue;
      if (found & bit) right += weight;
      else wrong += weight;
      recalls[count] = right / all;
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
  };

  return {
    add(image, found, boxCount) {
      for (const detection of found) detections.push({ ...detection, image });
      boxes.push({ image, count: boxCount });
      isSorted = false;
    },
    boxCount,
    precisionAt,
    meanPrecision: (weights) => meanOf(OVERLAPS.map((_, index) => precisionAt(index, weights))),
    countsFrom(least, weights) {
      let [right, found] = [0, 0];
      for (const { score, image, found: flags, ignored } of detections) {
        if (score < least || ignored & 1) continue;
        const weight = weights ? weights[image] : 1;
        found += weight;
        if (flags & 1) right += weight;
      }
      return { right, found, boxes: boxCount(weights) };
    },
    size: () => detections.length,
  };
}
