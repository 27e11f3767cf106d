/** What the presence head's number means: targets and metrics on plain arrays. */

import type { Annotation } from "../core/annotation.js";
import { logit, sigmoid } from "../core/logistic.js";
import type { NdArray } from "../core/nd-array.js";
import { areaUnderCurve, type Ranked } from "../core/ranking.js";
import { encodeLabels } from "./encode-labels.js";
import type { Label } from "./head.js";
import type { PresenceSpec } from "./head-spec.js";

/** Metrics of a presence head. */
export interface PresenceMetrics {
  readonly kind: "presence";
  /** At the head's threshold. */
  readonly accuracy: number | null;
  /** `null` too where all images, or none, show the aspect. */
  readonly auc: number | null;
  readonly count: number;
}

export const presenceShapes: Record<string, readonly number[]> = { present: [1], labelled: [] };

/**
 * Whether the expert saw the aspect: said outright, else from a mask or boxes; `undefined` is unlabelled, as where it is
 * seen nowhere, but may be in void pixels or an ignored region.
 */
export function presentOf({ present, mask, ignored, boxes, ignoredBoxes = [] }: Annotation = {}): boolean | undefined {
  if (present !== undefined) return present;
  if (mask !== undefined) return mask?.some((share) => share > 0) || (ignored ? undefined : false);
  return boxes && (boxes.length > 0 || (ignoredBoxes.length > 0 ? undefined : false));
}

/** `present` `[batch, 1]` of 0 and 1, and `labelled`. */
export function encodePresence(labels: readonly Label[]): Record<string, Float32Array> {
  return encodeLabels(labels, presenceShapes, (label, rows) => {
    const isPresent = presentOf(label as Annotation); // aspect heads are given annotations
    rows.present[0] = isPresent ? 1 : 0;
    return isPresent !== undefined;
  });
}

/** How sure the head is that the aspect is there, 0..1: calibrated where the head has a temperature. */
export function presenceScore(answer: number, { temperature = 1 }: PresenceSpec): number {
  return sigmoid(answer / temperature);
}

/** Whether the score reaches the threshold; compared as logits, so that no rounding tells engines apart. */
export function isSeen(answer: number, { threshold, temperature = 1 }: PresenceSpec): boolean {
  return answer >= Math.fround(temperature * logit(threshold));
}

/** Streaming metrics over the labelled images. */
export function presenceMetrics(spec: PresenceSpec): {
  add(logits: NdArray, labels: readonly Label[]): void;
  result(): PresenceMetrics;
} {
  const ranked: Ranked[] = [];
  return {
    add(logits, labels) {
      labels.forEach((label, i) => {
        const isPositive = presentOf(label as Annotation | undefined);
        if (isPositive !== undefined) ranked.push({ score: logits.data[i], isPositive });
      });
    },
    result() {
      const right = ranked.filter(({ score, isPositive }) => isSeen(score, spec) === isPositive).length;
      return {
        kind: "presence",
        accuracy: ranked.length > 0 ? right / ranked.length : null,
        auc: areaUnderCurve(ranked),
        count: ranked.length,
      };
    },
  };
}
