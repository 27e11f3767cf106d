/**
 * An explanation beside what the dataset knows: whether the answer is right, which aspects are there, which caused it.
 */

import type { Annotation, Sample } from "../../core/annotation.js";
import { classLabels } from "../../core/annotation.js";
import { ownValue } from "../../core/own-value.js";
import type { Ranked } from "../../core/ranking.js";
import type { Explanation } from "../explanation.js";
import type { Scored } from "../reading/read-scores.js";

/** By class, the aspects that cause it: `causes` of `dataset.json`. */
export type ClassCauses = Readonly<Record<string, readonly string[]>>;

/** An explanation beside the ground truth. */
export interface GroundTruthComparison<Of extends Scored = Explanation> {
  readonly explanation: Of;
  /** `null` where the image has no label. A regression counts as right: its causes are compared, not its error. */
  readonly isRight: boolean | null;
  /**
   * How many aspects can cause the label: 0 where it is known that none does (`"causes": { "with": [] }`), `null`
   * unknown.
   */
  readonly possibleCauses: number | null;
  /** Aspects labelled present that caused the label. */
  readonly causes: readonly string[];
  /** Aspects labelled present that did not. */
  readonly distractors: readonly string[];
}

/**
 * Sets an explanation beside the labels and causes of its sample.
 *
 * @param options `causes` are by class, for samples that name none themselves.
 */
export function compareWithGroundTruth<Of extends Scored>(
  explanation: Of,
  { sample, causes = {} }: { sample: Sample; causes?: ClassCauses },
): GroundTruthComparison<Of> {
  const present = Object.keys(sample.aspects).filter((name) => isLabelledPresent(sample.aspects[name]));
  const { value } = sample.target;
  const labels = classLabels(sample.target);
  const { prediction } = explanation;
  const isClass = "class" in prediction;
  const isRight = isClass ? (labels?.includes(prediction.class) ?? null) : value === undefined ? null : true;
  // Of several labels, the causes of the one that was explained; where the answer is wrong, of those that would be
  // right.
  const explained = isClass && isRight ? [prediction.class] : (labels ?? []);
  const known = new Set(sample.causes ?? explained.flatMap((name) => ownValue(causes, name) ?? []));
  return {
    explanation,
    isRight,
    possibleCauses: sample.causes || explained.some((name) => Object.hasOwn(causes, name)) ? known.size : null,
    causes: present.filter((name) => known.has(name)),
    distractors: present.filter((name) => !known.has(name)),
  };
}

/** The aspects labelled present that have a score, with whether they are causes. */
export function rankedAspects<Of extends Scored>({
  explanation,
  causes,
  distractors,
}: GroundTruthComparison<Of>): { aspect: Of["aspects"][number]; isCause: boolean }[] {
  return explanation.aspects
    .filter(({ name, score }) => score !== null && (causes.includes(name) || distractors.includes(name)))
    .map((aspect) => ({ aspect, isCause: causes.includes(aspect.name) }));
}

export interface RankedAspect extends Ranked {
  readonly name: string;
}

/** Their scores; causes are the positives. */
export function rankedScores(comparison: GroundTruthComparison<Scored>): RankedAspect[] {
  return rankedAspects(comparison).map(({ aspect: { name, score }, isCause }) => ({
    name,
    score: score ?? 0,
    isPositive: isCause,
  }));
}

/** Whether an annotation says that the aspect is in the image. */
export function isLabelledPresent({ mask, boxes, present, amount, map }: Annotation): boolean {
  return (
    present === true ||
    (boxes !== undefined && boxes.length > 0) ||
    (amount !== undefined && amount > 0) ||
    Boolean(mask?.some((value) => value > 0)) ||
    Boolean(map?.some((value) => value > 0))
  );
}
