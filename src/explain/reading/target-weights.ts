/** A class as the graph's `target` input says it, and what that input's default comes to. */

import type { Task } from "../../core/annotation.js";
import { type NdArray, ndArray } from "../../core/nd-array.js";
import type { ClassifierSpec } from "../../heads/head-spec.js";
import type { ClassTarget, Target } from "../target.js";
import { highest } from "./prediction.js";

/** What an all-zero target comes to: the predicted class, the label that scores highest, or the value. */
export function defaultTarget(logits: NdArray, { task, classes }: ClassifierSpec): ClassTarget {
  return task === "regression" ? { kind: "value" } : classTarget(classes[highest(logits)], task);
}

/**
 * The graph's `target` input.
 *
 * @param target nothing for the predicted class.
 * @returns `[1, classes]` (`[1, 1]` for a regression): weights of the logits, all zero for the default.
 */
export function targetWeights(target: ClassTarget | undefined, spec: ClassifierSpec): NdArray {
  const { classes } = spec;
  const weights = ndArray([1, Math.max(1, classes.length)]);
  if (target === undefined) return weights;
  if (target.kind === "value") weights.data[0] = 1;
  else weights.data[classes.indexOf(target.class)] = 1;
  if (target.kind === "margin" && !isOdds(target, spec)) weights.data[classes.indexOf(target.other)] = -1;
  return weights;
}

/**
 * Whether it is the log-odds of its class. Of two classes the margin is the same number, so that it is explained alike,
 * from the same reference.
 */
export function isOdds({ kind }: Target, { task, classes }: ClassifierSpec): boolean {
  return kind === "log-odds" || (kind === "margin" && task === "single" && classes.length === 2);
}

/** The usual target for a class of that name. */
export function classTarget(name: string, task: Task): ClassTarget {
  return { kind: task === "multi" ? "logit" : "log-odds", class: name };
}
