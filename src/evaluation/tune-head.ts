/** What of a head is decided on validation images after its training: its temperature and its threshold. */

import type { Annotation, ClassAnnotation } from "../core/annotation.js";
import { classLabels } from "../core/annotation.js";
import { sigmoid } from "../core/logistic.js";
import { POSITIVE_SHARE } from "../core/mask-share.js";
import { decodeForPrecision } from "../heads/boxes-reading.js";
import { classIndex } from "../heads/classifier-reading.js";
import type { BoxesSpec, ClassifierSpec, HeadSpec, PresenceSpec, SegmentationSpec } from "../heads/head-spec.js";
import { presenceScore, presentOf } from "../heads/presence-reading.js";
import { bestThreshold, THRESHOLDS } from "../metrics/best-threshold.js";
import { detectionTally } from "../metrics/coco-average-precision.js";
import { matchDetections } from "../metrics/coco-matching.js";
import { diceOf, iouOf } from "../metrics/overlap.js";
import { fitTemperature } from "../metrics/temperature.js";
import type { HeadAnswer } from "./head-tally.js";

/** Gathers validation images; holds scores and counts, never pixels. */
export interface HeadTuner {
  add(answer: HeadAnswer): void;
  /** @param options.isThresholdGiven by the user, who knows better. @returns the head with what was decided. */
  result(options?: { isThresholdGiven?: boolean }): HeadSpec;
}

/** Images (of boxes: boxes) that hold the aspect; with fewer the usual threshold stays. */
const FEWEST_POSITIVES = 10;

/** An amount head has nothing that is decided so. */
export function createTuner(spec: HeadSpec): HeadTuner {
  switch (spec.kind) {
    case "classifier":
      return classifierTuner(spec);
    case "presence":
      return presenceTuner(spec);
    case "segmentation":
      return segmentationTuner(spec);
    case "boxes":
      return boxesTuner(spec);
    case "amount":
      return { add() {}, result: () => spec };
  }
}

function classifierTuner(spec: ClassifierSpec): HeadTuner {
  const { task, classes } = spec;
  const logits: number[] = [];
  const isTrue: number[] = [];
  return {
    add(answer) {
      const labels = classLabels((answer.label ?? {}) as ClassAnnotation);
      if (task === "regression" || !labels) return;
      const named = new Set(labels.map((label) => classIndex(spec, label)));
      logits.push(...answer.logits);
      isTrue.push(...classes.map((_, index) => (named.has(index) ? 1 : 0)));
    },
    result: () => ({
      ...spec,
      ...temperatureOf({ logits, isTrue, width: classes.length, isExclusive: task === "single" }),
    }),
  };
}

function presenceTuner(spec: PresenceSpec): HeadTuner {
  const logits: number[] = [];
  const isTrue: number[] = [];
  return {
    add(answer) {
      const isPresent = presentOf(answer.label as Annotation | undefined);
      if (isPresent === undefined) return;
      logits.push(answer.logits[0]);
      isTrue.push(isPresent ? 1 : 0);
    },
    result({ isThresholdGiven = false } = {}) {
      const tempered = { ...spec, ...temperatureOf({ logits, isTrue, width: 1, isExclusive: false }) };
      const marked = isTrue.reduce((sum, is) => sum + is, 0);
      if (isThresholdGiven || marked < FEWEST_POSITIVES) return tempered;
      const scores = logits.map((own) => presenceScore(own, tempered));
      const f1At = (threshold: number) => {
        const counts = { shared: 0, found: 0, marked };
        scores.forEach((score, row) => {
          if (score < threshold) return;
          counts.found++;
          counts.shared += isTrue[row];
        });
        return diceOf(counts);
      };
      const baseline = diceOf({ shared: marked, found: logits.length, marked }) ?? 0;
      return { ...tempered, threshold: bestThreshold(f1At, { usual: spec.threshold, baseline }) };
    },
  };
}

/**
 * The best mean of IoU, over the pixels of all images together, for each image that holds the aspect, and of silence
 * for each that is empty: IoU alone may choose a threshold at which most empty images have a find.
 */
function segmentationTuner(spec: SegmentationSpec): HeadTuner {
  // Pixels by how many of the thresholds they reach.
  const [marked, others] = [new Float64Array(THRESHOLDS.length + 1), new Float64Array(THRESHOLDS.length + 1)];
  const [first] = THRESHOLDS;
  /** Empty images by the highest threshold that a pixel reaches. */
  const alarms = new Float64Array(THRESHOLDS.length + 1);
  let positiveCount = 0;
  return {
    add({ logits, label }) {
      const { mask, ignored } = (label ?? {}) as Annotation;
      if (mask === undefined) return;
      const isPositive = mask?.some((share) => share >= POSITIVE_SHARE) ?? false;
      let highest = 0;
      for (let pixel = 0; pixel < logits.length; pixel++) {
        if (ignored?.[pixel]) continue;
        const reached = Math.floor((sigmoid(logits[pixel]) - first) * 100 + 1e-9) + 1;
        const bin = Math.min(THRESHOLDS.length, Math.max(0, reached));
        if (mask && mask[pixel] >= POSITIVE_SHARE) marked[bin]++;
        else others[bin]++;
        highest = Math.max(highest, bin);
      }
      if (isPositive) positiveCount++;
      else alarms[highest]++;
    },
    result({ isThresholdGiven = false } = {}) {
      if (isThresholdGiven || positiveCount < FEWEST_POSITIVES) return spec;
      const sum = (bins: Float64Array) => bins.reduce((total, count) => total + count, 0);
      const all = sum(marked);
      const imageCount = positiveCount + sum(alarms);
      const scoreAt = (threshold: number) => {
        const bin = Math.round((threshold - first) * 100) + 1;
        const shared = sum(marked.subarray(bin));
        const iou = iouOf({ shared, found: shared + sum(others.subarray(bin)), marked: all }) ?? 0;
        return (positiveCount * iou + sum(alarms.subarray(0, bin))) / imageCount;
      };
      const baseline = (positiveCount * all) / (all + sum(others)) / imageCount;
      return { ...spec, threshold: bestThreshold(scoreAt, { usual: spec.threshold, baseline }) };
    },
  };
}

function boxesTuner(spec: BoxesSpec): HeadTuner {
  const tally = detectionTally();
  return {
    add({ image, logits, shape, label }) {
      const { boxes, ignoredBoxes } = (label ?? {}) as Annotation;
      if (!boxes) return;
      const found = matchDetections(decodeForPrecision(logits, shape), { boxes, crowds: ignoredBoxes });
      tally.add(image, found, boxes.length);
    },
    result({ isThresholdGiven = false } = {}) {
      if (isThresholdGiven || tally.boxCount() < FEWEST_POSITIVES) return spec;
      const f1At = (threshold: number) => {
        const { right, found, boxes } = tally.countsFrom(threshold);
        return diceOf({ shared: right, found, marked: boxes });
      };
      return { ...spec, threshold: bestThreshold(f1At, { usual: spec.threshold, baseline: 0 }) };
    },
  };
}

/** Where it helps. */
function temperatureOf(given: Parameters<typeof fitTemperature>[0]): { temperature?: number } {
  const temperature = given.logits.length > 0 ? fitTemperature(given) : null;
  return temperature === null ? {} : { temperature: Number(temperature.toPrecision(4)) };
}
