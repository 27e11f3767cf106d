/** The answers of heads that give numbers on a split: presence and amount. */

import type { Annotation } from "../core/annotation.js";
import { sigmoid } from "../core/logistic.js";
import { sizeOf } from "../core/nd-array.js";
import { amountsOf } from "../heads/amount-reading.js";
import type { AmountSpec, PresenceSpec } from "../heads/head-spec.js";
import { presentOf } from "../heads/presence-reading.js";
import { extremes } from "./extremes.js";
import { type HeadReviewer, type ReviewedImage, SHOWN } from "./head-review.js";
import { scoreBins } from "./score-bins.js";

const MOST_PAIRS = 400;
const LEVELS = 256;

export function reviewPresence({ name, temperature = 1 }: PresenceSpec): HeadReviewer {
  const bins = scoreBins();
  const found = extremes<ReviewedImage>(SHOWN);
  let positives = 0;
  let count = 0;
  return {
    add(logits, labels, paths) {
      labels.forEach((label, i) => {
        const isPresent = presentOf(label as Annotation | undefined);
        if (isPresent === undefined) return;
        count++;
        if (isPresent) positives++;
        const logit = logits.data[i] / temperature;
        bins.add(logit, isPresent);
        const text = `${isPresent ? "is there" : "is not there"}; said ${(100 * sigmoid(logit)).toFixed(0)} %`;
        found.add(isPresent ? logit : -logit, () => ({ path: paths[i], text }));
      });
    },
    result() {
      const precision = bins.precision();
      const isMixed = positives > 0 && positives < count;
      return {
        // Of the area under the ROC curve, or of the accuracy where all labels are the same.
        constant: count === 0 ? null : isMixed ? 0.5 : 1,
        precision: precision ? { [name]: precision } : {},
        reliability: bins.reliability(),
        best: found.best,
        worst: found.worst,
      };
    },
  };
}

export function reviewAmount({ form }: AmountSpec): HeadReviewer {
  const found = extremes<ReviewedImage>(SHOWN);
  const pairs: [number, number][] = [];
  const levels = new Float64Array(LEVELS);
  let count = 0;
  return {
    add(logits, labels, paths) {
      const pixels = sizeOf(logits.shape.slice(1));
      labels.forEach((label, i) => {
        const amounts = amountsOf(label as Annotation | undefined, { form, pixels });
        if (!amounts) return;
        const ignored = form === "map" ? (label as Annotation).ignored : undefined;
        const share = 1 / (pixels - (ignored?.reduce((sum, one) => sum + one, 0) ?? 0));
        let [truth, answer, error] = [0, 0, 0];
        for (let at = 0; at < pixels; at++) {
          if (ignored?.[at]) continue;
          const said = sigmoid(logits.data[i * pixels + at]);
          truth += amounts[at] * share;
          answer += said * share;
          error += Math.abs(said - amounts[at]) * share;
          levels[Math.round(amounts[at] * (LEVELS - 1))] += share;
        }
        count++;
        if (pairs.length < MOST_PAIRS) pairs.push([truth, answer]);
        const text = `is ${truth.toFixed(2)}; said ${answer.toFixed(2)}`;
        found.add(-error, () => ({ path: paths[i], text }));
      });
    },
    result: () => ({
      constant: count > 0 ? 1 - errorOfMedian(levels, count) : null,
      precision: {},
      reliability: [],
      pairs,
      best: found.best,
      worst: found.worst,
    }),
  };
}

/** Mean absolute error of always saying the median, which no other constant beats. */
function errorOfMedian(levels: Float64Array, count: number): number {
  let below = 0;
  let median = 0;
  while (below + levels[median] < count / 2 && median < LEVELS - 1) below += levels[median++];
  return levels.reduce((sum, share, level) => sum + (share * Math.abs(level - median)) / (LEVELS - 1), 0) / count;
}
