/** A boxes head, measured as COCO does. */

import type { Annotation } from "../core/annotation.js";
import { type BoxesMetrics, decodeForPrecision } from "../heads/boxes-reading.js";
import type { BoxesSpec } from "../heads/head-spec.js";
import { detectionTally } from "../metrics/coco-average-precision.js";
import { matchDetections } from "../metrics/coco-matching.js";
import { diceOf } from "../metrics/overlap.js";
import { ratio, type Weights } from "../metrics/weights.js";
import { countOf, type HeadTally } from "./head-tally.js";

/** All 0..1; `null` where there are no boxes. */
export interface BoxesEvaluation extends BoxesMetrics {
  /** COCO's average precision: mean over the overlaps 0.50, 0.55, ..., 0.95. */
  readonly ap: number | null;
  /** At the head's threshold and an overlap of one half, as `recall`. */
  readonly precision: number | null;
  readonly f1: number | null;
}

export function boxesTally({ threshold }: BoxesSpec): HeadTally<BoxesEvaluation> {
  const images: number[] = [];
  const tally = detectionTally();
  const f1 = (weights?: Weights) => {
    const { right, found, boxes } = tally.countsFrom(threshold, weights);
    return boxes > 0 ? diceOf({ shared: right, found, marked: boxes }) : null;
  };
  const numbers = (weights?: Weights) => ({
    ap: tally.meanPrecision(weights),
    ap50: tally.precisionAt(0, weights),
    f1: f1(weights),
  });
  return {
    add({ image, logits, shape, label }) {
      const { boxes, ignoredBoxes } = (label ?? {}) as Annotation;
      if (!boxes) return;
      images.push(image);
      tally.add(
        image,
        matchDetections(decodeForPrecision(logits, shape), { boxes, crowds: ignoredBoxes }),
        boxes.length,
      );
    },
    count: (weights) => countOf(images, weights),
    numbers,
    result() {
      const { right, found, boxes } = tally.countsFrom(threshold);
      return {
        kind: "boxes",
        ...numbers(),
        precision: ratio(right, found),
        recall: ratio(right, boxes),
        instanceCount: boxes,
        count: images.length,
      };
    },
    size: () => 11 * tally.size(),
  };
}
