/** From an aspect's score to its relevance, which means the same in every model. */

import { isNumber, isRecord } from "./json-values.js";
import { ownValue } from "./own-value.js";

/** What the line of a scale comes from. */
export type ScaleSource = "general" | "causes" | "randomized";
export const SCALE_SOURCES: readonly ScaleSource[] = ["general", "causes", "randomized"];

/** `relevance = 1 / (1 + (line / score)^slope)`: a logistic function of the logarithm of the score. */
export interface RelevanceScale {
  /** The score at which the relevance is 0.5, above 0: from there on an aspect is relevant. */
  readonly line: number;
  /** How fast relevance grows with the score, above 0; one for all models of a method. */
  readonly slope: number;
  /**
   * `general`: the line that all models of the method share; `causes`: known causes of this model's validation images;
   * `randomized`: what 3 % of the aspects reach under randomized classifiers.
   */
  readonly by: ScaleSource;
}

/** An aspect is relevant from this relevance on, in every model. */
export const RELEVANT_FROM = 0.5;

/** @param score 0 or more. @returns 0..1; 0 for a score of 0. */
export function relevanceOf(score: number, { line, slope }: Pick<RelevanceScale, "line" | "slope">): number {
  return score > 0 ? 1 / (1 + (line / score) ** slope) : 0;
}

/** What the scores of one kind of target mean. */
export type ScoreScale =
  /** They have a relevance. */
  | ({ readonly kind: "probability" } & RelevanceScale)
  /** No cause is known of such targets: relevant is what randomized models seldom reach, from `line` on. */
  | { readonly kind: "above-chance"; readonly line: number }
  /** Nothing is known: they only rank. */
  | { readonly kind: "uncalibrated" };

/** Whether a value of parsed JSON is a scale whose numbers can be computed with. */
export function isScoreScale(value: unknown): value is ScoreScale {
  if (!isRecord(value)) return false;
  const { kind, line, slope, by } = value;
  if (kind === "uncalibrated") return true;
  if (!isNumber(line) || line <= 0) return false;
  if (kind === "above-chance") return true;
  return kind === "probability" && isNumber(slope) && slope > 0 && SCALE_SOURCES.some((source) => source === by);
}

/** The kinds of targets that have a scale each: the classifier's answers, and other parts of the network. */
export type TargetGroup = "class" | "aspect" | "image" | "unit";
export const TARGET_GROUPS: readonly TargetGroup[] = ["class", "aspect", "image", "unit"];

/** Scales of one model, by saliency method and kind of target; uncalibrated where there is none. */
export type RelevanceScales = Readonly<Partial<Record<string, Readonly<Partial<Record<TargetGroup, ScoreScale>>>>>>;

/** What a method's scores mean for a kind of target. */
export function scaleIn(scales: RelevanceScales, saliency: string, group: TargetGroup): ScoreScale {
  return ownValue(scales, saliency)?.[group] ?? { kind: "uncalibrated" };
}

/** In words, for model cards and the end of a training. */
export function scaleText(scale: ScoreScale): string {
  switch (scale.kind) {
    case "probability":
      return `an aspect is relevant from a score of ${Number(scale.line.toPrecision(2))} on, ${SOURCE_TEXTS[scale.by]}`;
    case "above-chance":
      return `an aspect is above chance from a score of ${Number(scale.line.toPrecision(2))} on`;
    case "uncalibrated":
      return "not calibrated: scores rank the aspects, and none is called relevant";
  }
}

const SOURCE_TEXTS: Readonly<Record<ScaleSource, string>> = {
  general: "the line of all models",
  causes: "set by the known causes of the validation images",
  randomized: "set by what randomized models reach",
};
