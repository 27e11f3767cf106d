/** From the text of `--target` to a target. */

import { findName } from "../../core/check-keys.js";
import { InputError } from "../../core/errors.js";
import type { ClassifierSpec } from "../../heads/head-spec.js";
import type { InnerTarget, Target } from "../target.js";
import { classTarget } from "./target-weights.js";

const LOGIT = "logit:";

/**
 * `CLASS`: its log-odds (multi-label: its logit). `CLASS:OTHER`: the margin between two. `logit:CLASS`: its own score.
 * Else as `parseInnerTarget`.
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
    throw new InputError(`target "${text}": this model answers with a number, so there is no class to choose.`, {
      cure: `Leave the target out, or name one of ${INNER_FORMS}.`,
    });
  }
  throw new InputError(`target "${text}": expected a class, or two as CLASS:OTHER, or logit:CLASS, ${INNER_FORMS}.`, {
    cure: `The classes: ${classes.join(", ")}.`,
  });
}

/** Forms of a target beside classes, for help and errors. */
export const INNER_FORMS = "aspect:NAME, image:NAME, unit:LAYER/CHANNEL, unit:LAYER/CHANNEL@ROW,COLUMN";

/**
 * `aspect:NAME`; `image:NAME` or `image:NAME@OBJECT,BACKGROUND` with weights of pixels, 1,1 by default;
 * `unit:LAYER/CHANNEL` or `unit:LAYER/CHANNEL@ROW,COLUMN`.
 *
 * @param aspects of the model.
 * @returns `undefined` where the text has none of these forms.
 * @throws InputError where it has, but names no aspect, or holds no numbers.
 */
export function parseInnerTarget(text: string, aspects: readonly string[]): InnerTarget | undefined {
  const [, kind, rest] = /^(aspect|image|unit):(.*)$/s.exec(text) ?? [];
  if (kind === undefined) return undefined;
  if (kind === "unit") {
    const [, layer, channel, row, column] = /^(.+)\/(\d+)(?:@(\d+),(\d+))?$/s.exec(rest) ?? [];
    if (layer === undefined) throw new InputError(`target "${text}": expected one of ${INNER_FORMS}.`);
    const place = row === undefined ? {} : { place: [Number(row), Number(column)] as const };
    return { kind, layer, channel: Number(channel), ...place };
  }
  const whole = findName(rest, aspects);
  if (kind === "aspect" && whole !== undefined) return { kind, aspect: whole };
  if (kind === "image") {
    if (whole !== undefined) return { kind, aspect: whole, object: 1, background: 1 };
    const [, name = "", weights = ""] = /^(.*)@([^@]*)$/s.exec(rest) ?? [];
    const aspect = findName(name, aspects);
    if (aspect !== undefined) return { kind, aspect, ...weightsOf(weights, text) };
  }
  throw new InputError(`target "${text}": no such aspect.`, {
    cure: `The model has: ${aspects.join(", ") || "none"}.`,
  });
}

/** Of `OBJECT,BACKGROUND`. */
function weightsOf(weights: string, text: string): { object: number; background: number } {
  const [object, background, ...more] = weights
    .split(",")
    .map((one) => (/^-?[\d.]+$/.test(one) ? Number(one) : Number.NaN));
  if (object === 0 && background === 0)
    throw new InputError(`target "${text}": both weights are 0, so nothing is left to explain.`, {
      cure: "Write @1,0 for the object.",
    });
  if (Number.isFinite(object) && Number.isFinite(background) && more.length === 0) return { object, background };
  throw new InputError(`target "${text}": "${weights}" is not two numbers.`, {
    cure: "Write @OBJECT,BACKGROUND, such as @1,0.",
  });
}
