/** A segmentation head's answers on a split: precision over recall of its pixels, the best and the worst masks. */

import type { Annotation } from "../core/annotation.js";
import { POSITIVE_SHARE } from "../core/mask-share.js";
import { sizeOf } from "../core/nd-array.js";
import { quantile } from "../core/quantile.js";
import { sizeFrom } from "../core/size.js";
import type { SegmentationSpec } from "../heads/head-spec.js";
import { isAnyKnown } from "../heads/known-pixels.js";
import { decodeMask } from "../heads/segmentation-reading.js";
import { extremes } from "./extremes.js";
import { type HeadReviewer, type ReviewedImage, SHOWN } from "./head-review.js";
import { scoreBins } from "./score-bins.js";

/** Sides that the median is taken over. */
const MOST_SIDES = 5000;

const FALSE_ALARM = "false alarm: none is there";

export function reviewSegmentation({ name, threshold }: SegmentationSpec): HeadReviewer {
  const bins = scoreBins();
  const found = extremes<ReviewedImage>(SHOWN);
  const sides: number[] = [];
  let pixels = 0;
  let positives = 0;
  return {
    add(logits, labels, paths) {
      const count = sizeOf(logits.shape.slice(1));
      const size = sizeFrom(logits.shape[1], logits.shape[2]);
      labels.forEach((label, i) => {
        const annotation = (label ?? {}) as Annotation;
        const { mask, ignored } = annotation;
        if (mask === undefined || !isAnyKnown(annotation)) return;
        const row = logits.data.subarray(i * count, (i + 1) * count);
        const head = decodeMask(row, { threshold });
        const expert = new Uint8Array(count);
        let [shared, labelled, said] = [0, 0, 0];
        for (let at = 0; at < count; at++) {
          if (ignored?.[at]) head[at] = 0; // neither right nor wrong
          if (ignored?.[at]) continue;
          pixels++;
          if (mask && mask[at] >= POSITIVE_SHARE) expert[at] = 1;
          bins.add(row[at], expert[at] === 1);
          labelled += expert[at];
          said += head[at];
          shared += expert[at] & head[at];
        }
        positives += labelled;
        if (labelled > 0 && sides.length < MOST_SIDES) sides.push(Math.sqrt(labelled));
        const outlines = () => ({ kind: "mask" as const, size, expert, head });
        const iou = shared / Math.max(1, labelled + said - shared);
        // An empty image that stays empty is no sight worth showing; false alarms are as bad as the area they take.
        const isGood = iou > 0;
        const [quality, text] = labelled > 0 ? [iou, `IoU ${iou.toFixed(2)}`] : [-said / count, FALSE_ALARM];
        if (labelled > 0 || said > 0)
          found.add(quality, () => ({ path: paths[i], text, outlines: outlines() }), { isGood });
      });
    },
    result() {
      const precision = bins.precision();
      return {
        constant: positives > 0 ? positives / pixels : null, // the IoU of "everywhere"
        precision: precision ? { [name]: precision } : {},
        reliability: bins.reliability(),
        best: found.best,
        worst: found.worst,
        ...(sides.length > 0 ? { medianSide: quantile(sides, 0.5) } : {}),
      };
    },
  };
}
