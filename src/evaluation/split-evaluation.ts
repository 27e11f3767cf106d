/** Every head of a model over a split: metrics, their intervals, and the same by group. */

import type { OriginalMask } from "../core/annotation.js";
import { type NdArrays, sizeOf } from "../core/nd-array.js";
import type { Size } from "../core/size.js";
import type { Label } from "../heads/head.js";
import type { HeadSpec } from "../heads/head-spec.js";
import { bootstrapIntervals } from "../metrics/bootstrap.js";
import type { Weights } from "../metrics/weights.js";
import { createTally, type HeadEvaluation } from "./create-tally.js";
import { drawsFor } from "./draws.js";
import type { HeadAnswer } from "./head-tally.js";
import { type GroupValues, imageGroups } from "./image-groups.js";

/** The metrics of a head that have an interval, and `count` labelled images. */
export type GroupMetrics = Readonly<Record<string, number | null>>;

/** What an evaluation comes to. */
export interface SplitEvaluation {
  readonly heads: Readonly<Record<string, HeadEvaluation>>;
  /** By name of the groups, value, and head; absent where no sample names a group. */
  readonly groups?: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, GroupMetrics>>>>>>;
  /** How the intervals were drawn. */
  readonly intervals: {
    /** From one end to the other. */
    readonly level: 0.95;
    /** `"image"`, or the name of the groups that were drawn whole. */
    readonly drawn: string;
  };
}

/** One image: what the heads say of it, and what the expert did. */
export interface EvaluatedImage {
  /** Logits by head, of one image in row `row`. */
  readonly outputs: NdArrays;
  readonly row: number;
  readonly labelOf: (head: string) => Label;
  readonly groups?: GroupValues;
  /** By head. */
  readonly originals?: Readonly<Record<string, OriginalMask>>;
}

/** Gathers image after image of a split. */
export interface SplitTally {
  add(image: EvaluatedImage): void;
  /** @param seed of the draws. */
  result(options?: { seed?: number }): SplitEvaluation;
}

/** One head's part of an image. @param number of the image, from 0. */
export function answerOf(
  { outputs, row, labelOf, originals = {} }: EvaluatedImage,
  head: string,
  number: number,
): HeadAnswer {
  const { data, shape } = outputs[head];
  const own = shape.slice(1);
  const length = sizeOf(own);
  const logits = data.subarray(row * length, (row + 1) * length);
  return { image: number, logits, shape: own, label: labelOf(head), original: originals[head] };
}

/** @param size height and width of the model's input. */
export function splitTally(heads: readonly HeadSpec[], { size }: { size: Size }): SplitTally {
  const tallies = heads.map((spec) => ({ name: spec.name, tally: createTally(spec, { size }) }));
  const groups = imageGroups();
  let count = 0;
  return {
    add(image) {
      for (const { name, tally } of tallies) tally.add(answerOf(image, name, count));
      groups.add(image.groups);
      count++;
    },
    result({ seed = 1 } = {}) {
      const drawn = groups.drawn();
      const evaluations = tallies.map(({ name, tally }): [string, HeadEvaluation] => {
        const draws = drawsFor(tally.size() + count);
        const intervals =
          tally.count() > 0 ? bootstrapIntervals(tally.numbers, { count, groups: drawn?.groups, draws, seed }) : {};
        return [name, { ...tally.result(), intervals }];
      });
      const metricsOf = (weights: Weights) =>
        Object.fromEntries(
          tallies.map(({ name, tally }) => [name, { ...tally.numbers(weights), count: tally.count(weights) }]),
        );
      const valuesOf = (name: string) =>
        Object.fromEntries([...groups.members(name)].map(({ value, weights }) => [value, metricsOf(weights)]));
      const names = groups.names();
      return {
        heads: Object.fromEntries(evaluations),
        ...(names.length > 0 && { groups: Object.fromEntries(names.map((name) => [name, valuesOf(name)])) }),
        intervals: { level: 0.95, drawn: drawn?.name ?? "image" },
      };
    },
  };
}
