/** Two models' answers for the same images, head by head: by how much one is better, with a paired interval. */

import type { Size } from "../core/size.js";
import type { HeadSpec } from "../heads/head-spec.js";
import { bootstrapIntervals, type Interval } from "../metrics/bootstrap.js";
import type { Weights } from "../metrics/weights.js";
import { createTally } from "./create-tally.js";
import { drawsFor } from "./draws.js";
import type { HeadTally } from "./head-tally.js";
import { imageGroups } from "./image-groups.js";
import { answerOf, type EvaluatedImage } from "./split-evaluation.js";

/** A head in the joint model and alone; `null` where no labelled image allows the metric. */
export interface HeadDifference {
  readonly kind: HeadSpec["kind"];
  /** What is compared; higher is better. */
  readonly metric: string;
  /** Labelled images. */
  readonly count: number;
  readonly joint: number | null;
  readonly separate: number | null;
  /** `joint - separate`. */
  readonly difference: number | null;
  /** 95 % of the difference: both models on the same images, drawn again and again. */
  readonly interval: Interval | null;
}

export interface PairedEvaluation {
  readonly heads: Readonly<Record<string, HeadDifference>>;
  readonly intervals: { readonly level: 0.95; readonly drawn: string };
}

/** Gathers the same images, in the same order, once from the joint model and once from each head's own. */
export interface PairedTally {
  addJoint(image: EvaluatedImage): void;
  addSeparate(head: string, image: EvaluatedImage): void;
  result(): PairedEvaluation;
}

/**
 * @param heads of the joint model, and the same of the model that was trained for it alone.
 * @param options.size height and width of the models' input.
 */
export function pairedTally(
  heads: readonly { readonly joint: HeadSpec; readonly separate: HeadSpec }[],
  { size }: { size: Size },
): PairedTally {
  const tallies = heads.map(({ joint, separate }) => ({
    spec: joint,
    joint: counted(joint, size),
    separate: counted(separate, size),
  }));
  const groups = imageGroups();
  return {
    addJoint(image) {
      for (const { joint } of tallies) joint.add(image);
      groups.add(image.groups);
    },
    addSeparate(head, image) {
      tallies.find(({ spec }) => spec.name === head)?.separate.add(image);
    },
    result() {
      const drawn = groups.drawn();
      const differenceOf = ({ spec, joint, separate }: (typeof tallies)[number]): HeadDifference => {
        const metric = mainMetric(spec);
        const numbers = (weights?: Weights) => {
          const [own, other] = [joint, separate].map(({ tally }) => scoreOf(tally, metric, weights));
          return { own, other, difference: own === null || other === null ? null : own - other };
        };
        const { own, other, difference } = numbers();
        const count = joint.images();
        const draws = drawsFor(2 * joint.tally.size() + count);
        const intervals =
          difference === null ? {} : bootstrapIntervals(numbers, { count, groups: drawn?.groups, draws });
        return {
          ...{ kind: spec.kind, metric, count: joint.tally.count() },
          ...{ joint: own, separate: other, difference, interval: intervals.difference ?? null },
        };
      };
      return {
        heads: Object.fromEntries(tallies.map((own) => [own.spec.name, differenceOf(own)])),
        intervals: { level: 0.95, drawn: drawn?.name ?? "image" },
      };
    },
  };
}

/** A tally that numbers its images. */
function counted(spec: HeadSpec, size: Size) {
  const tally = createTally(spec, { size });
  let count = 0;
  return {
    tally,
    images: () => count,
    add(image: EvaluatedImage) {
      tally.add(answerOf(image, spec.name, count++));
    },
  };
}

const LESS_ERROR = "1 - mae";

/** What decides the best epoch. */
function mainMetric(spec: HeadSpec): string {
  switch (spec.kind) {
    case "classifier":
      return { single: "accuracy", multi: "meanAveragePrecision", regression: "r2" }[spec.task];
    case "segmentation":
      return "iou";
    case "boxes":
      return "ap50";
    case "presence":
      return "auc";
    case "amount":
      return LESS_ERROR;
  }
}

function scoreOf(tally: HeadTally<unknown>, metric: string, weights?: Weights): number | null {
  const numbers = tally.numbers(weights);
  if (metric !== LESS_ERROR) return numbers[metric];
  return numbers.mae === null ? null : 1 - numbers.mae;
}
