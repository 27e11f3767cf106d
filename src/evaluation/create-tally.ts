/** One way to measure every kind of head in full. */

import type { Size } from "../core/size.js";
import type { HeadSpec } from "../heads/head-spec.js";
import type { Interval } from "../metrics/bootstrap.js";
import { type BoxesEvaluation, boxesTally } from "./boxes-tally.js";
import type { HeadTally } from "./head-tally.js";
import { type MultiEvaluation, multiTally } from "./multi-tally.js";
import { type AmountEvaluation, amountTally, type RegressionEvaluation, regressionTally } from "./number-tally.js";
import { type PresenceEvaluation, presenceTally } from "./presence-tally.js";
import { type SegmentationEvaluation, segmentationTally } from "./segmentation-tally.js";
import { type SingleEvaluation, singleTally } from "./single-tally.js";

/** Every metric of a head. */
export type HeadResult =
  | SingleEvaluation
  | MultiEvaluation
  | RegressionEvaluation
  | SegmentationEvaluation
  | BoxesEvaluation
  | PresenceEvaluation
  | AmountEvaluation;

/** With intervals of 95 % by the metric's name; `null` where the draws do not allow one. */
export type HeadEvaluation = HeadResult & { readonly intervals: Readonly<Record<string, Interval | null>> };

/** @param size height and width of the model's input. */
export function createTally(spec: HeadSpec, { size }: { size: Size }): HeadTally<HeadResult> {
  switch (spec.kind) {
    case "classifier":
      if (spec.task === "single") return singleTally(spec);
      return spec.task === "multi" ? multiTally(spec) : regressionTally();
    case "segmentation":
      return segmentationTally(spec, { size });
    case "boxes":
      return boxesTally(spec);
    case "presence":
      return presenceTally(spec);
    case "amount":
      return amountTally(spec);
  }
}
