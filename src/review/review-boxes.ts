/** A boxes head's answers on a split: precision over recall of its boxes, the images with most and fewest mistakes. */

import type { Annotation } from "../core/annotation.js";
import { logit } from "../core/logistic.js";
import { sizeOf } from "../core/nd-array.js";
import { quantile } from "../core/quantile.js";
import { meanSide, type Size } from "../core/size.js";
import { decodeForPrecision } from "../heads/boxes-reading.js";
import type { BoxesSpec } from "../heads/head-spec.js";
import { matchDetections } from "../metrics/coco-matching.js";
import { extremes } from "./extremes.js";
import { type HeadReviewer, type ReviewedImage, SHOWN } from "./head-review.js";
import { scoreBins } from "./score-bins.js";

/** The bit of a match at an overlap of one half. */
const AT_HALF = 1;
const MOST_SIDES = 5000;

/** @param options.inputSize of the model's input, pixels. */
export function reviewBoxes({ name, threshold }: BoxesSpec, { inputSize }: { inputSize: Size }): HeadReviewer {
  const bins = scoreBins();
  const found = extremes<ReviewedImage>(SHOWN);
  const sides: number[] = [];
  let instances = 0;
  let count = 0;
  return {
    add(logits, labels, paths) {
      const shape = logits.shape.slice(1);
      const size = sizeOf(shape);
      labels.forEach((label, i) => {
        const { boxes, ignoredBoxes: crowds } = (label ?? {}) as Annotation;
        if (!boxes) return;
        count++;
        instances += boxes.length;
        for (const [yMin, xMin, yMax, xMax] of boxes)
          if (sides.length < MOST_SIDES) sides.push(Math.sqrt((yMax - yMin) * (xMax - xMin)) * meanSide(inputSize));
        const all = decodeForPrecision(logits.data.subarray(i * size, (i + 1) * size), shape);
        const judged = matchDetections(all, { boxes, crowds }).filter(({ ignored }) => (ignored & AT_HALF) === 0);
        for (const { score, found } of judged) bins.add(logit(score), (found & AT_HALF) > 0);
        const shown = all.filter(({ score }) => score >= threshold);
        const said = judged.filter(({ score }) => score >= threshold);
        const right = said.filter(({ found }) => (found & AT_HALF) > 0).length;
        const wrong = said.length - right;
        const missed = boxes.length - right;
        if (boxes.length + shown.length === 0) return;
        // Of two images without a mistake, the one with more boxes; of two with mistakes only, likewise.
        const quality = right - wrong - missed;
        const image = () => ({
          path: paths[i],
          text: `${right} of ${boxes.length} found${wrong > 0 ? `, ${wrong} false` : ""}`,
          outlines: { kind: "boxes" as const, expert: boxes, head: shown.map(({ box }) => box) },
        });
        found.add(quality, image, { isGood: right > 0 || wrong + missed === 0 });
      });
    },
    result() {
      const precision = bins.precision(instances);
      return {
        constant: count > 0 ? 0 : null,
        precision: precision ? { [name]: precision } : {},
        reliability: bins.reliability(),
        best: found.best,
        worst: found.worst,
        ...(sides.length > 0 ? { medianSide: quantile(sides, 0.5) } : {}),
      };
    },
  };
}
