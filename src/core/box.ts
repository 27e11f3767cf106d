/** Boxes `[yMin, xMin, yMax, xMax]` in 0..1: areas, overlap, and non-maximum suppression. */

export type Box = readonly [yMin: number, xMin: number, yMax: number, xMax: number];

/** Area in 0..1; 0 for an inverted box. */
export function boxArea([yMin, xMin, yMax, xMax]: Box): number {
  return Math.max(0, yMax - yMin) * Math.max(0, xMax - xMin);
}

/** Intersection over union, 0..1. */
export function boxIou(a: Box, b: Box): number {
  const shared = sharedArea(a, b);
  const union = boxArea(a) + boxArea(b) - shared;
  return union > 0 ? shared / union : 0;
}

/** Share of a box that lies in a region, 0..1. */
export function shareInside(box: Box, region: Box): number {
  const area = boxArea(box);
  return area > 0 ? sharedArea(box, region) / area : 0;
}

function sharedArea(a: Box, b: Box): number {
  const height = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const width = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  return Math.max(0, height) * Math.max(0, width);
}

/**
 * Greedy non-maximum suppression: best score first, what overlaps a kept one by more than `iouLimit` goes.
 *
 * @returns the kept indices, best score first.
 */
export function nonMaximumSuppression(boxes: readonly Box[], scores: readonly number[], iouLimit = 0.5): number[] {
  const order = scores.map((_, index) => index).sort((a, b) => scores[b] - scores[a]);
  const kept: number[] = [];
  for (const candidate of order) {
    if (kept.every((index) => boxIou(boxes[index], boxes[candidate]) <= iouLimit)) kept.push(candidate);
  }
  return kept;
}
