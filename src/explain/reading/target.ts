/** What is explained, as a user names it and as the graph's `target` input says it. */

import { InputError } from "../../core/errors.js";
import { findName } from "../../core/keys.js";
import { type NdArray, ndArray } from "../../core/nd-array.js";
import type { ClassifierSpec } from "../../heads/head.js";
import type { ClassTarget, Target } from "../explanation.js";
import { INNER_FORMS, parseInnerTarget } from "./inner-target.js";
import { highest } from "./prediction.js";

const LOGIT = "logit:";

/**
 * `CLASS`: its log-odds (multi-label: its logit). `CLASS:OTHER`: the margin between two. `logit:CLASS`: its own score. Else as
 * `parseInnerTarget`.
 *
 * @param aspects of the model.
 * @throws InputError where there is no such class or aspect, or a class is asked of a model that answers with a number.
 */
export function parseTarget(
  text: string,
  { task, classes }: ClassifierSpec,
  { aspects = [] }: { aspects?: readonly string[] } = {},
): Target {
  const classOf = (name: string) => findName(name, classes);
  const whole = classOf(text);
  if (whole !== undefined) return classTarget(whole, task);
  const own = text.startsWith(LOGIT) ? classOf(text.slice(LOGIT.length)) : undefined;
  if (own !== undefined) return { kind: "logit", class: own };
  // A class may hold a colon itself, so every place to split is tried.
  for (let colon = text.indexOf(":"); colon >= 0; colon = text.indexOf(":", colon + 1)) {
    const [name, other] = [classOf(text.slice(0, colon)), classOf(text.slice(colon + 1))];
    if (name !== undefined && other !== undefined && name !== other) return { kind: "margin", class: name, other };
  }
  const inner = parseInnerTarget(text, aspects);
  if (inner) return inner;
  if (task === "regression") {
    throw new InputError(
      `target "${text}": this model answers with a number, so there is no class to choose. Leave the target out, or name one of ${INNER_FORMS}.`,
    );
  }
  throw new InputError(
    `target "${text}": expected a class, or two as CLASS:OTHER, or logit:CLASS, ${INNER_FORMS}. The classes: ${classes.join(", ")}.`,
  );
}

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
export function targetWeights(target: ClassTarget | undefined, { classes }: ClassifierSpec): NdArray {
  const weights = ndArray([1, Math.max(1, classes.length)]);
  if (target === undefined) return weights;
  if (target.kind === "value") weights.data[0] = 1;
  else weights.data[classes.indexOf(target.class)] = 1;
  if (target.kind === "margin") weights.data[classes.indexOf(target.other)] = -1;
  return weights;
}

function classTarget(name: string, task: ClassifierSpec["task"]): ClassTarget {
  return { kind: task === "multi" ? "logit" : "log-odds", class: name };
}
