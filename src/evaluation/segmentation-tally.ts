/** A segmentation head, measured: overlap at the model's size and at the original's, boundaries, false alarms. */

import type { Annotation, OriginalMask } from "../core/annotation.js";
import { enlargeRegion } from "../core/enlarge-region.js";
import { isTooSmall, POSITIVE_SHARE } from "../core/mask-share.js";
import { pixelCount, type Size } from "../core/size.js";
import type { SegmentationSpec } from "../heads/head-spec.js";
import { isAnyKnown } from "../heads/known-pixels.js";
import { decodeMask, type SegmentationMetrics } from "../heads/segmentation-reading.js";
import { type BoundaryCounts, boundaryCounts, boundaryF1 } from "../metrics/boundary.js";
import { diceOf, iouOf, type OverlapCounts, overlapCounts } from "../metrics/overlap.js";
import { ratio, type Weights } from "../metrics/weights.js";
import { countOf, type HeadTally } from "./head-tally.js";

/** All 0..1, of all labelled images' known pixels together; `null` where there is nothing to measure. */
export interface SegmentationEvaluation extends SegmentationMetrics {
  /** `iou` in the originals' pixels: what was found is enlarged as in the masks that `explain` writes. */
  readonly iouAtOriginalSize: number | null;
  /** Over the images that hold the aspect alone. */
  readonly iouWherePresent: number | null;
  /** At the model's size; edges may lie 0.8 % of the diagonal apart. */
  readonly boundaryF1: number | null;
  /** Share of the pixels that are the aspect's: the IoU of finding it everywhere. */
  readonly pixelShare: number | null;
  /** Share of the images labelled as empty in which any pixel was found. */
  readonly falseAlarmRate: number | null;
}

/** Of one image; `counts` are those of `Totals`, in order. */
interface ImageCounts {
  readonly image: number;
  readonly counts: readonly number[];
  readonly isEmpty: boolean;
}

/** @param size height and width of the model's input. */
export function segmentationTally(
  { threshold }: SegmentationSpec,
  { size }: { size: Size },
): HeadTally<SegmentationEvaluation> {
  const rows: ImageCounts[] = [];
  let tooSmallCount = 0;

  const numbers = (weights?: Weights) => {
    const { model, original, boundary } = totals(rows, weights);
    const present = rows.filter(({ isEmpty }) => !isEmpty);
    return {
      iou: iouOf(model),
      iouAtOriginalSize: iouOf(original),
      iouWherePresent: iouOf(totals(present, weights).model),
      dice: diceOf(model),
      boundaryF1: boundaryF1(boundary),
    };
  };

  return {
    add({ image, logits, label, original }) {
      const annotation = (label ?? {}) as Annotation;
      const { mask, ignored } = annotation;
      if (mask === undefined || !isAnyKnown(annotation)) return;
      const isKnown = ignored && ((pixel: number) => ignored[pixel] === 0);
      const found = decodeMask(logits, { threshold });
      const marked = mask
        ? Uint8Array.from(mask, (share) => (share >= POSITIVE_SHARE ? 1 : 0))
        : new Uint8Array(pixelCount(size));
      if (mask && isTooSmall(mask)) tooSmallCount++;
      const model = overlapCounts(found, marked, isKnown);
      const atOriginal = original ? originalCounts(found, original, size) : NO_OVERLAP;
      const boundary = boundaryCounts(found, marked, { size, unknown: ignored });
      rows.push({
        image,
        counts: [
          ...[
            model.shared,
            model.found,
            model.marked,
            isKnown ? found.filter((_, pixel) => isKnown(pixel)).length : found.length,
          ],
          ...[atOriginal.shared, atOriginal.found, atOriginal.marked],
          ...[boundary.found, boundary.foundNear, boundary.marked, boundary.markedNear],
        ],
        isEmpty: !mask?.some((share) => share > 0),
      });
    },
    count: (weights) => countOf(rows.map(({ image }) => image), weights), // biome-ignore format: one call
    numbers,
    result() {
      const { model, known } = totals(rows);
      const empty = rows.filter(({ isEmpty }) => isEmpty);
      const alarms = empty.filter((row) => totals([row]).model.found > 0);
      return {
        kind: "segmentation",
        ...numbers(),
        pixelShare: ratio(model.marked, known),
        falseAlarmRate: ratio(alarms.length, empty.length),
        count: rows.length,
        ...(tooSmallCount > 0 ? { tooSmallCount } : {}),
      };
    },
    size: () => 11 * rows.length,
  };
}

function originalCounts(found: Uint8Array, original: OriginalMask, size: Size): OverlapCounts {
  const { marked, ignored } = original;
  const enlarged = enlargeRegion(found, { size, shape: original });
  return overlapCounts(enlarged, marked, ignored && ((pixel) => ignored[pixel] === 0));
}

const NO_OVERLAP: OverlapCounts = { shared: 0, found: 0, marked: 0 };

interface Totals {
  readonly model: OverlapCounts;
  /** Pixels at the model's size. */
  readonly known: number;
  readonly original: OverlapCounts;
  readonly boundary: BoundaryCounts;
}

/** Every count, summed over images. */
function totals(rows: readonly ImageCounts[], weights?: Weights): Totals {
  const sums = new Float64Array(11);
  for (const { image, counts } of rows) {
    const weight = weights ? weights[image] : 1;
    for (let i = 0; i < sums.length; i++) sums[i] += weight * counts[i];
  }
  const overlapAt = (first: number) => ({ shared: sums[first], found: sums[first + 1], marked: sums[first + 2] });
  const [found, foundNear, marked, markedNear] = sums.subarray(7);
  return {
    model: overlapAt(0),
    known: sums[3],
    original: overlapAt(4),
    boundary: { found, foundNear, marked, markedNear },
  };
}
