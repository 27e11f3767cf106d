/**
 * Which detections of one image find an expert's box, as COCO's evaluation decides it (Lin et al. 2014,
 * arXiv:1405.0312; the rules of pycocotools' `COCOeval.evaluateImg`, area "all").
 */

import { type Box, boxIou, shareInside } from "../core/box.js";

/** The ten overlaps at which a detection may be right: 0.50, 0.55, ..., 0.95, in numpy's arithmetic. */
export const OVERLAPS: readonly number[] = Array.from({ length: 10 }, (_, i) => 0.5 + i * ((0.95 - 0.5) / 9));
/** Detections of one image that count, the best first. */
const MOST_DETECTIONS = 100;
/** So that an overlap of 1 asks for no more than rounding gives. */
const ALMOST_ONE = 1 - 1e-10;

/** One detection; bit i of the flags is about `OVERLAPS[i]`. */
export interface MatchedDetection {
  /** 0..1. */
  readonly score: number;
  /** It takes an expert's box. */
  readonly found: number;
  /** It lies in a region that is not judged: neither right nor wrong. */
  readonly ignored: number;
}

/**
 * Best score first (of equal scores the first), each takes the free box that it overlaps most, by the overlap at least;
 * of boxes that it overlaps alike the last. One that finds none may lie in a crowd region, which takes any number: the
 * share of the detection that lies in it counts there.
 *
 * @param detections at most the best 100 count.
 * @param crowds regions that hold uncounted instances.
 */
export function matchDetections(
  detections: readonly { readonly box: Box; readonly score: number }[],
  { boxes, crowds = [] }: { boxes: readonly Box[]; crowds?: readonly Box[] },
): MatchedDetection[] {
  const best = [...detections].sort((a, b) => b.score - a.score).slice(0, MOST_DETECTIONS);
  const overlaps = best.map(({ box }) => boxes.map((other) => boxIou(box, other)));
  const inCrowd = best.map(({ box }) => Math.max(0, ...crowds.map((crowd) => shareInside(box, crowd))));
  const flags = best.map(({ score }) => ({ score, found: 0, ignored: 0 }));
  OVERLAPS.forEach((least, bit) => {
    const isTaken = boxes.map(() => false);
    flags.forEach((flag, index) => {
      let taken = -1;
      let most = Math.min(least, ALMOST_ONE);
      overlaps[index].forEach((overlap, box) => {
        if (isTaken[box] || overlap < most) return;
        taken = box;
        most = overlap;
      });
      if (taken >= 0) {
        isTaken[taken] = true;
        flag.found |= 1 << bit;
      } else if (inCrowd[index] >= Math.min(least, ALMOST_ONE)) flag.ignored |= 1 << bit;
    });
  });
  return flags;
}
